#include "svi/data/topics_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "anndata.hpp"
#include "svi/base/error.hpp"
#include "svi/io/atomic_file.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::data {

namespace {

class AnnDataTopics : public TopicsFile {
 public:
  AnnDataTopics(const std::string& path, const std::vector<std::string>& ids, std::int64_t topics)
      : target_(path), file_(io::Hdf5File::create(target_)), topics_(topics) {
    set_encoding(file_, "anndata", "0.1.0");
    write_names(file_, "obs", ids, io::TextForm::variable);
    write_names(file_, "var", {}, io::TextForm::variable);
    io::Hdf5Group obsm = file_.create_group("obsm");
    set_encoding(obsm, "dict", "0.1.0");
    theta_.emplace(
        obsm.create_dataset<float>("X_topics", {std::ssize(ids), topics}, io::Storage::checksummed));
    set_encoding(*theta_, "array", "0.2.0");
  }
  void add(std::span<const float> theta) override {
    const std::int64_t rows = std::ssize(theta) / topics_;
    theta_->write_rows(written_, written_ + rows, theta);
    written_ += rows;
  }
  void commit() override {
    theta_.reset();
    file_.close();
    target_.commit();
  }

 private:
  io::AtomicFile target_;
  io::Hdf5File file_;
  std::optional<io::Hdf5Dataset> theta_;
  std::int64_t topics_;
  std::int64_t written_ = 0;
};

class TextTopics : public TopicsFile {
 public:
  TextTopics(const std::string& path, const std::vector<std::string>& ids, std::int64_t topics)
      : target_(path), ids_(ids), topics_(static_cast<std::size_t>(topics)) {
    const auto breaks = [](const std::string& id) { return id.find_first_of("\t\n\r") != std::string::npos; };
    const auto broken = std::find_if(ids.begin(), ids.end(), breaks);
    if (broken != ids.end()) {
      throw Error(ExitCode::bad_data,
                  "the id of document {} holds a tab or line break, which {} cannot hold; write a .h5ad",
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
  std::size_t topics_;

 private:
  void require_written() const {
    if (!file_) throw Error(ExitCode::cannot_write, "cannot write {}: writing failed", target_.path());
  }

  std::ofstream file_;
};

class TsvTopics : public TextTopics {
 public:
  TsvTopics(const std::string& path, const std::vector<std::string>& ids, std::int64_t topics)
      : TextTopics(path, ids, topics) {
    fmt::memory_buffer line;
    fmt::format_to(std::back_inserter(line), "id");
    for (std::size_t k = 0; k < topics_; ++k) fmt::format_to(std::back_inserter(line), "\ttopic_{}", k);
    line.push_back('\n');
    write(line);
  }
  void add(std::span<const float> theta) override {
    fmt::memory_buffer line;
    for (std::size_t row = 0; row < theta.size() / topics_; ++row) {
      fmt::format_to(std::back_inserter(line), "{}", ids_[written_++]);
      for (const float share : theta.subspan(row * topics_, topics_))
        fmt::format_to(std::back_inserter(line), "\t{}", share);
      line.push_back('\n');
      write(line);
    }
  }

 private:
  std::size_t written_ = 0;
};

class MatrixMarketTopics : public TextTopics {
 public:
  using TextTopics::TextTopics;
  void add(std::span<const float> theta) override { all_.insert(all_.end(), theta.begin(), theta.end()); }
  void commit() override {
    fmt::memory_buffer text;
    fmt::format_to(std::back_inserter(text), "%%MatrixMarket matrix array real general\n% the rows:\n");
    for (const std::string& id : ids_) fmt::format_to(std::back_inserter(text), "% {}\n", id);
    fmt::format_to(std::back_inserter(text), "{} {}\n", ids_.size(), topics_);
    write(text);
    for (std::size_t k = 0; k < topics_; ++k) {
      for (std::size_t i = k; i < all_.size(); i += topics_)
        fmt::format_to(std::back_inserter(text), "{}\n", all_[i]);
      write(text);
    }
    TextTopics::commit();
  }

 private:
  std::vector<float> all_;
};

std::string ending_of(const std::string& path) { return std::filesystem::path(path).extension().string(); }

}  // namespace

void require_topics_ending(const std::string& path) {
  const std::string ending = ending_of(path);
  if (ending == ".h5ad" || ending == ".h5" || ending == ".tsv" || ending == ".mtx") return;
  throw Error(ExitCode::usage, "the name of the output {} ends in \"{}\", expected .h5ad, .h5, .tsv or .mtx",
              path, ending);
}

std::unique_ptr<TopicsFile> create_topics_file(const std::string& path, const std::vector<std::string>& ids,
                                               std::int64_t topics) {
  require_topics_ending(path);
  const std::string ending = ending_of(path);
  if (ending == ".tsv") return std::make_unique<TsvTopics>(path, ids, topics);
  if (ending == ".mtx") return std::make_unique<MatrixMarketTopics>(path, ids, topics);
  return std::make_unique<AnnDataTopics>(path, ids, topics);
}

}  // namespace svi::data
