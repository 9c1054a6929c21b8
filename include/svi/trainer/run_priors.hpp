#pragma once

#include <string>
#include <vector>

#include "svi/core/word_prior.hpp"
#include "svi/data/data_file.hpp"
#include "svi/models/registry.hpp"

namespace svi::trainer {

/// The priors of words that a run's model asks for (model.prior_file); of most models none.
struct RunPriors {
  std::vector<WordPrior> list;
  std::string warning;  ///< of words that the training data have not; empty: there are none

  /// Names the list, so that ranks can compare theirs.
  std::string digest() const;
};

/// @throws Error (missing_input, bad_data) naming key, file and line. **Local.**
RunPriors read_priors(const ModelOptions& options, const data::DataFacts& training);

}  // namespace svi::trainer
