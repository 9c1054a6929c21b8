svi_test(checkpoint
  SOURCES checkpoint/round_trip_test.cpp checkpoint/damage_test.cpp checkpoint/store_test.cpp
  LIBRARIES svi_checkpoint svi_hdf5)
