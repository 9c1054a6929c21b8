#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <variant>
#include <vector>

namespace svi {

/// Rows of word counts in compressed sparse rows; within a row the words ascend and none repeats.
struct CountRows {
  std::vector<std::int64_t> starts{0};  ///< [B + 1]: row b owns entries starts[b] … starts[b + 1] − 1
  std::vector<std::int32_t> words;      ///< [entries], each in 0 … V − 1
  std::vector<float> counts;            ///< [entries], positive whole numbers

  std::int64_t rows() const { return static_cast<std::int64_t>(starts.size()) - 1; }
};

/// Rows of dense features.
struct DenseRows {
  at::Tensor features;  ///< [B, D] uint8 (grey pixels, 255 is white) or float32, on the host
  at::Tensor labels;    ///< [B] int64, −1 where unknown or hidden; or undefined

  std::int64_t rows() const { return features.defined() ? features.size(0) : 0; }
};

/// Rows in memory, of either kind.
using Rows = std::variant<DenseRows, CountRows>;

inline std::int64_t row_count(const Rows& rows) {
  return std::visit([](const auto& kind) { return kind.rows(); }, rows);
}

/// This rank's part of one step's rows. It may be empty.
struct Minibatch {
  std::int64_t step = 0;          ///< names the step's noise; see Philox
  std::vector<std::int64_t> ids;  ///< [B] each row's number in its file: names the row's noise
  Rows rows;                      ///< [B]
  /// The words that occur in the global minibatch, ascending, the same on every rank; none for dense rows and
  /// for rows that are only evaluated.
  std::vector<std::int32_t> occurring;
  /// [B] what a row counts: N_h/S_h of its stratum h, such as the labelled rows, so that the weights of a
  /// global minibatch add up to N. Empty: one stratum, whose rows all count one.
  std::vector<double> weights;

  std::int64_t size() const { return static_cast<std::int64_t>(ids.size()); }
};

}  // namespace svi
