svi_test(architecture SOURCES architecture/architecture_test.cpp LIBRARIES svi_flags)

# Each public header compiles alone, and twice. Without optimisation or precompiled header: about a second each.
file(GLOB public_headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/include
  ${PROJECT_SOURCE_DIR}/include/svi/*/*.hpp)
set(lone_headers "")
foreach(header ${public_headers})
  string(MAKE_C_IDENTIFIER ${header} name)
  set(source ${PROJECT_BINARY_DIR}/headers_alone/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"@header@\"\n#include \"@header@\"\n" @ONLY)
  list(APPEND lone_headers ${source})
endforeach()
add_library(svi_headers_alone OBJECT ${lone_headers})
target_compile_options(svi_headers_alone PRIVATE -O0 -g0)
target_link_libraries(svi_headers_alone PRIVATE svi_cli)
add_dependencies(test_architecture svi_headers_alone)
