#include "trainer/generated_data.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "svi/data/data_file.hpp"

namespace svi::test {

void write_images(const std::string& path, std::int64_t count, std::int64_t side, std::uint64_t seed) {
  constexpr double places[5][2] = {{.25, .25}, {.25, .75}, {.75, .25}, {.75, .75}, {.5, .5}};
  std::mt19937_64 random(seed);
  DenseRows rows{.features = at::empty({count, side * side}, at::kByte),
                 .labels = at::empty({count}, at::kLong)};
  auto* pixel = rows.features.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    const auto place = random() % 5;
    rows.labels.mutable_data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(place);
    for (std::int64_t p = 0; p < side * side; ++p) {
      const double y = (static_cast<double>(p / side) + .5) / static_cast<double>(side) - places[place][0];
      const double x = (static_cast<double>(p % side) + .5) / static_cast<double>(side) - places[place][1];
      const double grey = 230 * std::exp(-(x * x + y * y) / .03) + static_cast<double>(random() % 20);
      *pixel++ = static_cast<std::uint8_t>(std::min(grey, 255.0));
    }
  }
  data::write_dense(path, rows, {side, side});
}

void write_documents(const std::string& path, std::int64_t count, std::int64_t vocabulary, std::uint64_t seed,
                     const std::string& word) {
  std::mt19937_64 random(seed);
  const auto words_of_topic = static_cast<std::uint64_t>(vocabulary / 4);
  CountRows rows;
  for (std::int64_t d = 0; d < count; ++d) {
    const std::uint64_t topic = random() % 4;
    std::map<std::int32_t, float> counts;
    for (std::uint64_t n = d % 50 == 7 ? 0 : 20 + random() % 20; n > 0; --n) {
      const std::uint64_t from = random() % 8 == 0 ? random() % 4 : topic;
      counts[static_cast<std::int32_t>(from * words_of_topic + random() % words_of_topic)] += 1;
    }
    for (const auto& [index, times] : counts) {
      rows.words.push_back(index);
      rows.counts.push_back(times);
    }
    rows.starts.push_back(static_cast<std::int64_t>(rows.words.size()));
  }
  std::vector<std::string> names;
  for (std::int64_t v = 0; v < vocabulary; ++v) names.push_back(word + std::to_string(v));
  data::write_counts(path, rows, names, {});
}

void write_measurements(const std::string& path, std::int64_t count, std::int64_t columns, double largest) {
  DenseRows rows{.features = at::empty({count, columns}), .labels = {}};
  for (std::int64_t i = 0; i < count * columns; ++i) {
    rows.features.mutable_data_ptr<float>()[i] = static_cast<float>(largest * std::abs(std::sin(static_cast<double>(i))));
  }
  data::write_dense(path, rows, {columns});
}

}  // namespace svi::test
