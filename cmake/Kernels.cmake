# The E-step's arithmetic is compiled once for each kind of x86 processor and picked when the program starts.
# Only these files may use the wider instructions, so they share no precompiled header with others.
set(svi_kernel_sources
  ${PROJECT_SOURCE_DIR}/src/models/lda_kernel_avx512.cpp
  ${PROJECT_SOURCE_DIR}/src/models/lda_kernel_avx2.cpp
  ${PROJECT_SOURCE_DIR}/src/models/lda_kernel_portable.cpp)
set_source_files_properties(${svi_kernel_sources} PROPERTIES
  SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "-O3;-ffp-contract=fast;-Wno-psabi")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_definitions(svi_models PRIVATE SVI_X86_KERNELS)
  set_property(SOURCE ${PROJECT_SOURCE_DIR}/src/models/lda_kernel_avx512.cpp APPEND PROPERTY COMPILE_OPTIONS
    -mavx512f -mavx512vl -mavx512dq -mavx512bw -mfma -mprefer-vector-width=512)
  set_property(SOURCE ${PROJECT_SOURCE_DIR}/src/models/lda_kernel_avx2.cpp APPEND PROPERTY COMPILE_OPTIONS
    -mavx2 -mfma)
else()
  list(REMOVE_ITEM svi_kernel_sources ${PROJECT_SOURCE_DIR}/src/models/lda_kernel_portable.cpp)
  set_property(SOURCE ${svi_kernel_sources} PROPERTY HEADER_FILE_ONLY ON)  # not compiled
endif()
