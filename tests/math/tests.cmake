svi_test(math SOURCES math/special_test.cpp math/assignment_test.cpp math/ranking_test.cpp LIBRARIES svi_math)
