#include "svi/data/completion_files.hpp"

#include <ATen/ATen.h>

#include <filesystem>
#include <span>
#include <utility>

#include "svi/base/error.hpp"
#include "svi/core/completion.hpp"
#include "svi/data/data_file.hpp"
#include "svi/data/partition.hpp"

namespace svi::data {

namespace {

CountRows chosen(const CountRows& rows, const std::vector<std::int64_t>& numbers) {
  CountRows result;
  for (const std::int64_t number : numbers) {
    const auto row = static_cast<std::size_t>(number);
    const auto first = rows.starts[row];
    const auto last = rows.starts[row + 1];
    result.words.insert(result.words.end(), rows.words.begin() + first, rows.words.begin() + last);
    result.counts.insert(result.counts.end(), rows.counts.begin() + first, rows.counts.begin() + last);
    result.starts.push_back(static_cast<std::int64_t>(result.words.size()));
  }
  return result;
}

DenseRows chosen(const DenseRows& rows, const std::vector<std::int64_t>& numbers) {
  const at::Tensor places = at::tensor(numbers, at::kLong);
  DenseRows result{.features = rows.features.index_select(0, places)};
  if (rows.labels.defined()) result.labels = rows.labels.index_select(0, places);
  return result;
}

// How documents are cut in two.
struct Cut {
  Completion completion;
  std::uint64_t split_seed;
};

// The observed and the predicted half of documents with the given numbers.
std::pair<CountRows, CountRows> halves_of(const CountRows& rows, const std::vector<std::int64_t>& numbers,
                                          const Cut& cut) {
  std::pair<CountRows, CountRows> halves;
  const auto add = [](CountRows& half, std::int32_t word, std::int64_t count) {
    if (count == 0) return;
    half.words.push_back(word);
    half.counts.push_back(static_cast<float>(count));
  };
  for (std::size_t row = 0; row < numbers.size(); ++row) {
    const auto first = static_cast<std::size_t>(rows.starts[row]);
    const auto size = static_cast<std::size_t>(rows.starts[row + 1]) - first;
    const auto words = std::span(rows.words).subspan(first, size);
    const auto counts = std::span(rows.counts).subspan(first, size);
    const auto observed = observed_half(cut.completion, cut.split_seed, numbers[row], words, counts);
    for (std::size_t i = 0; i < size; ++i) {
      add(halves.first, words[i], observed[i]);
      add(halves.second, words[i], static_cast<std::int64_t>(counts[i]) - observed[i]);
    }
    for (CountRows* half : {&halves.first, &halves.second}) {
      half->starts.push_back(static_cast<std::int64_t>(half->words.size()));
    }
  }
  return halves;
}

std::vector<std::string> texts_of(const std::vector<std::int64_t>& numbers) {
  std::vector<std::string> texts;
  for (const std::int64_t number : numbers) texts.push_back(std::to_string(number));
  return texts;
}

std::vector<SplitFile> write(const CountRows& rows, const DataFacts& facts, const HeldOutSplit& split,
                             const Cut& cut, const std::string& directory) {
  std::vector<SplitFile> written;
  const auto put = [&](const char* name, const CountRows& part, const std::vector<std::int64_t>& numbers) {
    written.push_back({directory + "/" + name, part.rows()});
    write_counts(written.back().path, part, facts.vocabulary, texts_of(numbers));
  };
  const CountRows held_out = chosen(rows, split.held_out);
  const auto [observed, predicted] = halves_of(held_out, split.held_out, cut);
  put("train.h5", chosen(rows, split.training), split.training);
  put("validation.h5", held_out, split.held_out);
  put("validation-observed.h5", observed, split.held_out);
  put("validation-predicted.h5", predicted, split.held_out);
  return written;
}

std::vector<SplitFile> write(const DenseRows& rows, const DataFacts& facts, const HeldOutSplit& split,
                             const Cut&, const std::string& directory) {
  std::vector<SplitFile> written;
  const auto put = [&](const char* name, const DenseRows& part) {
    written.push_back({directory + "/" + name, part.rows()});
    write_dense(written.back().path, part, facts.feature_shape);
  };
  put("train.h5", chosen(rows, split.training));
  put("validation.h5", chosen(rows, split.held_out));
  return written;
}

}  // namespace

std::vector<SplitFile> write_split(const std::string& path, double fraction, std::uint64_t split_seed,
                                   const std::string& directory, Completion completion) {
  const DataFile file(path);
  const DataFacts& facts = file.facts();
  const HeldOutSplit split = split_rows(facts.rows, fraction, split_seed);
  if (split.training.empty() || split.held_out.empty()) {
    throw Error(ExitCode::bad_data, "{}: of {} rows a fraction of {} holds out {}: both sides need a row",
                path, facts.rows, fraction, split.held_out.size());
  }
  std::error_code problem;
  std::filesystem::create_directories(directory, problem);
  if (problem)
    throw Error(ExitCode::cannot_write, "cannot make the folder {}: {}", directory, problem.message());
  const Rows rows = file.read(0, facts.rows);
  const Cut cut{completion, split_seed};
  return std::visit([&](const auto& kind) { return write(kind, facts, split, cut, directory); }, rows);
}

}  // namespace svi::data
