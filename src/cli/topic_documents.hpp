#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "svi/data/data_file.hpp"
#include "svi/models/model.hpp"
#include "svi/trainer/trained_model.hpp"

namespace svi::cli {

/// What a pass over documents met.
struct DocumentsCensus {
  double tokens = 0;
  double unknown_tokens = 0;  ///< of words that the model has not
  double without_words = 0;   ///< documents none of whose words the model has; their θ is the prior's
  double iterations = 0;      ///< of E-steps
  double seconds = 0;         ///< of fitting, without reading and writing
};

/// The documents of a file as a topic model sees them: its own words, matched by name. **Local.**
///
/// θ follows from the document's words and the model, to the bit: neither other documents, nor its row, nor
/// ranks matter. It is the θ of whole documents in an evaluation.
class TopicDocuments {
 public:
  /// @param trained must outlive it @param key where the file was named, for messages
  /// @throws Error (usage) when the model has no topics, (bad_data) when the file has no word counts, names a
  /// word twice, or has none of the model's words
  TopicDocuments(const trainer::TrainedModel& trained, data::DataFile file, const char* key);

  const data::DataFacts& facts() const { return file_.facts(); }
  std::int64_t topics() const { return topics_; }
  std::int64_t known_words() const { return known_words_; }

  /// θ of rows [first, last): [last − first, K] float32. Counts them. @throws Error (bad_data)
  Tensor theta(std::int64_t first, std::int64_t last);
  /// How many tokens the model knows in each of the rows last given to `theta`.
  const std::vector<double>& lengths() const { return lengths_; }
  const DocumentsCensus& census() const { return census_; }

 private:
  const trainer::TrainedModel& trained_;
  TopicModel& model_;
  data::DataFile file_;
  std::int64_t topics_;
  std::int64_t known_words_ = 0;
  std::vector<std::int32_t> numbers_;  // the model's number of each word of the file, or −1
  std::vector<double> lengths_;
  DocumentsCensus census_;
};

}  // namespace svi::cli
