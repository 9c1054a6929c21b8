#pragma once

// What every backend must do, as functions of a Communicator: run on one process, on threads and under MPI.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "svi/base/random.hpp"
#include "svi/comm/communicator.hpp"

namespace svi::comm::test {

/// Every element is a small whole number that differs by rank and place, so all results are exact.
template <typename Element>
std::vector<Element> contribution(int rank, std::int64_t count) {
  std::vector<Element> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<Element>(rank + 1 + i % 7);
  return values;
}

template <typename Element>
void reductions_have_closed_forms(Communicator& ranks, std::int64_t count) {
  const std::int64_t size = ranks.size();
  const auto reduced = [&](ReduceOperation operation) {
    std::vector<Element> values = contribution<Element>(ranks.rank(), count);
    ranks.all_reduce(buffer_of(std::span(values)), operation, "closed forms")->wait();
    return values;
  };
  const auto sum = reduced(ReduceOperation::sum);
  const auto maximum = reduced(ReduceOperation::maximum);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    ASSERT_EQ(sum[at], static_cast<Element>(size * (size + 1) / 2 + size * (i % 7))) << "element " << i;
    ASSERT_EQ(maximum[at], static_cast<Element>(size + i % 7)) << "element " << i;
  }
  if constexpr (std::is_integral_v<Element>) {
    const auto united = reduced(ReduceOperation::bitwise_or);
    for (std::int64_t i = 0; i < count; ++i) {
      std::int64_t expected = 0;
      for (std::int64_t rank = 0; rank < size; ++rank) expected |= rank + 1 + i % 7;
      ASSERT_EQ(united[static_cast<std::size_t>(i)], static_cast<Element>(expected)) << "element " << i;
    }
  }
}

inline void all_types_reduce(Communicator& ranks, const std::vector<std::int64_t>& counts) {
  for (const std::int64_t count : counts) {
    SCOPED_TRACE(count);
    reductions_have_closed_forms<std::uint8_t>(ranks, count);
    reductions_have_closed_forms<std::int64_t>(ranks, count);
    reductions_have_closed_forms<std::uint64_t>(ranks, count);
    reductions_have_closed_forms<float>(ranks, count);
    reductions_have_closed_forms<double>(ranks, count);
  }
}

/// Memory in common is zero at first, shows each rank what others wrote, and stays as long as any rank has
/// it.
inline void memory_is_in_common(Communicator& ranks) {
  for (const std::int64_t bytes : {64, 4096, 5 << 20}) {
    std::shared_ptr<void> memory = ranks.shared_memory(bytes, "memory");
    ASSERT_NE(memory, nullptr) << "these ranks are on one machine";
    auto* const values = static_cast<std::int64_t*>(memory.get());
    const std::int64_t count = bytes / 8;
    EXPECT_TRUE(std::all_of(values, values + count, [](std::int64_t value) { return value == 0; }));
    ranks.barrier("seen to be zero")->wait();
    for (std::int64_t i = ranks.rank(); i < count; i += ranks.size()) values[i] = 10 * i + ranks.rank();
    ranks.barrier("written")->wait();
    for (std::int64_t i = 0; i < count; ++i) ASSERT_EQ(values[i], 10 * i + i % ranks.size()) << i;
    ranks.barrier("read")->wait();
    if (ranks.rank() == 0) memory.reset();  // who made it
    ranks.barrier("given up by one")->wait();
    if (memory) {
      EXPECT_EQ(values[count - 1], 10 * (count - 1) + (count - 1) % ranks.size());
    }
  }
}

