#include "checks.hpp"

namespace svi::comm {

void require_host(const Buffer& buffer, std::string_view backend, std::string_view tag) {
  if (buffer.space != MemorySpace::host) {
    throw Error(ExitCode::internal,
                "{}: a buffer in CUDA memory was handed to the backend '{}', which takes host memory only",
                tag, backend);
  }
  if (buffer.count < 0 || (buffer.data == nullptr && buffer.count > 0)) {
    throw Error(ExitCode::internal, "{}: a buffer of {} elements at {}", tag, buffer.count, buffer.data);
  }
}

void require_root(int root, int size, std::string_view tag) {
  if (root < 0 || root >= size) {
    throw Error(ExitCode::internal, "{}: root {} is none of the ranks 0 to {}", tag, root, size - 1);
  }
}

void require_gatherable(const Buffer& mine, const Buffer& all, int size, std::string_view tag) {
  if (all.type != mine.type || all.count != size * mine.count) {
    throw Error(ExitCode::internal, "{}: {} elements from each of {} ranks do not fit a buffer of {}{}", tag,
                mine.count, size, all.count, all.type != mine.type ? " of another type" : "");
  }
}

}  // namespace svi::comm
