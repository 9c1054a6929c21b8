#include "svi/trainer/training_data.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <numeric>

#include "svi/base/error.hpp"
#include "svi/base/sha256.hpp"
#include "svi/base/units.hpp"
#include "svi/data/label_split.hpp"
#include "svi/data/match_words.hpp"
#include "svi/data/same_columns.hpp"

namespace svi::trainer {

namespace {

// The first thing that a newcomer's run lacks is its data.
void require_file(const std::string& path, const char* key) {
  std::error_code problem;
  if (std::filesystem::exists(path, problem)) return;
  if (problem) throw Error(ExitCode::missing_input, "{}: cannot reach {}: {}", key, path, problem.message());
  throw Error(ExitCode::missing_input,
              "{}: there is no file {}; get public data with svi-data fetch, or make it of your own with "
              "svi-data import",
              key, path);
}

std::shared_ptr<data::DataFile> open(const std::string& path, const char* key) {
  require_file(path, key);
  return std::make_shared<data::DataFile>(path);
}

// Data to evaluate on, which must go with the training data; null without a path.
std::shared_ptr<data::DataFile> open_beside(const data::DataFacts& training, const std::string& path,
                                            const char* key) {
  if (path.empty()) return nullptr;
  auto file = open(path, key);
  data::require_layout(file->facts(), training.layout == data::Layout::counts, key);
  data::require_same_columns(training, file->facts(), key);
  return file;
}

void require_labels(const data::DataFacts& facts, const char* key) {
  if (facts.has_labels) return;
  throw Error(
      ExitCode::bad_data,
      "{}: {} has no labels (y [N]), which the model needs; svi-data import idx takes them with --labels",
      key, facts.path);
}

// By how many labels are met the best checkpoint is chosen, and a run's patience goes.
void require_known_labels(const data::DataFile& file, const std::vector<std::int64_t>& rows,
                          const char* key) {
  if (rows.empty()) return;
  const std::vector<std::int64_t> labels = file.read_labels();
  const auto is_known = [&](std::int64_t row) { return labels[static_cast<std::size_t>(row)] >= 0; };
  if (std::ranges::any_of(rows, is_known)) return;
  throw Error(ExitCode::bad_data,
              "{}: {}: none of the {} validation rows has a label (y, 0 or more), by which the best "
              "checkpoint is to be chosen; give some of them labels, or leave out {}",
              key, file.facts().path, count_text(std::ssize(rows)), key);
}

void require_one_stratum(bool is_one) {
  if (is_one) return;
  throw Error(
      ExitCode::bad_config,
      "data.shuffle: windowed does not go with rows of which some have labels and others don't; use full");
}

// N_h/S_h of a step.
double weight_in(const data::Sampler& sampler, const data::Partition& partition, std::int64_t step) {
  return static_cast<double>(partition.rows()) / static_cast<double>(sampler.global_rows(step));
}

constexpr const char* reference_key = "evaluation.coherence_data";

// The training data's number of each word of another corpus, which must have them all.
std::vector<std::int32_t> words_in_training(const data::DataFacts& training,
                                            const data::DataFacts& reference) {
  data::require_layout(reference, /*counts=*/true, reference_key);
  std::vector<std::int32_t> numbers =
      data::match_words(reference.vocabulary, training.vocabulary, reference_key);
  std::vector<bool> is_there(training.vocabulary.size());
  for (const std::int32_t number : numbers) {
    if (number >= 0) is_there[static_cast<std::size_t>(number)] = true;
  }
  const auto missing = std::count(is_there.begin(), is_there.end(), false);
  if (missing == 0) return numbers;
  const auto first = std::find(is_there.begin(), is_there.end(), false) - is_there.begin();
  throw Error(ExitCode::bad_data,
              "{}: {} lacks {} of the {} words of {}, the first of them \"{}\"; name a corpus that has every "
              "word of the training data",
              reference_key, reference.path, missing, is_there.size(), training.path,
              training.vocabulary[static_cast<std::size_t>(first)]);
}

std::vector<std::int64_t> all_rows(const data::DataFile& file) {
  std::vector<std::int64_t> list(static_cast<std::size_t>(file.facts().rows));
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

data::LocalRows rows_within_limit(const std::shared_ptr<const data::DataFile>& file,
                                  std::span<const std::int64_t> rows, const DataOptions& options) {
  const std::int64_t limit = memory_limit_bytes(options).value_or(0);
  const bool fits = limit == 0 || file->bytes_of(rows) <= limit;
  return fits ? data::LocalRows(*file, rows) : data::LocalRows::in_file(file, rows);
}

TrainingData::TrainingData(const Settings& settings, bool counts, comm::Communicator& communicator,
                           RowUse use)
    : split_seed_(static_cast<std::uint64_t>(settings.data.split_seed)),
      completion_(completion_named(settings.evaluation.completion)),
      rank_(communicator.rank()) {
  std::shared_ptr<data::DataFile> file;
  std::shared_ptr<data::DataFile> validation;
  std::shared_ptr<data::DataFile> test;
  std::shared_ptr<data::DataFile> reference;
  std::vector<std::int32_t> reference_words;
  std::vector<std::int64_t> held_out;  // rows of the training file
  comm::together(communicator, "opening the data", [&] {
    file = open(settings.data.train, "data.train");
    facts_ = file->facts();
    data::require_layout(facts_, counts, "data.train");
    data::HeldOutSplit split = data::split_rows(facts_.rows, settings.data.validation_fraction, split_seed_);
    held_out = std::move(split.held_out);
    validation_rows_ = std::ssize(held_out);
    make_strata(*file, std::move(split.training), settings, communicator.size());
    choose_memory(*file, settings, use);
    validation = open_beside(facts_, settings.data.validation, "data.validation");
    test = open_beside(facts_, settings.data.test, "data.test");
    if (validation) validation_rows_ = validation->facts().rows;
    if (test) test_rows_ = test->facts().rows;
    if (settings.model->learns_labels()) {
      if (validation) require_labels(validation->facts(), "data.validation");
      require_known_labels(validation ? *validation : *file, validation ? all_rows(*validation) : held_out,
                           validation ? "data.validation" : "data.validation.fraction");
      if (test) require_labels(test->facts(), "data.test");
    }
    has_reference_ = !settings.evaluation.coherence_data.empty();
    if (!has_reference_) return;
    reference = open(settings.evaluation.coherence_data, reference_key);
    reference_words = words_in_training(facts_, reference->facts());
  });
  comm::require_same(communicator, "the reference corpus (evaluation.coherence_data)",
                     reference ? reference->facts().fingerprint : std::string());
  comm::require_same(communicator, "the training data (data.train)", facts_.fingerprint);
  if (use != RowUse::none) {
    comm::together(communicator, "reading the data", [&] {
      const auto read = [&](const std::shared_ptr<data::DataFile>& source,
                            std::span<const std::int64_t> rows) {
        return rows_within_limit(source, rows, settings.data);
      };
      const auto share_of = [&](const std::vector<std::int64_t>& rows) {
        return share(rows, settings.data.shards, communicator);
      };
      training_ = read(file, file_rows_of(rank_));
      if (settings.model->learns_labels()) training_.hide_labels_but(labelled_);
      validation_ =
          validation ? read(validation, share_of(all_rows(*validation))) : read(file, share_of(held_out));
      if (test) test_ = read(test, share_of(all_rows(*test)));
      if (!reference) return;
      reference_ = data::LocalRows(*reference, share_of(all_rows(*reference)));
      reference_.renumber(reference_words);
    });
  }
  agree_on_digest(communicator, use);
  if (use != RowUse::training || !is_streamed_) return;
  const auto [first, last] = partition_->shards_of(rank_);
  stream_ = std::make_unique<data::RowStream>(file, *windows_, first, last);
}

// The rows cut into shards: where some have labels and others don't, each kind for itself.
void TrainingData::make_strata(const data::DataFile& file, std::vector<std::int64_t> rows,
                               const Settings& settings, std::int64_t ranks) {
  const auto seed = static_cast<std::uint64_t>(settings.run.seed);
  const std::int64_t shards = settings.data.shards;
  training_rows_ = std::ssize(rows);
  if (settings.model->learns_labels()) {
    require_labels(file.facts(), "data.train");
    data::LabelSplit split = data::split_by_label(rows, file.read_labels(), settings.data.labels, seed);
    labelled_ = std::move(split.labelled);
    labelled_rows_ = std::ssize(labelled_);
    labelled_classes_ = split.classes;
    if (!split.unlabelled.empty()) {
      rows = std::move(split.unlabelled);
      labelled_partition_ = std::make_unique<data::Partition>(labelled_, shards, ranks, nullptr);
      labelled_sampler_ = std::make_unique<data::Sampler>(*labelled_partition_, settings.train.labelled_batch,
                                                          seed, nullptr, /*stratum=*/1);
    }
  }
  const auto weights = [&](std::span<const std::int64_t> some) { return file.entries_before(some); };
  partition_ = std::make_unique<data::Partition>(std::move(rows), shards, ranks, weights);
  if (settings.data.shuffle == "windowed") {
    require_one_stratum(labelled_sampler_ == nullptr);
    windows_ = std::make_unique<data::WindowedOrder>(*partition_, seed, settings.data.window_rows);
  }
  sampler_ = std::make_unique<data::Sampler>(*partition_, settings.train.batch, seed, windows_.get());
}

std::vector<std::int64_t> TrainingData::file_rows_of(std::int64_t rank) const {
  const auto others = partition_->rows_of(rank);
  std::vector<std::int64_t> rows(others.begin(), others.end());
  if (labelled_partition_) {
    const auto labelled = labelled_partition_->rows_of(rank);
    rows.insert(rows.end(), labelled.begin(), labelled.end());
    std::ranges::inplace_merge(rows, rows.begin() + std::ssize(others));
  }
  return rows;
}

std::int64_t TrainingData::batch(const TrainOptions& train) const {
  const std::int64_t most = std::min(train.batch, partition_->rows());
  return labelled_sampler_ ? most + std::min(train.labelled_batch, labelled_rows_) : most;
}

std::int64_t TrainingData::local_batch(const TrainOptions& train, std::int64_t ranks) const {
  return (batch(train) + ranks - 1) / ranks;
}

// Whether this rank's training rows fit into data.memory_limit, or how much of them streams at a time.
void TrainingData::choose_memory(const data::DataFile& file, const Settings& settings, RowUse use) {
  const std::vector<std::int64_t> mine = file_rows_of(rank_);
  const std::int64_t limit = memory_limit_bytes(settings.data).value_or(0);
  training_bytes_ = file.bytes_of(mine);
  is_streamed_ = limit > 0 && training_bytes_ > limit;
  if (!is_streamed_ || use == RowUse::passes) return;
  const auto text = [](std::int64_t bytes) { return bytes_text(static_cast<double>(bytes)); };
  if (labelled_sampler_) {
    throw Error(ExitCode::bad_config,
                "the {} training rows of rank {} take {}, more than data.memory_limit: {}, and labelled and "
                "unlabelled rows do not stream; raise the limit, or start more ranks",
                count_text(std::ssize(mine)), rank_, text(training_bytes_), settings.data.memory_limit);
  }
  if (!windows_) {
    throw Error(ExitCode::bad_config,
                "the {} training rows of rank {} take {}, more than data.memory_limit: {}; set data.shuffle: "
                "windowed, which streams them from the file, raise the limit, or start more ranks",
                count_text(std::ssize(mine)), rank_, text(training_bytes_), settings.data.memory_limit);
  }
  const auto [first, last] = partition_->shards_of(rank_);
  training_bytes_ = data::RowStream::most_bytes(file, *windows_, first, last, settings.train.batch);
  if (training_bytes_ <= limit) return;
  throw Error(
      ExitCode::bad_config,
      "windows of {} rows of each of the {} shards of rank {} take up to {}, more than data.memory_limit: "
      "{}; lower data.window_rows or data.shards (which makes it another run), raise the limit, or start "
      "more "
      "ranks",
      count_text(settings.data.window_rows), last - first, rank_, text(training_bytes_),
      settings.data.memory_limit);
}

void TrainingData::agree_on_digest(comm::Communicator& communicator, RowUse use) {
  std::vector<std::uint64_t> lanes(10, 0);
  for (std::size_t i = 0; i < 4; ++i) {
    lanes[i] = training_.digest_lanes()[i];
    lanes[4 + i] = validation_.digest_lanes()[i];
  }
  lanes[8] = static_cast<std::uint64_t>(training_.empty_rows());
  lanes[9] = static_cast<std::uint64_t>(training_.tokens());
  communicator.control()
      .all_reduce(comm::buffer_of(std::span(lanes)), comm::ReduceOperation::sum, "data digest")
      ->wait();
  empty_rows_ = static_cast<std::int64_t>(lanes[8]);
  if (use != RowUse::none && facts_.layout == data::Layout::counts && lanes[9] == 0) {
    throw AgreedError(ExitCode::bad_data,
                      "data.train: {}: all of its counts are zero; there is nothing to learn", facts_.path);
  }
  Sha256 digest;
  digest.add_text(facts_.fingerprint);
  for (std::size_t i = 0; i < 8; ++i) digest.add_integer(lanes[i]);
  digest_ = digest.finish_hex();
}

Minibatch TrainingData::minibatch(std::int64_t step) {
  const auto [first, last] = partition_->shards_of(rank_);
  if (stream_) return stream_->take(sampler_->places(step, first, last), step);
  std::vector<std::int64_t> rows = sampler_->rows(step, first, last);
  if (!labelled_sampler_) return training_.gather(rows, step);
  const std::size_t others = rows.size();
  const auto [first_labelled, last_labelled] = labelled_partition_->shards_of(rank_);
  const std::vector<std::int64_t> labelled = labelled_sampler_->rows(step, first_labelled, last_labelled);
  rows.insert(rows.end(), labelled.begin(), labelled.end());
  Minibatch minibatch = training_.gather(rows, step);
  minibatch.weights.assign(others, weight_in(*sampler_, *partition_, step));
  minibatch.weights.resize(rows.size(), weight_in(*labelled_sampler_, *labelled_partition_, step));
  return minibatch;
}

DataShape TrainingData::shape() const {
  return {.training_rows = training_rows_,
          .feature_shape = facts_.feature_shape,
          .labelled_rows = labelled_rows_,
          .labelled_classes = labelled_classes_,
          .split_seed = split_seed_,
          .completion = completion_};
}

}  // namespace svi::trainer
