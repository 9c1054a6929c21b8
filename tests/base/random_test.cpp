#include "svi/base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace svi::test {

namespace {

using Words = std::array<std::uint64_t, 4>;

// Philox4x64-10 written down from the paper (Salmon et al. 2011, section 3.3), as a second implementation.
Words philox_by_the_paper(Words counter, std::array<std::uint64_t, 2> key) {
  __extension__ using uint128 = unsigned __int128;
  for (int round = 0; round < 10; ++round) {
    const uint128 a = static_cast<uint128>(0xD2E7470EE14C6C93U) * counter[0];
    const uint128 b = static_cast<uint128>(0xCA5A826395121157U) * counter[2];
    counter = {static_cast<std::uint64_t>(b >> 64) ^ counter[1] ^ key[0], static_cast<std::uint64_t>(b),
               static_cast<std::uint64_t>(a >> 64) ^ counter[3] ^ key[1], static_cast<std::uint64_t>(a)};
    key[0] += 0x9E3779B97F4A7C15U;
    key[1] += 0xBB67AE8584CAA73BU;
  }
  return counter;
}

// Upper bound of Pearson's statistic for 64 equal cells (63 degrees of freedom): exceeded by chance once in
// a million (Wilson and Hilferty 1931).
constexpr double chi_square_63_millionth = 132;

double chi_square_of_cells(const std::vector<double>& in_unit_interval) {
  std::vector<double> cells(64);
  for (const double u : in_unit_interval)
    ++cells[std::min<std::size_t>(63, static_cast<std::size_t>(u * 64))];
  const double expected = static_cast<double>(in_unit_interval.size()) / 64;
  double sum = 0;
  for (const double count : cells) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

// The mean of f over the values, in standard errors from its expectation.
template <typename Function>
double deviation(const std::vector<double>& values, double expectation, double variance, Function f) {
  double sum = 0;
  for (const double value : values) sum += f(value);
  const auto count = static_cast<double>(values.size());
  return (sum / count - expectation) / std::sqrt(variance / count);
}

// A switch takes no value twice, and the compiler tells a purpose that is missing here.
constexpr bool has_a_number_of_its_own(Purpose purpose) {
  switch (purpose) {
    case Purpose::initialization:
    case Purpose::shard_offset:
    case Purpose::shard_shuffle:
    case Purpose::validation_split:
    case Purpose::completion_half:
    case Purpose::latent:
    case Purpose::pixel:
    case Purpose::generation:
    case Purpose::test_data:
    case Purpose::block_shuffle:
    case Purpose::window_shuffle:
    case Purpose::importance:
    case Purpose::aggregate:
    case Purpose::label_choice:
    case Purpose::dropout:
      return true;
  }
  return false;
}
static_assert(has_a_number_of_its_own(Purpose::dropout));

constexpr std::size_t many = 1'000'000;
// Two-sided probability 6e-7 of a false alarm for each deviation; the seeds are fixed, so it is met once.
constexpr double limit = 5;

}  // namespace

// The known answers that Random123 publishes for philox4x64-10.
TEST(Philox, SecondImplementationGivesThePublishedAnswers) {
  EXPECT_EQ(philox_by_the_paper({0, 0, 0, 0}, {0, 0}),
            (Words{0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b}));
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  EXPECT_EQ(philox_by_the_paper({ones, ones, ones, ones}, {ones, ones}),
            (Words{0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0}));
  EXPECT_EQ(
      philox_by_the_paper({0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89},
                          {0x452821e638d01377, 0xbe5466cf34e90c6c}),
      (Words{0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6}));
}

TEST(Philox, WordsAreThoseOfSeedPurposeStepDatumAndBlock) {
  EXPECT_EQ(Philox(0).words(static_cast<Purpose>(0), 0, 0, 0),
            (Words{0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b}));
  std::uint64_t x = 0x243f6a8885a308d3;
  for (int trial = 0; trial < 100; ++trial) {
    const auto next = [&x] { return x = x * 6364136223846793005U + 1442695040888963407U; };
    const std::uint64_t seed = next(), step = next(), datum = next(), block = next();
    EXPECT_EQ(Philox(seed).words(Purpose::latent, step, datum, block),
              philox_by_the_paper({block, datum, step, 0}, {seed, 6}));
  }
}

TEST(Philox, PurposesKeepTheirNumbers) {
  // They are part of the meaning of every checkpoint.
  EXPECT_EQ(static_cast<int>(Purpose::initialization), 1);
  EXPECT_EQ(static_cast<int>(Purpose::shard_offset), 2);
  EXPECT_EQ(static_cast<int>(Purpose::shard_shuffle), 3);
  EXPECT_EQ(static_cast<int>(Purpose::validation_split), 4);
  EXPECT_EQ(static_cast<int>(Purpose::completion_half), 5);
  EXPECT_EQ(static_cast<int>(Purpose::latent), 6);
  EXPECT_EQ(static_cast<int>(Purpose::pixel), 7);
  EXPECT_EQ(static_cast<int>(Purpose::generation), 8);
}

TEST(Philox, AWordIsOneOfItsBlock) {
  const Philox random(3);
  for (std::uint64_t draw = 0; draw < 12; ++draw) {
    EXPECT_EQ(random.word(Purpose::pixel, 5, 6, draw),
              random.words(Purpose::pixel, 5, 6, draw / 4)[draw % 4]);
  }
}

TEST(Philox, EveryPartOfTheKeyMatters) {
  std::set<std::uint64_t> words;
  for (const std::uint64_t seed : {1, 2}) {
    for (const Purpose purpose : {Purpose::latent, Purpose::pixel}) {
      for (const std::uint64_t step : {0, 1}) {
        for (const std::uint64_t datum : {0, 1}) {
          for (std::uint64_t draw = 0; draw < 8; ++draw) {
            words.insert(Philox(seed).word(purpose, step, datum, draw));
          }
        }
      }
    }
  }
  EXPECT_EQ(words.size(), 128U);
}

TEST(Philox, UniformNumbersAreUniform) {
  const Philox random(11);
  std::vector<double> values(many);
  for (std::size_t i = 0; i < many; ++i) values[i] = random.uniform(Purpose::test_data, 0, i / 100, i % 100);
  EXPECT_GE(*std::min_element(values.begin(), values.end()), 0);
  EXPECT_LT(*std::max_element(values.begin(), values.end()), 1);
  EXPECT_LT(chi_square_of_cells(values), chi_square_63_millionth);
  EXPECT_LT(std::abs(deviation(values, 0.5, 1.0 / 12, [](double u) { return u; })), limit);
  EXPECT_EQ(std::ldexp(values[0], 53), std::floor(std::ldexp(values[0], 53)));
}

TEST(Philox, FilledUniformNumbersAreUniform) {
  std::vector<float> filled(many);
  Philox(12).fill_uniform(filled, Purpose::test_data, 1, 2);
  for (const float u : filled) {
    ASSERT_GE(u, 0.0F);
    ASSERT_LT(u, 1.0F);
    ASSERT_EQ(std::ldexp(u, 24), std::floor(std::ldexp(u, 24)));
  }
  const std::vector<double> values(filled.begin(), filled.end());
  EXPECT_LT(chi_square_of_cells(values), chi_square_63_millionth);
  // Numbers of one word, and neighbours, are not correlated: E[(u − ½)(v − ½)] = 0, its variance 1/144.
  for (const std::size_t lag : {1, 2, 7, 8}) {
    std::vector<double> products;
    for (std::size_t i = 0; i + lag < many; ++i)
      products.push_back((values[i] - 0.5) * (values[i + lag] - 0.5));
    EXPECT_LT(std::abs(deviation(products, 0, 1.0 / 144, [](double p) { return p; })), limit) << lag;
  }
}

TEST(Philox, NormalNumbersAreNormal) {
  std::vector<double> values(many);
  Philox(13).fill_normal(values, Purpose::test_data, 1, 2);
  EXPECT_LT(std::abs(deviation(values, 0, 1, [](double z) { return z; })), limit);
  EXPECT_LT(std::abs(deviation(values, 1, 2, [](double z) { return z * z; })), limit);
  EXPECT_LT(std::abs(deviation(values, 0, 15, [](double z) { return z * z * z; })), limit);
  EXPECT_LT(std::abs(deviation(values, 3, 96, [](double z) { return z * z * z * z; })), limit);

  std::vector<double> probabilities;
  for (const double z : values) probabilities.push_back(0.5 * std::erfc(-z / std::sqrt(2.0)));
  EXPECT_LT(chi_square_of_cells(probabilities), chi_square_63_millionth);

  // The two numbers of a pair share a radius: neither they nor their squares may be correlated.
  std::vector<double> products, squares;
  for (std::size_t i = 0; i < many; i += 2) {
    products.push_back(values[i] * values[i + 1]);
    squares.push_back((values[i] * values[i] - 1) * (values[i + 1] * values[i + 1] - 1));
  }
  EXPECT_LT(std::abs(deviation(products, 0, 1, [](double p) { return p; })), limit);
  EXPECT_LT(std::abs(deviation(squares, 0, 4, [](double p) { return p; })), limit);
}

TEST(Philox, FilledNumbersDoNotDependOnTheLength) {
  const Philox random(14);
  std::vector<float> uniform(40), normal(40);
  random.fill_uniform(uniform, Purpose::latent, 3, 4);
  random.fill_normal(normal, Purpose::latent, 3, 4);
  for (std::size_t length = 0; length < 40; ++length) {
    std::vector<float> shorter(length + 1, -9.0F);
    random.fill_uniform(std::span(shorter).first(length), Purpose::latent, 3, 4);
    EXPECT_TRUE(
        std::equal(uniform.begin(), uniform.begin() + static_cast<std::ptrdiff_t>(length), shorter.begin()));
    EXPECT_EQ(shorter.back(), -9.0F) << "wrote beyond the end";
    random.fill_normal(std::span(shorter).first(length), Purpose::latent, 3, 4);
    EXPECT_TRUE(
        std::equal(normal.begin(), normal.begin() + static_cast<std::ptrdiff_t>(length), shorter.begin()));
    EXPECT_EQ(shorter.back(), -9.0F) << "wrote beyond the end";
  }
}

TEST(Philox, NormalFloatsAreTheRoundedDoubles) {
  const Philox random(15);
  std::vector<float> floats(1001);
  std::vector<double> doubles(1001);
  random.fill_normal(floats, Purpose::latent, 0, 0);
  random.fill_normal(doubles, Purpose::latent, 0, 0);
  for (std::size_t i = 0; i < floats.size(); ++i) EXPECT_NEAR(floats[i], doubles[i], 1e-6);
}

TEST(Philox, BelowCoversItsRangeEvenly) {
  const Philox random(16);
  std::vector<double> faces(6);
  for (std::uint64_t i = 0; i < 600'000; ++i) ++faces.at(random.below(6, Purpose::test_data, 0, i, 0));
  double chi_square = 0;
  for (const double count : faces) chi_square += (count - 1e5) * (count - 1e5) / 1e5;
  EXPECT_LT(chi_square, 37);  // 5 degrees of freedom: exceeded by chance less than once in a million

  for (std::uint64_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(random.below(1, Purpose::test_data, 1, i, 0), 0U);
    EXPECT_LT(random.below(~std::uint64_t{0}, Purpose::test_data, 1, i, 0), ~std::uint64_t{0});
  }
}

}  // namespace svi::test
