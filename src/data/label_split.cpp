#include "svi/data/label_split.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "svi/base/error.hpp"
#include "svi/base/random.hpp"
#include "svi/base/units.hpp"

namespace svi::data {

namespace {

using RowsByClass = std::map<std::int64_t, std::vector<std::int64_t>>;

RowsByClass known_labels(std::span<const std::int64_t> rows, std::span<const std::int64_t> labels) {
  RowsByClass classes;
  for (const std::int64_t row : rows) {
    const std::int64_t label = labels[static_cast<std::size_t>(row)];
    if (label < -1) {
      throw Error(ExitCode::bad_data,
                  "data.train: row {} has the label {}, expected a class from 0 on, or -1 for none", row,
                  label);
    }
    if (label >= 0) classes[label].push_back(row);
  }
  return classes;
}

// The order in which rows of a class get labels.
void mix(std::vector<std::int64_t>& rows, const Philox& philox) {
  const auto key = [&](std::int64_t row) {
    return std::pair(philox.word(Purpose::label_choice, 0, static_cast<std::uint64_t>(row), 0), row);
  };
  std::ranges::sort(rows, {}, key);
}

void require_enough(const RowsByClass& classes, std::int64_t known, std::int64_t rows, std::int64_t keep) {
  if (known == 0) {
    throw Error(ExitCode::bad_data,
                "data.labels: none of the {} training rows has a label (y, 0 or more); labels of some are "
                "needed",
                count_text(rows));
  }
  if (keep > known) {
    throw Error(ExitCode::bad_config,
                "data.labels is {}, but only {} of the {} training rows have a label; lower it, or set 0 for "
                "all of them",
                keep, count_text(known), count_text(rows));
  }
  if (keep > 0 && keep < std::ssize(classes)) {
    throw Error(ExitCode::bad_config,
                "data.labels is {}, but the labels are of {} classes, and each needs one at least", keep,
                classes.size());
  }
}

}  // namespace

LabelSplit split_by_label(std::span<const std::int64_t> rows, std::span<const std::int64_t> labels,
                          std::int64_t keep, std::uint64_t seed) {
  RowsByClass classes = known_labels(rows, labels);
  std::int64_t known = 0;
  for (const auto& [label, of_class] : classes) known += std::ssize(of_class);
  require_enough(classes, known, std::ssize(rows), keep);
  for (auto& [label, of_class] : classes) mix(of_class, Philox(seed));
  const std::int64_t wanted = keep == 0 ? known : keep;
  LabelSplit split{.classes = std::ssize(classes)};
  for (std::size_t turn = 0; std::ssize(split.labelled) < wanted; ++turn) {
    for (const auto& [label, of_class] : classes) {
      if (turn < of_class.size() && std::ssize(split.labelled) < wanted)
        split.labelled.push_back(of_class[turn]);
    }
  }
  std::ranges::sort(split.labelled);
  std::ranges::set_difference(rows, split.labelled, std::back_inserter(split.unlabelled));
  return split;
}

}  // namespace svi::data
