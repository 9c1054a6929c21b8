#include "svi/cli/open_data.hpp"

namespace svi::cli {

data::DataFile open_data(const std::string& path) {
  data::open_in_child(path);
  return data::DataFile(path);
}

void try_data(const trainer::DataOptions& options) {
  for (const std::string& path : {options.train, options.validation, options.test}) {
    if (!path.empty()) data::open_in_child(path);
  }
}

}  // namespace svi::cli