/// Numbers of very different size, whose float sum depends on the order of addition.
inline std::vector<float> awkward_numbers(int rank, std::size_t count) {
  std::vector<float> values(count);
  Philox(7).fill_normal(values, Purpose::test_data, static_cast<std::uint64_t>(rank), 0);
  for (std::size_t i = 0; i < count; ++i) values[i] *= std::ldexp(1.0F, static_cast<int>(i * 5 % 31) - 15);
  return values;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// The result is that of adding in rank order, to the bit, on every rank; in one piece or in many.
inline void sums_are_in_rank_order(Communicator& ranks, std::size_t count) {
  std::vector<float> expected = awkward_numbers(0, count);
  for (int rank = 1; rank < ranks.size(); ++rank) {
    const std::vector<float> next = awkward_numbers(rank, count);
    for (std::size_t i = 0; i < count; ++i) expected[i] += next[i];
  }
  std::vector<float> whole = awkward_numbers(ranks.rank(), count);
  ranks.all_reduce(buffer_of(std::span(whole)), ReduceOperation::sum, "whole")->wait();
  EXPECT_TRUE(same_bits(whole, expected));

  std::vector<float> pieces = awkward_numbers(ranks.rank(), count);
  std::vector<std::unique_ptr<Work>> under_way;
  for (std::size_t first = 0; first < count; first += count / 3 + 1) {
    const auto piece = std::span(pieces).subspan(first, std::min(count / 3 + 1, count - first));
    under_way.push_back(ranks.all_reduce(buffer_of(piece), ReduceOperation::sum, "piece"));
  }
  for (const auto& work : under_way) work->wait();
  EXPECT_TRUE(same_bits(pieces, expected));
}

/// Ranks wait for operations in different orders, with control operations between.
inline void operations_overlap(Communicator& ranks, std::int64_t large) {
  auto a = contribution<double>(ranks.rank(), large);
  auto b = contribution<float>(ranks.rank(), large + 1);
  auto c = contribution<std::int64_t>(ranks.rank(), 3);
  std::vector<std::unique_ptr<Work>> works;
  works.push_back(ranks.all_reduce(buffer_of(std::span(a)), ReduceOperation::sum, "a"));
  works.push_back(ranks.all_reduce(buffer_of(std::span(b)), ReduceOperation::maximum, "b"));
  works.push_back(ranks.broadcast(buffer_of(std::span(c)), ranks.size() - 1, "c"));
  EXPECT_EQ(maximum(ranks, ranks.rank(), "control between"), ranks.size() - 1);
  if (ranks.rank() % 2 == 1) std::reverse(works.begin(), works.end());
  for (const auto& work : works) work->wait();

  const std::int64_t size = ranks.size();
  for (std::int64_t i = 0; i < large; ++i) {
    ASSERT_EQ(a[static_cast<std::size_t>(i)], static_cast<double>(size * (size + 1) / 2 + size * (i % 7)));
    ASSERT_EQ(b[static_cast<std::size_t>(i)], static_cast<float>(size + i % 7));
  }
  EXPECT_EQ(c, contribution<std::int64_t>(ranks.size() - 1, 3));
}

inline void broadcasts_from_every_root(Communicator& ranks, std::int64_t count) {
  for (int root = 0; root < ranks.size(); ++root) {
    auto values = contribution<double>(ranks.rank(), count);
    ranks.broadcast(buffer_of(std::span(values)), root, "broadcast")->wait();
    EXPECT_EQ(values, contribution<double>(root, count)) << "root " << root;
  }
}

inline void gathers_in_rank_order(Communicator& ranks, std::int64_t count) {
  const auto mine = contribution<std::int64_t>(ranks.rank(), count);
  std::vector<std::int64_t> all(static_cast<std::size_t>(count * ranks.size()), -1);
  ranks.all_gather(buffer_of(std::span(mine)), buffer_of(std::span(all)), "gather")->wait();
  std::vector<std::int64_t> expected;
  for (int rank = 0; rank < ranks.size(); ++rank) {
    const auto theirs = contribution<std::int64_t>(rank, count);
    expected.insert(expected.end(), theirs.begin(), theirs.end());
  }
  EXPECT_EQ(all, expected);
}

inline void shorthands_work(Communicator& ranks) {
  std::vector<double> sums{1.0, static_cast<double>(ranks.rank())};
  all_reduce_sum(ranks, sums, "sums");
  EXPECT_EQ(sums[0], ranks.size());
  EXPECT_EQ(sums[1], ranks.size() * (ranks.size() - 1) / 2);
  EXPECT_EQ(maximum(ranks, -5 - ranks.rank(), "maximum"), -5);

  // Rank 0's text is empty, the others grow; a zero byte and a newline are ordinary characters.
  const auto text_of = [](int rank) {
    return std::string(static_cast<std::size_t>(rank * 3), '\n') + std::string(rank > 0 ? 1 : 0, '\0');
  };
  const auto texts = all_gather_text(ranks, text_of(ranks.rank()), "texts");
  ASSERT_EQ(texts.size(), static_cast<std::size_t>(ranks.size()));
  for (int rank = 0; rank < ranks.size(); ++rank)
    EXPECT_EQ(texts[static_cast<std::size_t>(rank)], text_of(rank));
}

/// The Error that `action` throws; a failure when it throws none.
inline Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ExitCode::done, "nothing was thrown");
}

