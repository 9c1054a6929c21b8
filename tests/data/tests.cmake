svi_test(data SOURCES data/counts_file_test.cpp data/dense_file_test.cpp data/partition_test.cpp
         data/sampler_test.cpp data/label_split_test.cpp data/windowed_order_test.cpp
         data/local_rows_test.cpp data/row_stream_test.cpp data/word_priors_test.cpp LIBRARIES svi_data ZLIB::ZLIB)

# AnnData itself reads what is written here and the other way round. It needs a Python that has anndata.
set(SVI_ANNDATA_PYTHON "" CACHE FILEPATH "a Python interpreter with anndata; empty: the one in .venv")
add_executable(count_file_probe data/count_file_probe.cpp)
target_link_libraries(count_file_probe PRIVATE svi_data)
set_target_properties(count_file_probe PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
add_test(NAME data.anndata_interop COMMAND sh
  ${CMAKE_CURRENT_SOURCE_DIR}/data/anndata_interop.sh
  "${SVI_ANNDATA_PYTHON}" ${PROJECT_SOURCE_DIR} $<TARGET_FILE:count_file_probe>)
set_tests_properties(data.anndata_interop PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
