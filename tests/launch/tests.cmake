svi_test(launch SOURCES launch/launch_test.cpp LIBRARIES svi_base)
