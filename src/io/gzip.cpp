#include "svi/io/gzip.hpp"

#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "svi/base/error.hpp"

namespace svi::io {

namespace {
constexpr std::size_t longest_line_bytes = std::size_t{1} << 30;
constexpr std::size_t buffer_bytes = 1 << 18;
constexpr std::size_t most_bytes_at_once = std::size_t{1} << 30;  // zlib counts in int
}  // namespace

struct InputFile::Stream {
  gzFile file = nullptr;
  std::array<char, buffer_bytes> buffer;
  std::size_t begin = 0;  // of what is left in the buffer
  std::size_t end = 0;

  ~Stream() {
    if (file != nullptr) gzclose(file);
  }
};

InputFile::InputFile(const std::string& path) : path_(path), stream_(std::make_unique<Stream>()) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode)) {
    throw Error(ExitCode::missing_input, "{} is a folder, not a file", path);
  }
  errno = 0;
  stream_->file = gzopen(path.c_str(), "rb");
  if (stream_->file == nullptr) {
    throw Error(ExitCode::missing_input, "cannot read {}: {}", path,
                std::strerror(errno != 0 ? errno : ENOMEM));
  }
  gzbuffer(stream_->file, static_cast<unsigned>(buffer_bytes));
}

InputFile::~InputFile() = default;
InputFile::InputFile(InputFile&&) noexcept = default;

// zlib hands out what it could decompress of a damaged file and tells of the damage only when asked.
std::size_t InputFile::fetch(void* bytes, std::size_t most) {
  const int count = gzread(stream_->file, bytes, static_cast<unsigned>(most));
  int status = Z_OK;
  const char* reason = gzerror(stream_->file, &status);
  if (count < 0 || (status != Z_OK && status != Z_STREAM_END)) {
    if (status == Z_ERRNO)
      throw Error(ExitCode::missing_input, "reading {} failed: {}", path_, std::strerror(errno));
    throw Error(ExitCode::bad_data, "{} is cut short or damaged: {}; fetch or compress it again", path_,
                reason);
  }
  return static_cast<std::size_t>(count);
}

bool InputFile::refill() {
  stream_->begin = 0;
  stream_->end = 0;
  stream_->end = fetch(stream_->buffer.data(), buffer_bytes);
  return stream_->end > 0;
}

bool InputFile::read_line(std::string& line) {
  line.clear();
  bool has_more = false;
  while (stream_->begin < stream_->end || refill()) {
    has_more = true;
    const char* begin = stream_->buffer.data() + stream_->begin;
    const char* end = stream_->buffer.data() + stream_->end;
    const char* newline = std::find(begin, end, '\n');
    line.append(begin, newline);
    stream_->begin += static_cast<std::size_t>(newline - begin) + (newline == end ? 0 : 1);
    if (newline != end) break;
    if (line.size() > longest_line_bytes) {
      throw Error(ExitCode::bad_data, "{}: line {} is longer than 1 GiB", path_, line_number_ + 1);
    }
  }
  if (!has_more) return false;
  if (line.ends_with('\r')) line.pop_back();
  ++line_number_;
  return true;
}

std::size_t InputFile::read(std::span<std::byte> bytes) {
  if (stream_->begin == stream_->end && bytes.size() >= buffer_bytes && bytes.size() <= most_bytes_at_once)
    return fetch(bytes.data(), bytes.size());
  std::size_t done = 0;
  while (done < bytes.size() && (stream_->begin < stream_->end || refill())) {
    const std::size_t count = std::min(bytes.size() - done, stream_->end - stream_->begin);
    std::memcpy(bytes.data() + done, stream_->buffer.data() + stream_->begin, count);
    stream_->begin += count;
    done += count;
  }
  return done;
}

void InputFile::read_exactly(std::span<std::byte> bytes, const char* what) {
  const std::size_t count = read(bytes);
  if (count == bytes.size()) return;
  throw Error(ExitCode::bad_data, "{}: ends within {}: {} bytes expected, {} found", path_, what,
              bytes.size(), count);
}

}  // namespace svi::io
