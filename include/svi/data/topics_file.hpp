#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace svi::data {

/// A file of documents' topics that is written row by row, and appears complete or not at all. **Local.**
class TopicsFile {
 public:
  virtual ~TopicsFile() = default;
  /// Appends rows. @param theta [rows, K] @throws Error (cannot_write)
  virtual void add(std::span<const float> theta) = 0;
  /// After the last row. @throws Error (cannot_write); an older file of that name is then untouched
  virtual void commit() = 0;
};

/// Creates the file that the ending of `path` asks for:
///
/// - `.h5ad`, `.h5`: an AnnData with `obs/_index` and `obsm/X_topics` [N, K], without X and without
/// variables;
/// - `.tsv`: a line of column names (`id`, `topic_0`, …), then a line a document;
/// - `.mtx`: a dense MatrixMarket array [N, K], the ids in comments. It goes by columns, so all rows are kept
///   in memory until `commit`.
///
/// @param ids of the documents [N]
/// @throws Error (usage) on another ending, (bad_data) when an id holds a line break or tab that the format
/// cannot hold, (cannot_write)
std::unique_ptr<TopicsFile> create_topics_file(const std::string& path, const std::vector<std::string>& ids,
                                               std::int64_t topics);

/// @throws Error (usage) when `create_topics_file` would not know the ending
void require_topics_ending(const std::string& path);

}  // namespace svi::data
