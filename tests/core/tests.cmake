svi_test(core SOURCES core/lazy_rows_test.cpp core/parallel_test.cpp LIBRARIES svi_core)
