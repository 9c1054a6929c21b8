# Finds the CPU half of any LibTorch: PyPI's CPU wheel, its CUDA wheel, or the C++ archive.
#
# Torch's own package file stops where it was built for CUDA and no matching toolkit is found, though the
# CPU libraries work without one. Searched: CMAKE_PREFIX_PATH, then the virtual environment .venv.
# Defines the target svi_torch.
foreach(found LibTorchCpu_INCLUDE_DIR LibTorchCpu_LIBRARY LibTorchCpu_C10_LIBRARY)
  if(NOT EXISTS "${${found}}")  # the virtual environment has been made anew since
    unset(${found} CACHE)
  endif()
endforeach()
file(GLOB svi_torch_venv ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)
find_path(LibTorchCpu_INCLUDE_DIR ATen/ATen.h
  HINTS ${svi_torch_venv} PATH_SUFFIXES include)
get_filename_component(svi_torch_root "${LibTorchCpu_INCLUDE_DIR}" DIRECTORY)
find_library(LibTorchCpu_LIBRARY torch_cpu HINTS ${svi_torch_root}/lib NO_DEFAULT_PATH)
find_library(LibTorchCpu_C10_LIBRARY c10 HINTS ${svi_torch_root}/lib NO_DEFAULT_PATH)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorchCpu
  REQUIRED_VARS LibTorchCpu_LIBRARY LibTorchCpu_C10_LIBRARY LibTorchCpu_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run launch/setup.sh, or give the folder of an existing one in CMAKE_PREFIX_PATH")

if(LibTorchCpu_FOUND AND NOT TARGET svi_torch)
  add_library(svi_torch INTERFACE)
  target_include_directories(svi_torch SYSTEM INTERFACE
    ${LibTorchCpu_INCLUDE_DIR} ${LibTorchCpu_INCLUDE_DIR}/torch/csrc/api/include)
  target_link_libraries(svi_torch INTERFACE ${LibTorchCpu_LIBRARY} ${LibTorchCpu_C10_LIBRARY})
  target_compile_definitions(svi_torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
endif()
