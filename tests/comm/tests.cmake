svi_test(comm SOURCES comm/single_process_test.cpp comm/thread_test.cpp LIBRARIES svi_comm)
svi_test(comm_mpi SOURCES comm/mpi_test.cpp LIBRARIES svi_comm RANKS 1 2 3 4)
svi_test(comm_launch SOURCES comm/launch_test.cpp LIBRARIES svi_comm)

# The programs that comm_launch starts.
add_executable(rank_program comm/rank_program.cpp)
target_link_libraries(rank_program PRIVATE svi_comm)
add_executable(mpi_main_probe comm/mpi_main_probe.cpp support/mpi_main.cpp)
target_include_directories(mpi_main_probe PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(mpi_main_probe PRIVATE svi_comm GTest::gtest)
set_target_properties(rank_program mpi_main_probe PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
add_dependencies(test_comm_launch rank_program mpi_main_probe)
target_compile_definitions(test_comm_launch PRIVATE SVI_RANK_PROGRAM="$<TARGET_FILE:rank_program>"
  SVI_MPI_MAIN_PROBE="$<TARGET_FILE:mpi_main_probe>" SVI_MPIEXEC="${MPIEXEC_EXECUTABLE}")
