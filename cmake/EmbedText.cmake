# svi_embed_text(FILE NAME): the file's text as the constant svi::cli::NAME of the generated header
# svi/cli/NAME.hpp, so that what a program prints and what lies in the tree are one thing.
function(svi_embed_text file name)
  set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/include/svi/cli/${name}.hpp @ONLY CONTENT
[[#pragma once

#include <string_view>

namespace svi::cli {

inline constexpr std::string_view @name@ = R"text(@text@)text";

}  // namespace svi::cli
]])
endfunction()

svi_embed_text(${PROJECT_SOURCE_DIR}/launch/svi-train.sbatch sbatch_template)
