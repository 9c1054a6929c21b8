#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace svi::data {

/// What each row of a file becomes: a vector.
struct Embedding {
  std::string name;                  ///< in AnnData's `obsm`: "X_topics"
  std::vector<std::string> columns;  ///< in a table, one for each number: "topic_0", "topic_1", …

  std::int64_t width() const { return static_cast<std::int64_t>(columns.size()); }
};

/// "topic_0", "topic_1", …
std::vector<std::string> numbered(const std::string& column, std::int64_t count);

/// A file of rows' embeddings that is written row by row, and appears complete or not at all. **Local.**
class EmbeddingFile {
 public:
  virtual ~EmbeddingFile() = default;
  /// Appends rows. @param values [rows, sum of the widths], the embeddings of a row one after another
  /// @throws Error (cannot_write)
  virtual void add(std::span<const float> values) = 0;
  /// After the last row. @throws Error (cannot_write); an older file of that name is then untouched
  virtual void commit() = 0;
};

/// Creates the file that the ending of `path` asks for:
///
/// - `.h5ad`, `.h5`: an AnnData with `obs/_index` and an array `obsm/NAME` [N, width] for each embedding,
/// without X and without variables;
/// - `.tsv`: a line of column names (`id`, `topic_0`, …), then a line a row;
/// - `.mtx`, of a single embedding: a dense MatrixMarket array [N, width], the ids in comments. It goes by
/// columns, so all rows are kept in memory until `commit`.
///
/// @param ids of the rows [N]
/// @throws Error (usage) on another ending, (bad_data) when an id holds a line break or tab that the format
/// cannot hold, (cannot_write)
std::unique_ptr<EmbeddingFile> create_embedding_file(const std::string& path,
                                                     const std::vector<std::string>& ids,
                                                     const std::vector<Embedding>& embeddings);

/// @throws Error (usage) when `create_embedding_file` would not take the ending for so many embeddings
void require_embedding_ending(const std::string& path, std::size_t embeddings);

}  // namespace svi::data
