#pragma once

#include <functional>
#include <string>
#include <vector>

#include "import/scratch.hpp"
#include "svi/data/data_file.hpp"
#include "svi/data/import_counts.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::test {

/// What a count file holds.
struct Contents {
  std::vector<std::int64_t> starts;
  std::vector<std::int32_t> words;
  std::vector<float> counts;
  std::vector<std::string> vocabulary;
  std::vector<std::string> ids;
  bool operator==(const Contents&) const = default;
};

inline Contents contents_of_counts(const std::string& path) {
  const data::DataFile file(path);
  const auto rows = std::get<CountRows>(file.read(0, file.facts().rows));
  const auto h5 = io::Hdf5File::open(path);
  return {rows.starts, rows.words, rows.counts, file.facts().vocabulary,
          h5.group("obs").dataset("_index").read_texts()};
}

/// Four documents, the third without a word.
inline Contents small_corpus() {
  return {
      {0, 2, 4, 4, 5}, {0, 2, 0, 2, 1}, {1, 2, 4, 1, 7}, {"apple", "birch", "cedar"}, {"a", "b", "c", "d"}};
}

inline void PrintTo(const Contents& contents, std::ostream* out) {
  using ::testing::PrintToString;
  *out << PrintToString(contents.starts) << PrintToString(contents.words) << PrintToString(contents.counts)
       << PrintToString(contents.vocabulary) << PrintToString(contents.ids);
}

struct BadInput {
  std::string text;
  std::vector<std::string> parts;  ///< of the message
};

/// Each text, as the file `name`, is refused with a message that holds all parts, and nothing is written.
inline void expect_refusals(const std::string& name, const std::vector<BadInput>& inputs,
                            const std::function<void(const data::CountFiles&)>& import,
                            const std::string& vocabulary = "") {
  const ScratchFolder folder;
  data::CountFiles files{.input = folder / name, .output = folder / "out.h5"};
  if (!vocabulary.empty()) files.vocabulary = folder.write("vocabulary.txt", vocabulary);
  for (const BadInput& input : inputs) {
    SCOPED_TRACE(input.text);
    folder.write(name, input.text);
    expect_error(ExitCode::bad_data, input.parts, [&] { import(files); });
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
      EXPECT_EQ(entry.path().string().find("out.h5"), std::string::npos) << entry.path();
  }
}

}  // namespace svi::test
