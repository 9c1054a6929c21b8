#include "svi/data/same_columns.hpp"

#include <fmt/ranges.h>

#include "svi/base/error.hpp"

namespace svi::data {

void require_layout(const DataFacts& facts, bool counts, const char* key) {
  if ((facts.layout == Layout::counts) == counts) return;
  if (counts) {
    throw Error(
        ExitCode::bad_data,
        "{}: {} holds dense rows, but this model needs word counts; of an AnnData make X sparse first: "
        "a.X = scipy.sparse.csr_matrix(a.X)",
        key, facts.path);
  }
  throw Error(
      ExitCode::bad_data,
      "{}: {} holds word counts, but this model needs dense rows; for a vae on counts set model.likelihood: "
      "poisson, negative_binomial or zero_inflated_negative_binomial",
      key, facts.path);
}

void require_same_columns(const DataFacts& training, const DataFacts& other, const char* key) {
  if (training.feature_shape != other.feature_shape) {
    throw Error(ExitCode::bad_data, "{}: rows of {} have the shape [{}], but those of {} have [{}]", key,
                other.path, fmt::join(other.feature_shape, ", "), training.path,
                fmt::join(training.feature_shape, ", "));
  }
  for (std::size_t v = 0; v < training.vocabulary.size() && v < other.vocabulary.size(); ++v) {
    if (training.vocabulary[v] == other.vocabulary[v]) continue;
    throw Error(ExitCode::bad_data,
                "{}: word {} of {} is \"{}\", but in {} it is \"{}\"; both need one vocabulary", key, v,
                other.path, other.vocabulary[v], training.path, training.vocabulary[v]);
  }
}

}  // namespace svi::data
