svi_test(cli_progress SOURCES cli_progress/text_test.cpp cli_progress/streams_test.cpp cli_progress/terminal_test.cpp
         LIBRARIES svi_cli trainer_runs)
add_dependencies(test_cli_progress svi-train svi-infer)
