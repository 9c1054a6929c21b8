# A save that is killed, or whose disk is full, at each of its system calls.
add_library(fault_preload MODULE crash/fault_preload.c)
set_target_properties(fault_preload PROPERTIES C_STANDARD 11 C_EXTENSIONS ON PREFIX "")
target_compile_options(fault_preload PRIVATE -Wall -Wextra -Wshadow -Werror)
target_link_libraries(fault_preload PRIVATE ${CMAKE_DL_LIBS})

add_executable(checkpoint_writer crash/checkpoint_writer.cpp)
target_include_directories(checkpoint_writer PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(checkpoint_writer PRIVATE svi_checkpoint GTest::gtest)
set_target_properties(fault_preload checkpoint_writer PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)

svi_test(crash SOURCES crash/save_test.cpp LIBRARIES svi_checkpoint TIMEOUT 900)
add_dependencies(test_crash fault_preload checkpoint_writer)
target_compile_definitions(test_crash PRIVATE
  SVI_FAULT_PRELOAD="$<TARGET_FILE:fault_preload>" SVI_CHECKPOINT_WRITER="$<TARGET_FILE:checkpoint_writer>")

# Whole jobs killed at random moments. Many more: tests/crash/kill_job.sh build/bin vae 100
if(TARGET svi-train AND TARGET svi-data AND TARGET svi-infer)
  foreach(model lda vae)
    add_test(NAME crash.kill_job.${model}
      COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/crash/kill_job.sh $<TARGET_FILE_DIR:svi-train> ${model} 12)
    set_tests_properties(crash.kill_job.${model} PROPERTIES TIMEOUT 900 PROCESSORS 2)
  endforeach()
endif()
