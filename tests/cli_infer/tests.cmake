# What svi-infer makes of topic models, by the real programs.
svi_test(cli_pickle SOURCES cli_infer/pickle_test.cpp LIBRARIES svi_cli)
target_include_directories(test_cli_pickle PRIVATE ${PROJECT_SOURCE_DIR}/src)
svi_test(data_embeddings SOURCES data/embedding_file_test.cpp LIBRARIES svi_data)
svi_test(cli_infer SOURCES cli_infer/transform_test.cpp cli_infer/topics_test.cpp cli_infer/export_test.cpp
    cli_infer/compare_test.cpp
  LIBRARIES trainer_runs svi_trainer PROCESSORS 2)
target_compile_definitions(test_cli_infer PRIVATE SVI_MPIEXEC="${MPIEXEC_EXECUTABLE}")
add_dependencies(test_cli_infer svi-train svi-infer)

svi_test(cli_latent SOURCES cli_infer/latent_test.cpp cli_infer/latent_refusal_test.cpp
  LIBRARIES trainer_runs svi_trainer PROCESSORS 2)
target_compile_definitions(test_cli_latent PRIVATE SVI_MPIEXEC="${MPIEXEC_EXECUTABLE}")
add_dependencies(test_cli_latent svi-train svi-infer)
svi_test(cli_pictures SOURCES cli_infer/picture_grid_test.cpp LIBRARIES svi_cli)
target_include_directories(test_cli_pictures PRIVATE ${PROJECT_SOURCE_DIR}/src)

# Other tools read what is written: anndata, SciPy, pyLDAvis and gensim. It needs a Python that has them.
set(SVI_TOPICS_PYTHON "" CACHE FILEPATH
  "a Python interpreter with anndata, gensim and pyLDAvis; empty: the one in .venv")
add_test(NAME cli_infer.other_tools COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli_infer/other_tools.sh
  "${SVI_TOPICS_PYTHON}" ${PROJECT_SOURCE_DIR} ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
set_tests_properties(cli_infer.other_tools PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
