#include "svi/data/embedding_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <vector>

#include "anndata.hpp"
#include "svi/base/error.hpp"
#include "svi/io/atomic_file.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::data {

namespace {

std::int64_t total_width(const std::vector<Embedding>& embeddings) {
  std::int64_t total = 0;
  for (const Embedding& embedding : embeddings) total += embedding.width();
  return total;
}

class AnnDataEmbeddings : public EmbeddingFile {
 public:
  AnnDataEmbeddings(const std::string& path, const std::vector<std::string>& ids,
                    const std::vector<Embedding>& embeddings)
      : target_(path), file_(io::Hdf5File::create(target_)), total_(total_width(embeddings)) {
    set_encoding(file_, "anndata", "0.1.0");
    write_names(file_, "obs", ids, io::TextForm::variable);
    write_names(file_, "var", {}, io::TextForm::variable);
    io::Hdf5Group obsm = file_.create_group("obsm");
    set_encoding(obsm, "dict", "0.1.0");
    for (const Embedding& embedding : embeddings) {
      widths_.push_back(embedding.width());
      arrays_.push_back(obsm.create_dataset<float>(embedding.name, {std::ssize(ids), widths_.back()},
                                                   io::Storage::checksummed));
      set_encoding(arrays_.back(), "array", "0.2.0");
    }
  }
  void add(std::span<const float> values) override {
    const std::int64_t rows = std::ssize(values) / total_;
    std::int64_t before = 0;
    for (std::size_t i = 0; i < arrays_.size(); before += widths_[i++]) {
      std::vector<float> part;
      for (std::int64_t row = 0; row < rows; ++row) {
        const auto of_row = values.begin() + row * total_ + before;
        part.insert(part.end(), of_row, of_row + widths_[i]);
      }
      arrays_[i].write_rows(written_, written_ + rows, std::span<const float>(part));
    }
    written_ += rows;
  }
  void commit() override {
    arrays_.clear();
    file_.close();
    target_.commit();
  }

 private:
  io::AtomicFile target_;
  io::Hdf5File file_;
  std::int64_t total_;
  std::vector<io::Hdf5Dataset> arrays_;
  std::vector<std::int64_t> widths_;
  std::int64_t written_ = 0;
};

class TextEmbeddings : public EmbeddingFile {
 public:
  TextEmbeddings(const std::string& path, const std::vector<std::string>& ids,
                 const std::vector<Embedding>& embeddings)
      : target_(path), ids_(ids), width_(static_cast<std::size_t>(total_width(embeddings))) {
    const auto breaks = [](const std::string& id) { return id.find_first_of("\t\n\r") != std::string::npos; };
    const auto broken = std::find_if(ids.begin(), ids.end(), breaks);
    if (broken != ids.end()) {
      throw Error(ExitCode::bad_data,
                  "the id of row {} holds a tab or line break, which {} cannot hold; write a .h5ad",
                  broken - ids.begin(), path);
    }
    file_.open(target_.temporary_path(), std::ios::binary | std::ios::trunc);
  }
  void commit() override {
    file_.close();
    require_written();
    target_.commit();
  }

 protected:
  void write(fmt::memory_buffer& text) {
    file_.write(text.data(), std::ssize(text));
    require_written();
    text.clear();
  }

  io::AtomicFile target_;
  std::vector<std::string> ids_;
  std::size_t width_;

 private:
  void require_written() const {
    if (!file_) throw Error(ExitCode::cannot_write, "cannot write {}: writing failed", target_.path());
  }

  std::ofstream file_;
};

class TsvEmbeddings : public TextEmbeddings {
 public:
  TsvEmbeddings(const std::string& path, const std::vector<std::string>& ids,
                const std::vector<Embedding>& embeddings)
      : TextEmbeddings(path, ids, embeddings) {
    fmt::memory_buffer line;
    fmt::format_to(std::back_inserter(line), "id");
    for (const Embedding& embedding : embeddings) {
      for (const std::string& column : embedding.columns)
        fmt::format_to(std::back_inserter(line), "\t{}", column);
    }
    line.push_back('\n');
    write(line);
  }
  void add(std::span<const float> values) override {
    fmt::memory_buffer line;
    for (std::size_t row = 0; row < values.size() / width_; ++row) {
      fmt::format_to(std::back_inserter(line), "{}", ids_[written_++]);
      for (const float value : values.subspan(row * width_, width_))
        fmt::format_to(std::back_inserter(line), "\t{}", value);
      line.push_back('\n');
      write(line);
    }
  }

 private:
  std::size_t written_ = 0;
};

class MatrixMarketEmbeddings : public TextEmbeddings {
 public:
  using TextEmbeddings::TextEmbeddings;
  void add(std::span<const float> values) override { all_.insert(all_.end(), values.begin(), values.end()); }
  void commit() override {
    fmt::memory_buffer text;
    fmt::format_to(std::back_inserter(text), "%%MatrixMarket matrix array real general\n% the rows:\n");
    for (const std::string& id : ids_) fmt::format_to(std::back_inserter(text), "% {}\n", id);
    fmt::format_to(std::back_inserter(text), "{} {}\n", ids_.size(), width_);
    write(text);
    for (std::size_t k = 0; k < width_; ++k) {
      for (std::size_t i = k; i < all_.size(); i += width_)
        fmt::format_to(std::back_inserter(text), "{}\n", all_[i]);
      write(text);
    }
    TextEmbeddings::commit();
  }

 private:
  std::vector<float> all_;
};

std::string ending_of(const std::string& path, std::size_t embeddings) {
  std::vector<std::string> endings{".h5ad", ".h5", ".tsv"};
  if (embeddings == 1) endings.emplace_back(".mtx");
  return io::require_ending(path, endings);
}

}  // namespace

std::vector<std::string> numbered(const std::string& column, std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t k = 0; k < count; ++k) names.push_back(fmt::format("{}_{}", column, k));
  return names;
}

void require_embedding_ending(const std::string& path, std::size_t embeddings) {
  ending_of(path, embeddings);
}

std::unique_ptr<EmbeddingFile> create_embedding_file(const std::string& path,
                                                     const std::vector<std::string>& ids,
                                                     const std::vector<Embedding>& embeddings) {
  const std::string ending = ending_of(path, embeddings.size());
  if (ending == ".tsv") return std::make_unique<TsvEmbeddings>(path, ids, embeddings);
  if (ending == ".mtx") return std::make_unique<MatrixMarketEmbeddings>(path, ids, embeddings);
  return std::make_unique<AnnDataEmbeddings>(path, ids, embeddings);
}

}  // namespace svi::data
