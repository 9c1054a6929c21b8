# Arithmetic of documents and matrix products is compiled once for each kind of x86 processor and picked when the program
# starts. Only these files may use the wider instructions, so they share no precompiled header with others.
set(svi_portable_kernels src/models/lda_kernel_portable.cpp src/models/matrix_kernel_portable.cpp)
set(svi_avx2_kernels src/models/lda_kernel_avx2.cpp src/models/matrix_kernel_avx2.cpp)
set(svi_avx512_kernels src/models/lda_kernel_avx512.cpp src/models/matrix_kernel_avx512.cpp
  src/models/matrix_kernel_avx512_bfloat16.cpp)
set_source_files_properties(${svi_portable_kernels} ${svi_avx2_kernels} ${svi_avx512_kernels} PROPERTIES
  SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "-O3;-ffp-contract=fast;-Wno-psabi")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_definitions(svi_models PRIVATE SVI_X86_KERNELS)
  set_property(SOURCE ${svi_avx512_kernels} APPEND PROPERTY COMPILE_OPTIONS
    -mavx512f -mavx512vl -mavx512dq -mavx512bw -mfma -mprefer-vector-width=512)
  set_property(SOURCE src/models/matrix_kernel_avx512_bfloat16.cpp APPEND PROPERTY COMPILE_OPTIONS -mavx512bf16)
  set_property(SOURCE ${svi_avx2_kernels} APPEND PROPERTY COMPILE_OPTIONS -mavx2 -mfma)
else()
  set_property(SOURCE ${svi_avx2_kernels} ${svi_avx512_kernels} PROPERTY HEADER_FILE_ONLY ON)  # not compiled
endif()
