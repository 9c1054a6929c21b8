# The real programs on small generated data.
add_library(trainer_runs STATIC trainer/generated_data.cpp trainer/run_folder.cpp)
target_include_directories(trainer_runs PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(trainer_runs PUBLIC svi_data svi_checkpoint nlohmann_json::nlohmann_json GTest::gtest)
target_compile_definitions(trainer_runs PRIVATE
  SVI_BINARY_DIR="${PROJECT_BINARY_DIR}/bin" SVI_MPIEXEC="${MPIEXEC_EXECUTABLE}")

svi_test(trainer_refusal SOURCES trainer/refusal_test.cpp LIBRARIES trainer_runs)
svi_test(trainer_ranks_refusal SOURCES trainer/ranks_refusal_test.cpp LIBRARIES trainer_runs PROCESSORS 2)
svi_test(trainer_resume SOURCES trainer/resume_test.cpp LIBRARIES trainer_runs svi_hdf5)
svi_test(trainer_failure SOURCES trainer/failure_test.cpp LIBRARIES trainer_runs PROCESSORS 2)
target_compile_definitions(test_trainer_failure PRIVATE SVI_FAULT_PRELOAD="$<TARGET_FILE:fault_preload>")
add_dependencies(test_trainer_failure fault_preload)
svi_test(trainer_programs SOURCES trainer/programs_test.cpp LIBRARIES trainer_runs PROCESSORS 2)
add_dependencies(test_trainer_programs svi-infer)
svi_test(trainer_ranks SOURCES trainer/ranks_test.cpp LIBRARIES trainer_runs PROCESSORS 2)
svi_test(trainer_staleness SOURCES trainer/staleness_test.cpp LIBRARIES trainer_runs)
svi_test(trainer_stop_signal SOURCES trainer/stop_signal_test.cpp LIBRARIES svi_trainer)
svi_test(trainer_streaming SOURCES trainer/streaming_test.cpp LIBRARIES trainer_runs PROCESSORS 2)
svi_test(trainer_early_stopping SOURCES trainer/early_stopping_test.cpp LIBRARIES trainer_runs PROCESSORS 2)
svi_test(trainer_objective SOURCES trainer/objective_test.cpp LIBRARIES trainer_runs PROCESSORS 2)
svi_test(trainer_precision SOURCES trainer/precision_test.cpp LIBRARIES trainer_runs PROCESSORS 2)
svi_test(trainer_warm_start SOURCES trainer/warm_start_test.cpp LIBRARIES trainer_runs PROCESSORS 2)
svi_test(trainer_priors SOURCES trainer/priors_test.cpp LIBRARIES trainer_runs PROCESSORS 2)
add_dependencies(test_trainer_priors svi-infer)
svi_test(trainer_vae_counts SOURCES trainer/vae_counts_test.cpp LIBRARIES trainer_runs PROCESSORS 2)
svi_test(trainer_nonfinite SOURCES trainer/nonfinite_test.cpp LIBRARIES trainer_runs svi_hdf5 PROCESSORS 2)
svi_test(trainer_average SOURCES trainer/average_test.cpp LIBRARIES trainer_runs svi_optim PROCESSORS 2)
add_dependencies(test_trainer_average svi-infer)
svi_test(trainer_collapse SOURCES trainer/collapse_test.cpp LIBRARIES trainer_runs PROCESSORS 2)
foreach(test trainer_refusal trainer_ranks_refusal trainer_resume trainer_failure
        trainer_programs trainer_ranks trainer_staleness trainer_streaming trainer_early_stopping
        trainer_warm_start trainer_priors trainer_objective trainer_precision trainer_vae_counts
        trainer_nonfinite trainer_average trainer_collapse)
  target_compile_definitions(test_${test} PRIVATE SVI_MPIEXEC="${MPIEXEC_EXECUTABLE}")
  add_dependencies(test_${test} svi-train)
endforeach()
add_dependencies(test_trainer_streaming svi-infer)

svi_test(trainer_nonfinite_totals SOURCES trainer/nonfinite_totals_test.cpp LIBRARIES svi_trainer)
target_include_directories(test_trainer_nonfinite_totals PRIVATE ${PROJECT_SOURCE_DIR}/src)  # no public header

svi_test(trainer_row_exchange SOURCES trainer/row_exchange_test.cpp LIBRARIES trainer_runs svi_trainer RANKS 1 2 3 4)
svi_test(trainer_label_strata SOURCES trainer/label_strata_test.cpp LIBRARIES trainer_runs svi_trainer RANKS 1 2 3 4)
svi_test(trainer_labels SOURCES trainer/labels_test.cpp LIBRARIES trainer_runs PROCESSORS 2)
target_compile_definitions(test_trainer_labels PRIVATE SVI_MPIEXEC="${MPIEXEC_EXECUTABLE}")
add_dependencies(test_trainer_labels svi-train svi-infer)
