#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string_view>

#include "entry_source.hpp"
#include "svi/data/text_reader.hpp"

namespace svi::data {

/// How lines "row column count" are to be read.
struct CoordinateFormat {
  std::array<const char*, 2> names;     ///< of row and column, for messages: "the document"
  std::array<std::int64_t, 2> highest;  ///< of row and column, which are counted from 1
  bool is_transposed = false;           ///< the first number is the word
  bool takes_reals = false;             ///< a count may be written 3.0 or 3e0
  std::int64_t lowest_count = 1;
  std::int64_t entries = 0;     ///< lines that follow
  std::int64_t words_line = 0;  ///< that tells the number of words
};

/// Entries that stand in lines of three numbers, after a header. **Local.**
///
/// Reads large blocks and cuts them itself; whatever is not plainly three short numbers with single blanks
/// goes through a slower reading, which takes other blanks and says what is wrong.
class CoordinateLines : public EntrySource {
 public:
  /// Reads the header: moves the reader to the last of its lines.
  using ReadHeader = std::function<CoordinateFormat(TextReader&)>;
  CoordinateLines(std::string path, ReadHeader read_header);

  const CoordinateFormat& format() const { return format_; }
  const TextReader& reader() const { return *reader_; }
  std::int64_t documents() const { return format_.highest[format_.is_transposed ? 1 : 0]; }
  std::int64_t words() const { return format_.highest[format_.is_transposed ? 0 : 1]; }

  std::size_t read(std::span<Entry> entries) override;
  void rewind() override;
  Error repeated(std::int64_t number, const Entry& entry) const override;

 private:
  bool refill();
  std::size_t read_plainly(std::span<Entry> entries);
  bool read_with_care(Entry& entry);
  std::int64_t line_number() const { return header_lines_ + found_ + empty_lines_ + 1; }
  float count_of(std::string_view text) const;

  std::string path_;
  ReadHeader read_header_;
  std::unique_ptr<TextReader> reader_;
  CoordinateFormat format_;
  std::int64_t header_lines_ = 0;
  std::int64_t found_ = 0;        // entries so far
  std::int64_t empty_lines_ = 0;  // after the last
  std::vector<char> buffer_;      // whole lines, and after them the start of one
  std::size_t begin_ = 0;         // of what is left of the whole lines
  std::size_t end_ = 0;           // of the whole lines
  std::size_t filled_ = 0;
};

}  // namespace svi::data
