#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace svi {

/// What a random number is for; part of the key, so that no two uses ever share numbers.
/// The values are written into the meaning of every checkpoint: append, never renumber.
enum class Purpose : std::uint64_t {
  initialization = 1,
  shard_offset = 2,
  shard_shuffle = 3,
  validation_split = 4,
  completion_half = 5,
  latent = 6,
  pixel = 7,
  generation = 8,
  test_data = 9,  // 10 was where LDA's documents started
  block_shuffle = 11,
  window_shuffle = 12,
  importance = 13,
  aggregate = 14,
  label_choice = 15,
  dropout = 16,
};

/// Random numbers as a pure function of (seed, purpose, step, datum, draw): Philox4x64-10.
///
/// Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"; computed by
/// Random123. Key = (seed, purpose), counter = (draw / 4, datum, step, 0); the draw's last two bits pick one
/// of the four words. Nothing depends on rank, thread, call order or clock. **Local.**
class Philox {
 public:
  explicit Philox(std::uint64_t seed) : seed_(seed) {}

  std::uint64_t seed() const { return seed_; }

  /// The four words of draws 4·block … 4·block + 3.
  std::array<std::uint64_t, 4> words(Purpose purpose, std::uint64_t step, std::uint64_t datum,
                                     std::uint64_t block) const;

  std::uint64_t word(Purpose purpose, std::uint64_t step, std::uint64_t datum, std::uint64_t draw) const;

  /// In [0, 1), a multiple of 2^-53.
  double uniform(Purpose purpose, std::uint64_t step, std::uint64_t datum, std::uint64_t draw) const;

  /// In {0, …, bound − 1}, by the high half of a 128-bit product; its bias is below bound / 2^64.
  std::uint64_t below(std::uint64_t bound, Purpose purpose, std::uint64_t step, std::uint64_t datum,
                      std::uint64_t draw) const;

  /// Fills with numbers in [0, 1), multiples of 2^-24; eight to a Philox block.
  void fill_uniform(std::span<float> values, Purpose purpose, std::uint64_t step, std::uint64_t datum) const;

  /// Fills with standard normal numbers by Box and Muller 1958, two to a pair of 32-bit words.
  void fill_normal(std::span<float> values, Purpose purpose, std::uint64_t step, std::uint64_t datum) const;
  void fill_normal(std::span<double> values, Purpose purpose, std::uint64_t step, std::uint64_t datum) const;

 private:
  std::uint64_t seed_;
};

}  // namespace svi
