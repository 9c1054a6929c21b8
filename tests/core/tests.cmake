svi_test(core SOURCES core/lazy_rows_test.cpp core/parallel_test.cpp core/shared_work_test.cpp LIBRARIES svi_core)
