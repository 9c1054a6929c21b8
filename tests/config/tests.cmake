svi_test(config
  SOURCES config/document_test.cpp config/refusal_test.cpp config/writing_test.cpp
  LIBRARIES svi_config)
