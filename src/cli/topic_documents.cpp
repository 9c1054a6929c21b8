#include "topic_documents.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "svi/base/error.hpp"
#include "svi/base/stopwatch.hpp"
#include "svi/cli/infer.hpp"
#include "svi/data/match_words.hpp"
#include "svi/data/same_columns.hpp"

namespace svi::cli {

TopicDocuments::TopicDocuments(const trainer::TrainedModel& trained, data::DataFile file, const char* key)
    : trained_(trained),
      model_(topic_model_of(trained)),
      file_(std::move(file)),
      topics_(model_.topic_shares(trained.parameters()).numel()) {
  data::require_layout(facts(), true, key);
  const std::vector<std::string>& vocabulary = trained.checkpoint.facts.vocabulary;
  numbers_ = data::match_words(facts().vocabulary, vocabulary, facts().path);
  known_words_ = std::ssize(numbers_) - std::count(numbers_.begin(), numbers_.end(), -1);
  if (known_words_ > 0) return;
  throw Error(ExitCode::bad_data,
              "{}: {}: none of its {} words (\"{}\", …) is among the {} of {} (\"{}\", …); make it as the "
              "training data were made",
              key, facts().path, facts().columns, facts().vocabulary.front(), vocabulary.size(), trained.path,
              vocabulary.front());
}

Tensor TopicDocuments::theta(std::int64_t first, std::int64_t last) {
  const auto total = [](const CountRows& rows) {
    return std::accumulate(rows.counts.begin(), rows.counts.end(), 0.0);
  };
  const auto rows = std::get<CountRows>(file_.read(first, last));
  Minibatch minibatch{.ids = std::vector<std::int64_t>(static_cast<std::size_t>(last - first))};
  const CountRows known = data::renumbered(rows, numbers_);
  lengths_.clear();
  for (std::size_t row = 0; row + 1 < known.starts.size(); ++row) {
    lengths_.push_back(std::accumulate(known.counts.begin() + known.starts[row],
                                       known.counts.begin() + known.starts[row + 1], 0.0));
    census_.without_words += lengths_.back() == 0;
  }
  census_.tokens += total(rows);
  census_.unknown_tokens += total(rows) - total(known);
  minibatch.rows = known;
  const Stopwatch stopwatch;
  DocumentTopics fitted = model_.document_topics(trained_.parameters(), minibatch);
  census_.seconds += stopwatch.seconds();
  census_.iterations += static_cast<double>(fitted.iterations);
  return std::move(fitted.theta);
}

}  // namespace svi::cli
