#include "svi/comm/single_process.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "checks.hpp"
#include "svi/base/pages.hpp"

namespace svi::comm {

namespace {

class Done final : public Work {
 public:
  bool test() override { return true; }
  void wait() override {}
};

class OwnCounter final : public Counter {
 public:
  std::int64_t add(std::int64_t amount) override { return std::exchange(value_, value_ + amount); }
  void close() override {}

 private:
  std::int64_t value_ = 0;
};

}  // namespace

std::unique_ptr<Work> SingleProcess::all_reduce(Buffer values, ReduceOperation, std::string_view tag) {
  require_host(values, name(), tag);
  return std::make_unique<Done>();
}

std::unique_ptr<Work> SingleProcess::broadcast(Buffer values, int root, std::string_view tag) {
  require_host(values, name(), tag);
  require_root(root, size(), tag);
  return std::make_unique<Done>();
}

std::unique_ptr<Work> SingleProcess::all_gather(Buffer mine, Buffer all, std::string_view tag) {
  require_host(mine, name(), tag);
  require_host(all, name(), tag);
  require_gatherable(mine, all, size(), tag);
  if (mine.bytes() > 0) std::memmove(all.data, mine.data, static_cast<std::size_t>(mine.bytes()));
  return std::make_unique<Done>();
}

std::unique_ptr<Work> SingleProcess::barrier(std::string_view) { return std::make_unique<Done>(); }

std::unique_ptr<Counter> SingleProcess::counter(std::string_view) { return std::make_unique<OwnCounter>(); }

std::shared_ptr<void> SingleProcess::shared_memory(std::int64_t bytes, std::string_view) {
  return zeroed_pages(static_cast<std::size_t>(bytes));
}

void SingleProcess::abort(ExitCode code) noexcept {
  std::fflush(nullptr);
  std::_Exit(static_cast<int>(code));
}

}  // namespace svi::comm
