svi_test(base
  SOURCES base/random_test.cpp base/sha256_test.cpp base/options_test.cpp base/units_test.cpp base/pages_test.cpp
  LIBRARIES svi_base)
