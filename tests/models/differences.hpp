#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "models/instance.hpp"
#include "svi/base/error.hpp"

namespace svi::test {

/// Holds the gradient of the sum over rows against central differences of a figure of the training line, at
/// every third of the parameters in [first, last) of the flat buffer, in float64 with the noise fixed.
inline void expect_gradient_of(Instance& model, const std::string& figure, const Minibatch& rows,
                               std::int64_t first, std::int64_t last) {
  const Contribution total = model.accumulate(rows);
  const Tensor theta = model.state.parameters.flat();
  const auto count = static_cast<double>(rows.size());
  double largest = 0;
  for (std::int64_t i = first; i < last; i += 3) {
    const double before = theta[i].item<double>();
    theta[i] = before + 1e-6;
    const double up = model.figure(figure, rows);
    theta[i] = before - 1e-6;
    const double down = model.figure(figure, rows);
    theta[i] = before;
    const double gradient = total.statistics.flat()[i].item<double>() / count;
    largest = std::max(largest, std::fabs(gradient));
    // Rounding moves the figure by some 1e-15 of it: the quotient by some 1e-9; h² terms are below that.
    EXPECT_NEAR(gradient, (up - down) / 2e-6, 5e-9 * (1 + std::fabs(up))) << i;
  }
  EXPECT_GT(largest, 1e-3) << "the test would pass on zeros";
}

inline void expect_gradient_of(Instance& model, const std::string& figure, const Minibatch& rows) {
  expect_gradient_of(model, figure, rows, 0, model.state.parameters.flat().numel());
}

/// Rows 0 … 23 on one rank equal 0, 1 … 9, none and 10 … 23 on four, in float64 up to the order of summation.
inline void expect_ranks_add_up(Instance& model, std::int64_t width) {
  const Contribution whole = model.accumulate(synthetic(false, width, 0, 24));
  Contribution sum = model.accumulate(synthetic(false, width, 0, 0));
  EXPECT_EQ(sum.statistics.flat().abs().sum().item<double>(), 0);
  for (const double term : sum.terms.flat()) EXPECT_EQ(term, 0);
  for (const auto& [first, last] : {std::pair{0, 1}, {1, 10}, {10, 24}}) {
    const Contribution part = model.accumulate(synthetic(false, width, first, last));
    sum.statistics.flat().add_(part.statistics.flat());
    for (std::size_t i = 0; i < sum.terms.flat().size(); ++i) sum.terms.flat()[i] += part.terms.flat()[i];
  }
  const double scale = whole.statistics.flat().abs().max().item<double>();
  EXPECT_GT(scale, 0);
  EXPECT_LE((sum.statistics.flat() - whole.statistics.flat()).abs().max().item<double>(), 1e-13 * scale);
  for (std::size_t i = 0; i < sum.terms.flat().size(); ++i) {
    EXPECT_NEAR(sum.terms.flat()[i], whole.terms.flat()[i], 1e-13 * (1 + std::fabs(whole.terms.flat()[i])));
  }
}

/// That a VAE of two latent dimensions with these settings is refused as a bad configuration whose message
/// holds all the parts.
inline void expect_vae_refused(const std::vector<std::string>& settings,
                               const std::vector<std::string>& parts) {
  std::vector<std::string> all{"latent=2"};
  all.insert(all.end(), settings.begin(), settings.end());
  const DataShape shape{.training_rows = 100, .feature_shape = {6}, .steps_per_epoch = 10, .total_steps = 50};
  try {
    make_model("vae", all, shape);
    ADD_FAILURE() << "not refused: " << fmt::format("{}", fmt::join(settings, " "));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_config);
    for (const std::string& part : parts)
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << part << "\n" << error.what();
  }
}

}  // namespace svi::test