inline void fails_together(Communicator& ranks) {
  int calls = 0;
  together(ranks, "all well", [&] { ++calls; });
  EXPECT_EQ(calls, 1);

  // All but rank 0 fail, each in its own way: everyone reports rank 1 (with one rank: nothing fails).
  const auto some_fail = [&] {
    if (ranks.rank() > 0) throw Error(ExitCode::cannot_write, "no space for {}", ranks.rank());
  };
  if (ranks.size() == 1) {
    EXPECT_NO_THROW(together(ranks, "saving", some_fail));
  } else {
    const Error error = error_of([&] { together(ranks, "saving", some_fail); });
    EXPECT_EQ(error.code(), ExitCode::cannot_write);
    EXPECT_STREQ(error.what(), "rank 1: no space for 1");
  }
  const Error error =
      error_of([&] { together(ranks, "saving", [] { throw std::out_of_range("a defect"); }); });
  EXPECT_EQ(error.code(), ExitCode::internal);
  EXPECT_STREQ(error.what(), ranks.size() > 1 ? "rank 0: a defect" : "a defect");
}

/// An error that all ranks have agreed on is not agreed on again.
inline void agreed_errors_pass_through(Communicator& ranks) {
  const auto inner = [&] {
    together(ranks, "inner", [&] {
      if (ranks.rank() == ranks.size() - 1) throw Error(ExitCode::bad_data, "row 7");
    });
  };
  try {
    together(ranks, "outer", inner);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    const std::string prefix = ranks.size() > 1 ? "rank " + std::to_string(ranks.size() - 1) + ": " : "";
    EXPECT_EQ(error.what(), prefix + "row 7");
  }
}

/// Every number falls to one rank, in blocks; a rank that takes 20 ms a block leaves most to rank 0.
inline void blocks_are_taken_in_turns(Communicator& ranks) {
  for (const std::int64_t count : {0, 1, 6, 200}) {
    SCOPED_TRACE(count);
    constexpr std::int64_t block = 3;
    std::vector<double> taken(static_cast<std::size_t>(count));
    std::int64_t mine = 0;
    in_turns(ranks, "turns", count, block, [&](std::int64_t first, std::int64_t last) {
      if (ranks.rank() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      EXPECT_EQ(first % block, 0);
      EXPECT_EQ(last, std::min(count, first + block));
      for (std::int64_t i = first; i < last; ++i) ++taken[static_cast<std::size_t>(i)];
      mine += last - first;
    });
    all_reduce_sum(ranks, taken, "taken");
    EXPECT_EQ(taken, std::vector<double>(taken.size(), 1.0));
    if (ranks.rank() == 0 && count == 200) {
      EXPECT_GT(mine, count / 2);
    }
  }
}

/// Whoever meets the bad number, all fail with its message and leave what is not begun.
inline void a_failed_turn_ends_them_all(Communicator& ranks) {
  constexpr std::int64_t count = 1'000'000;
  std::int64_t mine = 0;
  const Error error = error_of([&] {
    in_turns(ranks, "turns", count, 1, [&](std::int64_t first, std::int64_t) {
      ++mine;
      if (first == 10) throw Error(ExitCode::bad_data, "number 10");
      if (first > 10) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
  });
  EXPECT_EQ(error.code(), ExitCode::bad_data);
  EXPECT_NE(std::string(error.what()).find("number 10"), std::string::npos) << error.what();
  EXPECT_LT(mine, count / 2);
  EXPECT_EQ(maximum(ranks, ranks.rank(), "still in step"), ranks.size() - 1);
}

inline void differing_ranks_are_named(Communicator& ranks) {
  EXPECT_NO_THROW(require_same(ranks, "the data", "digest"));
  if (ranks.size() == 1) return;
  const std::string mine = ranks.rank() == 0 ? "a" : "b";
  const Error all_others = error_of([&] { require_same(ranks, "the configuration", mine); });
  EXPECT_EQ(all_others.code(), ExitCode::bad_config);
  const char* who[] = {"", "", "rank 1 ", "ranks 1, 2 ", "ranks 1, 2, 3 ", "ranks 1, 2, 3, 4 "};
  EXPECT_NE(std::string(all_others.what()).find(std::string("the configuration of ") + who[ranks.size()]),
            std::string::npos)
      << all_others.what();

  const std::string last_differs = ranks.rank() == ranks.size() - 1 ? "b" : "a";
  const Error last = error_of([&] { require_same(ranks, "the program", last_differs); });
  EXPECT_NE(std::string(last.what()).find("the program of rank " + std::to_string(ranks.size() - 1) + " "),
            std::string::npos)
      << last.what();
}

}  // namespace svi::comm::test
