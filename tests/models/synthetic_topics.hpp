#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <memory>
#include <vector>

#include "svi/base/random.hpp"
#include "svi/core/minibatch.hpp"
#include "svi/optim/update_rule.hpp"

namespace svi::test {

/// Documents drawn from five topics, each of 20 words of its own with a share of all others.
struct Synthetic {
  static constexpr std::int64_t topics = 5;
  static constexpr std::int64_t vocabulary = 100;
  Tensor beta = at::full({topics, vocabulary}, 0.1 / vocabulary, at::kDouble);

  Synthetic() {
    for (std::int64_t k = 0; k < topics; ++k) beta[k].slice(0, 20 * k, 20 * k + 20).add_(0.9 / 20);
  }

  /// 50 tokens a document; θ by normalised Gamma(⅓)-like powers of uniforms, keyed by the document.
  Minibatch documents(std::int64_t first, std::int64_t last) const {
    const Philox noise(41);
    Minibatch minibatch;
    CountRows rows;
    for (std::int64_t d = first; d < last; ++d) {
      const auto uniform = [&](std::uint64_t draw) {
        return noise.uniform(Purpose::test_data, 1, static_cast<std::uint64_t>(d), draw);
      };
      std::vector<double> theta;
      double total = 0;
      for (std::uint64_t k = 0; k < topics; ++k) total += theta.emplace_back(std::pow(uniform(k), 4));
      std::vector<float> counts(vocabulary, 0);
      for (std::uint64_t n = 0; n < 50; ++n) {
        double u = uniform(10 + 3 * n) * total;
        std::int64_t k = 0;
        while (k + 1 < topics && u >= theta[static_cast<std::size_t>(k)])
          u -= theta[static_cast<std::size_t>(k++)];
        const double v = uniform(11 + 3 * n);
        const bool is_own = v < 0.9;
        const double w = uniform(12 + 3 * n);
        const auto word =
            is_own ? 20 * k + static_cast<std::int64_t>(20 * w) : static_cast<std::int64_t>(100 * w);
        counts[static_cast<std::size_t>(word)] += 1;
      }
      minibatch.ids.push_back(d);
      for (std::int32_t w = 0; w < vocabulary; ++w) {
        if (counts[static_cast<std::size_t>(w)] == 0) continue;
        rows.words.push_back(w);
        rows.counts.push_back(counts[static_cast<std::size_t>(w)]);
      }
      rows.starts.push_back(std::ssize(rows.words));
    }
    minibatch.rows = std::move(rows);
    return minibatch;
  }
};

inline std::unique_ptr<UpdateRule> robbins_monro(double delay, double forgetting_rate) {
  OptimizerOptions options;
  options.type = "robbins_monro";
  options.delay = delay;
  options.forgetting_rate = forgetting_rate;
  return make_update_rule(options, {.total_steps = 1});
}

}  // namespace svi::test
