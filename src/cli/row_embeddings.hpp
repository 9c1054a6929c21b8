#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "latent_rows.hpp"
#include "svi/cli/infer.hpp"
#include "svi/data/embedding_file.hpp"

namespace svi::cli {

/// What a command writes of each row of a file, and how it tells of that.
struct RowEmbeddings {
  RowFigures figures;
  std::vector<data::Embedding> embeddings;  ///< that the figures of a row are, one after another
  std::string columns;                      ///< in words: "10 classes"
  std::vector<std::pair<std::string, std::int64_t>> counts;  ///< in JSON: "classes", 10
};

/// What keeps embeddings of `input` from being written to `output`, found before ranks are launched, to be told on them,
/// once: a name of the output that will not do, or a damaged input. Null: nothing does. **Local.**
/// @param embeddings how many the output is to hold
std::exception_ptr problem_of_files(const std::string& input, const std::string& output, std::size_t embeddings);

/// Gives a command the arguments CHECKPOINT INPUT --output [--json], and the work: embeddings of the input's
/// rows in their order, on any number of ranks.
/// @param embeddings_of what to write with an opened model, which outlives it; at least two embeddings
/// @throws Error (usage) out of `embeddings_of` when the model has no such thing
void declare_row_embeddings(CLI::App& command, RanksAction& action,
                            std::function<RowEmbeddings(const trainer::TrainedModel&)> embeddings_of);

}  // namespace svi::cli
