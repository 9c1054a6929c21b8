#include "svi/trainer/training_data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <filesystem>
#include <numeric>

#include "svi/base/error.hpp"
#include "svi/base/sha256.hpp"

namespace svi::trainer {

namespace {

// The first thing that a newcomer's run lacks is its data.
void require_file(const std::string& path, const char* key) {
  if (std::filesystem::exists(path)) return;
  throw Error(ExitCode::missing_input,
              "{}: there is no file {}; get public data with svi-data fetch, or make it of your own with "
              "svi-data import",
              key, path);
}

void require_layout(const data::DataFacts& facts, bool counts, const char* key) {
  if ((facts.layout == data::Layout::counts) == counts) return;
  throw Error(ExitCode::bad_data, "{}: {} holds {}, but this model.type needs {}", key, facts.path,
              counts ? "dense rows" : "word counts", counts ? "word counts" : "dense rows");
}

// Evaluation data must have the training data's columns, for counts word by word.
void require_same_columns(const data::DataFacts& training, const data::DataFacts& other, const char* key) {
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

std::vector<std::int64_t> all_rows(std::int64_t rows) {
  std::vector<std::int64_t> list(static_cast<std::size_t>(rows));
  std::iota(list.begin(), list.end(), std::int64_t{0});
  return list;
}

// The rank's part of some rows of a file, cut as the training rows are.
std::vector<std::int64_t> share(const std::vector<std::int64_t>& rows, std::int64_t shards,
                                comm::Communicator& communicator) {
  const data::Partition partition(rows, shards, communicator.size(), nullptr);
  const auto mine = partition.rows_of(communicator.rank());
  return {mine.begin(), mine.end()};
}

}  // namespace

TrainingData::TrainingData(const Settings& settings, bool counts, comm::Communicator& communicator,
                           bool with_rows)
    : split_seed_(static_cast<std::uint64_t>(settings.data.split_seed)), rank_(communicator.rank()) {
  std::unique_ptr<data::DataFile> file;
  comm::together(communicator, "opening the data", [&] {
    require_file(settings.data.train, "data.train");
    file = std::make_unique<data::DataFile>(settings.data.train);
    facts_ = file->facts();
    require_layout(facts_, counts, "data.train");
    data::HeldOutSplit split = data::split_rows(facts_.rows, settings.data.validation_fraction, split_seed_);
    held_out_rows_ = std::move(split.held_out);
    validation_rows_ = std::ssize(held_out_rows_);
    const auto weights = [&](std::span<const std::int64_t> rows) { return file->entries_before(rows); };
    partition_ = std::make_unique<data::Partition>(std::move(split.training), settings.data.shards,
                                                   communicator.size(), weights);
    sampler_ = std::make_unique<data::Sampler>(*partition_, settings.train.batch,
                                               static_cast<std::uint64_t>(settings.run.seed));
  });
  comm::require_same(communicator, "the training data (data.train)", facts_.fingerprint);
  if (with_rows) {
    comm::together(communicator, "reading the data", [&] { read_local(settings, *file, communicator); });
  }
  agree_on_digest(communicator);
}

void TrainingData::read_local(const Settings& settings, const data::DataFile& file,
                              comm::Communicator& communicator) {
  training_ = data::LocalRows(file, partition_->rows_of(rank_));
  if (!held_out_rows_.empty()) {
    validation_ = data::LocalRows(file, share(held_out_rows_, settings.data.shards, communicator));
  }
  const auto read_other = [&](const std::string& path, const char* key, data::LocalRows& rows,
                              std::int64_t& total) {
    if (path.empty()) return;
    require_file(path, key);
    const data::DataFile other(path);
    require_layout(other.facts(), facts_.layout == data::Layout::counts, key);
    require_same_columns(facts_, other.facts(), key);
    rows = data::LocalRows(other, share(all_rows(other.facts().rows), settings.data.shards, communicator));
    total = other.facts().rows;
  };
  read_other(settings.data.validation, "data.validation", validation_, validation_rows_);
  read_other(settings.data.test, "data.test", test_, test_rows_);
}

void TrainingData::agree_on_digest(comm::Communicator& communicator) {
  std::vector<std::uint64_t> lanes(9, 0);
  for (std::size_t i = 0; i < 4; ++i) {
    lanes[i] = training_.digest_lanes()[i];
    lanes[4 + i] = validation_.digest_lanes()[i];
  }
  lanes[8] = static_cast<std::uint64_t>(training_.empty_rows());
  communicator.control()
      .all_reduce(comm::buffer_of(std::span(lanes)), comm::ReduceOperation::sum, "data digest")
      ->wait();
  empty_rows_ = static_cast<std::int64_t>(lanes[8]);
  Sha256 digest;
  digest.add_text(facts_.fingerprint);
  for (std::size_t i = 0; i < 8; ++i) digest.add_integer(lanes[i]);
  digest_ = digest.finish_hex();
}

Minibatch TrainingData::minibatch(std::int64_t step) {
  const auto [first, last] = partition_->shards_of(rank_);
  return training_.gather(sampler_->rows(step, first, last), step);
}

DataShape TrainingData::shape() const {
  return {
      .training_rows = partition_->rows(), .feature_shape = facts_.feature_shape, .split_seed = split_seed_};
}

}  // namespace svi::trainer
