svi_test(optim SOURCES optim/update_rule_test.cpp optim/schedule_test.cpp optim/extras_test.cpp LIBRARIES svi_optim)
