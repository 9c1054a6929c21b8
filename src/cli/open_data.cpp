#include "svi/cli/open_data.hpp"

namespace svi::cli {

data::DataFile open_data(const std::string& path) {
  data::open_in_child(path);
  return data::DataFile(path);
}

void try_data(const trainer::Settings& settings) {
  const trainer::DataOptions& options = settings.data;
  for (const std::string& path : {options.train, options.validation, options.test, settings.evaluation.coherence_data}) {
    if (!path.empty()) data::open_in_child(path);
  }
}

}  // namespace svi::cli
