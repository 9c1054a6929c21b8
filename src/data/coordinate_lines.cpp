#include "coordinate_lines.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "checked_numbers.hpp"

namespace svi::data {

namespace {

constexpr std::size_t buffer_bytes = 1 << 20;
constexpr int most_digits = 18;  // that surely fit in 64 bits

// The digits at `place`, which moves behind them; at least one and at most most_digits, or −1.
std::int64_t digits(const char*& place) {
  std::uint64_t number = 0;
  const char* const begin = place;
  for (unsigned digit = 0; (digit = static_cast<unsigned>(*place) - '0') <= 9; ++place) {
    number = number * 10 + digit;
  }
  const auto length = place - begin;
  return length >= 1 && length <= most_digits ? static_cast<std::int64_t>(number) : -1;
}

Entry entry_of(bool is_transposed, std::int64_t row, std::int64_t column, float count) {
  const std::int64_t document = is_transposed ? column : row;
  const std::int64_t word = is_transposed ? row : column;
  return {static_cast<std::int32_t>(document - 1), static_cast<std::int32_t>(word - 1), count};
}

}  // namespace

CoordinateLines::CoordinateLines(std::string path, ReadHeader read_header)
    : path_(std::move(path)), read_header_(std::move(read_header)), buffer_(buffer_bytes + 1) {
  reader_ = std::make_unique<TextReader>(path_);
  format_ = read_header_(*reader_);
  header_lines_ = reader_->line_number();
}

void CoordinateLines::rewind() {
  struct stat facts {};
  if (::stat(path_.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    throw Error(ExitCode::missing_input,
                "{}: is not sorted by document, so it has to be read several times, and only a "
                "regular file can be; save it as one, or sort it",
                path_);
  }
  reader_ = std::make_unique<TextReader>(path_);
  read_header_(*reader_);
  found_ = empty_lines_ = 0;
  begin_ = end_ = filled_ = 0;
}

// The next whole lines into the buffer; the last line of a file gets its newline. False at the end.
bool CoordinateLines::refill() {
  std::memmove(buffer_.data(), buffer_.data() + end_, filled_ - end_);
  filled_ -= end_;
  begin_ = end_ = 0;
  const std::size_t count = reader_->read(
      std::as_writable_bytes(std::span(buffer_).subspan(filled_)).first(buffer_bytes - filled_));
  filled_ += count;
  if (count == 0 && filled_ == buffer_bytes) {
    throw reader_->problem_at(line_number(), "is longer than {} bytes, expected three numbers", buffer_bytes);
  }
  if (count == 0 && filled_ > 0) buffer_[filled_++] = '\n';
  const auto lines = std::string_view(buffer_.data(), filled_);
  const std::size_t newline = lines.rfind('\n');
  if (newline == std::string_view::npos) return count > 0 && refill();
  end_ = newline + 1;
  return true;
}

std::size_t CoordinateLines::read(std::span<Entry> entries) {
  std::size_t done = 0;
  while (done < entries.size() && (begin_ < end_ || refill())) {
    const std::size_t plain = read_plainly(entries.subspan(done));
    done += plain;
    found_ += static_cast<std::int64_t>(plain);
    if (done == entries.size() || begin_ == end_) continue;
    if (read_with_care(entries[done])) {
      ++done;
      ++found_;
    }
  }
  if (done == 0 && found_ != format_.entries) {
    throw reader_->problem_at(header_lines_, "announces {} entries, but {} follow: the file is incomplete",
                              format_.entries, found_);
  }
  return done;
}

// As many lines as are "row column count" in numbers that may be.
std::size_t CoordinateLines::read_plainly(std::span<Entry> entries) {
  const CoordinateFormat format = format_;  // known not to change below
  const std::size_t most = std::min(entries.size(), static_cast<std::size_t>(format.entries - found_));
  const char* const end = buffer_.data() + end_;
  const char* line = buffer_.data() + begin_;
  std::size_t done = 0;
  for (; done < most && line < end; ++done) {
    const char* place = line;
    const std::int64_t row = digits(place);
    if (*place != ' ') break;
    const std::int64_t column = digits(++place);
    if (*place != ' ') break;
    const std::int64_t count = digits(++place);
    if (*place != '\n' || row < 1 || row > format.highest[0] || column < 1 || column > format.highest[1] ||
        count < format.lowest_count || count > highest_exact_count) {
      break;
    }
    entries[done] = entry_of(format.is_transposed, row, column, static_cast<float>(count));
    line = place + 1;
  }
  begin_ = static_cast<std::size_t>(line - buffer_.data());
  return done;
}

// False at empty lines after the last entry.
bool CoordinateLines::read_with_care(Entry& entry) {
  const std::string_view rest(buffer_.data() + begin_, end_ - begin_);
  std::string_view line = rest.substr(0, rest.find('\n'));
  begin_ += line.size() + 1;
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto fields = words_of(line);
  if (fields.empty() && found_ == format_.entries) {
    ++empty_lines_;
    return false;
  }
  if (fields.size() != 3) {
    throw reader_->problem_at(line_number(), "found {}, expected three numbers: {}, {}, the count",
                              in_quotes(line), format_.names[0], format_.names[1]);
  }
  if (found_ == format_.entries) {
    throw reader_->problem_at(line_number(), "an entry beyond the {} that line {} announces", format_.entries,
                              header_lines_);
  }
  std::array<std::int64_t, 2> place{};
  for (std::size_t i = 0; i < 2; ++i) {
    place[i] = checked_number(*reader_, line_number(), fields[i], format_.names[i], 1, format_.highest[i]);
  }
  entry = entry_of(format_.is_transposed, place[0], place[1], count_of(fields[2]));
  return true;
}

float CoordinateLines::count_of(std::string_view text) const {
  return static_cast<float>(format_.takes_reals ? real_count(*reader_, line_number(), text)
                                                : checked_number(*reader_, line_number(), text, "the count",
                                                                 format_.lowest_count, highest_exact_count));
}

Error CoordinateLines::repeated(std::int64_t number, const Entry& entry) const {
  return reader_->problem_at(header_lines_ + number + 1, "names word {} of document {} a second time",
                             entry.word + 1, entry.document + 1);
}

}  // namespace svi::data
