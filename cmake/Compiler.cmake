# What every target is compiled with.
add_library(svi_flags INTERFACE)
target_compile_options(svi_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror
  -Wno-missing-field-initializers  # designated initializers leave members at their defaults on purpose
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # false alarms inside std::string (GCC bug 105651)
  # None of these changes a result: loops marked `omp simd` vectorise, and sqrt needs no errno call.
  -fopenmp-simd -fno-math-errno -fno-trapping-math)
target_include_directories(svi_flags INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>)
if(SVI_SANITIZE)
  target_compile_options(svi_flags INTERFACE -fsanitize=${SVI_SANITIZE} -fno-omit-frame-pointer -g)
  target_compile_definitions(svi_flags INTERFACE SVI_SANITIZE)
  add_library(svi_sanitizer_defaults OBJECT tests/sanitizers/defaults.cpp)
  target_link_libraries(svi_flags INTERFACE $<TARGET_OBJECTS:svi_sanitizer_defaults>)
  target_link_options(svi_flags INTERFACE -fsanitize=${SVI_SANITIZE} -Wl,--export-dynamic-symbol=dlclose)
endif()

find_program(SVI_CCACHE ccache)
if(SVI_CCACHE)
  # The sloppiness is what ccache's manual asks for with precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${SVI_CCACHE})
  add_compile_options(-fpch-preprocess)
endif()
