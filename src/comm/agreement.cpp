// The blocking shorthands, and what ranks agree on.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>

#include "svi/base/sha256.hpp"
#include "svi/comm/communicator.hpp"

namespace svi::comm {

void all_reduce_sum(Communicator& communicator, std::span<double> values, std::string_view tag) {
  communicator.control().all_reduce(buffer_of(values), ReduceOperation::sum, tag)->wait();
}

std::int64_t maximum(Communicator& communicator, std::int64_t value, std::string_view tag) {
  const auto values = buffer_of(std::span(&value, 1));
  communicator.control().all_reduce(values, ReduceOperation::maximum, tag)->wait();
  return value;
}

std::vector<std::string> all_gather_text(Communicator& communicator, std::string_view mine,
                                         std::string_view tag) {
  const auto size = static_cast<std::size_t>(communicator.size());
  // Texts differ in length: all are padded to the longest.
  std::vector<std::int64_t> lengths(size);
  const auto length = static_cast<std::int64_t>(mine.size());
  communicator.control()
      .all_gather(buffer_of(std::span(&length, 1)), buffer_of(std::span(lengths)), tag)
      ->wait();
  const auto longest = static_cast<std::size_t>(*std::max_element(lengths.begin(), lengths.end()));
  std::vector<std::uint8_t> padded(longest);
  std::copy(mine.begin(), mine.end(), padded.begin());
  std::vector<std::uint8_t> all(size * longest);
  communicator.control().all_gather(buffer_of(std::span(padded)), buffer_of(std::span(all)), tag)->wait();

  std::vector<std::string> texts;
  for (std::size_t rank = 0; rank < size; ++rank) {
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(rank * longest);
    texts.emplace_back(first, first + lengths[rank]);
  }
  return texts;
}

namespace {

struct Outcome {
  ExitCode code = ExitCode::done;
  std::string message;
};

Outcome outcome_of(const std::function<void()>& action) {
  try {
    action();
    return {};
  } catch (const AgreedError&) {
    throw;
  } catch (const Error& error) {
    if (error.code() == ExitCode::communication) throw;
    return {error.code(), error.what()};
  } catch (const std::exception& error) {
    return {ExitCode::internal, error.what()};
  }
}

}  // namespace

void together(Communicator& communicator, std::string_view tag, const std::function<void()>& action) {
  const Outcome mine = outcome_of(action);
  if (maximum(communicator, mine.code != ExitCode::done, tag) == 0) return;

  const auto code_text = fmt::format("{} {}", static_cast<int>(mine.code), mine.message);
  const std::vector<std::string> all = all_gather_text(communicator, code_text, tag);
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    const std::size_t space = all[rank].find(' ');
    const int code = std::stoi(all[rank].substr(0, space));
    if (code == 0) continue;
    const std::string prefix = all.size() > 1 ? fmt::format("rank {}: ", rank) : "";
    throw AgreedError(static_cast<ExitCode>(code), "{}{}", prefix, all[rank].substr(space + 1));
  }
}

void in_turns(Communicator& communicator, std::string_view tag, std::int64_t count, std::int64_t block,
              const std::function<void(std::int64_t first, std::int64_t last)>& action) {
  const std::unique_ptr<Counter> next = communicator.control().counter(tag);
  const auto take_blocks = [&] {
    for (std::int64_t first = next->add(block); first < count; first = next->add(block)) {
      try {
        action(first, std::min(count, first + block));
      } catch (...) {
        next->add(count);  // nothing is left for the others
        throw;
      }
    }
  };
  std::exception_ptr problem;
  try {
    together(communicator, tag, take_blocks);
  } catch (const AgreedError&) {
    problem = std::current_exception();
  }
  next->close();
  if (problem) std::rethrow_exception(problem);
}

void require_same(Communicator& communicator, std::string_view what, std::string_view mine) {
  const std::string digest = Sha256().add_text(mine).finish_hex();
  const std::vector<std::string> digests = all_gather_text(communicator, digest, what);
  std::vector<std::size_t> differing;
  for (std::size_t rank = 1; rank < digests.size(); ++rank) {
    if (digests[rank] != digests[0]) differing.push_back(rank);
  }
  if (differing.empty()) return;
  throw AgreedError(ExitCode::bad_config,
                    "{} of rank{} {} differs from that of rank 0: all {} ranks must be started with the same",
                    what, differing.size() > 1 ? "s" : "", fmt::join(differing, ", "), digests.size());
}

}  // namespace svi::comm
