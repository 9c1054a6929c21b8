svi_test(cli_data
  SOURCES cli_data/data_program_test.cpp cli_data/table_test.cpp
  LIBRARIES svi_cli ZLIB::ZLIB)
add_dependencies(test_cli_data svi-data)
