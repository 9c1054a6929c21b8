svi_test(io SOURCES io/atomic_file_test.cpp io/gzip_test.cpp io/png_test.cpp io/hdf5_test.cpp
         io/hdf5_refusal_test.cpp io/directory_lock_test.cpp LIBRARIES svi_io svi_hdf5 ZLIB::ZLIB)
