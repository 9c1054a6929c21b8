# Third-party libraries, each as a target that states its headers as system headers.
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(ZLIB REQUIRED)
find_package(MPI REQUIRED COMPONENTS C)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Threads REQUIRED)

add_library(svi_hdf5 INTERFACE)
target_include_directories(svi_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(svi_hdf5 INTERFACE ${HDF5_C_LIBRARIES})
target_compile_definitions(svi_hdf5 INTERFACE ${HDF5_C_DEFINITIONS})

add_library(svi_mpi INTERFACE)
target_link_libraries(svi_mpi INTERFACE MPI::MPI_C)
target_compile_definitions(svi_mpi INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)  # C calls only

find_path(SVI_RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)
add_library(svi_random123 INTERFACE)
target_include_directories(svi_random123 SYSTEM INTERFACE ${SVI_RANDOM123_INCLUDE_DIR})

find_path(SVI_STB_INCLUDE_DIR stb/stb_image_write.h REQUIRED)
add_library(svi_stb INTERFACE)
target_include_directories(svi_stb SYSTEM INTERFACE ${SVI_STB_INCLUDE_DIR})

find_package(LibTorchCpu REQUIRED)
