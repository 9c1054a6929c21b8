# `cmake --install build --prefix DIR` gives a tree that runs from any folder. LibTorch stays where it was
# found: the programs look beside themselves first (DIR/lib), then there.
get_filename_component(svi_torch_libraries ${LibTorchCpu_LIBRARY} DIRECTORY)
foreach(program svi-train svi-data svi-infer)
  if(TARGET ${program})
    set_target_properties(${program} PROPERTIES
      INSTALL_RPATH "$ORIGIN/../lib;${svi_torch_libraries}" INSTALL_RPATH_USE_LINK_PATH ON)
    install(TARGETS ${program} RUNTIME DESTINATION bin)
  endif()
endforeach()
install(DIRECTORY configs docs DESTINATION share/svi-train)
install(FILES LICENSE README.md DESTINATION share/svi-train OPTIONAL)
install(FILES launch/svi-train.sbatch launch/environment.sh DESTINATION share/svi-train/launch OPTIONAL)
