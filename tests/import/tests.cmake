svi_test(import
  SOURCES import/counts_test.cpp import/lines_test.cpp import/matrix_test.cpp import/idx_test.cpp
          import/text_test.cpp import/sources_test.cpp import/fetch_test.cpp
          import/completion_files_test.cpp
  LIBRARIES svi_data ZLIB::ZLIB)
