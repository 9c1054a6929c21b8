#include "svi/comm/single_process.hpp"

#include <gtest/gtest.h>

#include "comm/collectives.hpp"

namespace svi::comm::test {

TEST(SingleProcess, IsTheGroupOfOne) {
  SingleProcess alone;
  EXPECT_EQ(alone.rank(), 0);
  EXPECT_EQ(alone.size(), 1);
  EXPECT_EQ(alone.rank_in_node(), 0);
  all_types_reduce(alone, {0, 1, 1000});
  sums_are_in_rank_order(alone, 1000);
  operations_overlap(alone, 1000);
  broadcasts_from_every_root(alone, 10);
  gathers_in_rank_order(alone, 10);
  shorthands_work(alone);
  fails_together(alone);
  agreed_errors_pass_through(alone);
  differing_ranks_are_named(alone);
  blocks_are_taken_in_turns(alone);
  a_failed_turn_ends_them_all(alone);
  memory_is_in_common(alone);
  alone.barrier("end")->wait();
  alone.close();
}

TEST(SingleProcess, RefusesWhatItCannotDo) {
  SingleProcess alone;
  std::vector<float> values(4);
  Buffer on_gpu = buffer_of(std::span(values));
  on_gpu.space = MemorySpace::cuda;
  const Error cuda = error_of([&] { alone.all_reduce(on_gpu, ReduceOperation::sum, "gradient"); });
  EXPECT_EQ(cuda.code(), ExitCode::internal);
  EXPECT_NE(std::string(cuda.what()).find("gradient: a buffer in CUDA memory"), std::string::npos);

  const Buffer four = buffer_of(std::span(values));
  const Buffer three = buffer_of(std::span(values).first(3));
  EXPECT_EQ(error_of([&] { alone.all_gather(four, three, "gather"); }).code(), ExitCode::internal);
  EXPECT_EQ(error_of([&] { alone.broadcast(four, 1, "broadcast"); }).code(), ExitCode::internal);
}

TEST(SingleProcess, AbortEndsTheProcessWithTheCode) {
  SingleProcess alone;
  EXPECT_EXIT(alone.abort(ExitCode::communication), testing::ExitedWithCode(71), "");
}

TEST(Buffers, KnowTheirBytes) {
  std::vector<double> doubles(3);
  std::vector<std::uint8_t> bytes(3);
  EXPECT_EQ(buffer_of(std::span(doubles)).bytes(), 24);
  EXPECT_EQ(buffer_of(std::span(bytes)).bytes(), 3);
  // A buffer beyond 32 bits: counts are 64 bits wide all the way.
  EXPECT_EQ((Buffer{nullptr, std::int64_t{3} << 30, DataType::float32, MemorySpace::host}).bytes(),
            std::int64_t{12} << 30);
}

}  // namespace svi::comm::test
