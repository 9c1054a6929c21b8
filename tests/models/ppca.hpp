#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "models/instance.hpp"

namespace svi::test {

/// Probabilistic PCA: p(x) = N(b, W Wᵀ + v I). With orthogonal columns of W the true posterior has a diagonal
/// covariance, v / (v + |w_j|²), and the mean M⁻¹ Wᵀ (x − b), M = WᵀW + v I: a linear encoder holds it
/// exactly, and this one does.
struct Ppca {
  static constexpr std::int64_t width = 6;
  static constexpr std::int64_t latent = 2;
  static constexpr double variance = 0.3;

  /// @param objective "objective.key=value" each
  explicit Ppca(const std::vector<std::string>& objective = {})
      : model("vae", settings(objective), {.training_rows = 20, .feature_shape = {width}}, at::kDouble) {
    w.select(1, 0).copy_(at::tensor({1.0, 0.5, 0.0, -0.5, 0.2, 0.0}, at::kDouble));
    w.select(1, 1).copy_(at::tensor({0.5, -1.0, 0.7, 0.0, 0.0, -0.4}, at::kDouble));
    model.state.parameters["decoder.0/weight"].copy_(w);
    model.state.parameters["decoder.0/bias"].copy_(b);
    const Tensor scale = (w * w).sum(0) + variance;  // diagonal of M
    const Tensor mean_weight = w.t() / scale.unsqueeze(1);
    const Tensor weight = model.state.parameters["encoder.0/weight"];
    const Tensor bias = model.state.parameters["encoder.0/bias"];
    weight.zero_();
    weight.slice(0, 0, latent).copy_(mean_weight);
    bias.slice(0, 0, latent).copy_(-at::mv(mean_weight, b));
    bias.slice(0, latent, 2 * latent).copy_(at::log(variance / scale));
  }

  static std::vector<std::string> settings(const std::vector<std::string>& objective) {
    std::vector<std::string> all{"latent=2", "encoder=[]", "decoder=[]", "likelihood=gaussian",
                                 "variance=0.3"};
    all.insert(all.end(), objective.begin(), objective.end());
    return all;
  }

  /// Adds to ln σ² of q.
  void widen(double log_variance) {
    model.state.parameters["encoder.0/bias"].slice(0, latent, 2 * latent).add_(log_variance);
  }

  /// Σ over rows of ln p(x).
  double log_p(const Tensor& x) const {
    const Tensor covariance = at::mm(w, w.t()) + variance * at::eye(width, at::kDouble);
    const Tensor difference = x.to(at::kDouble) - b;
    const Tensor solved = at::linalg_solve(covariance, difference.t());
    const double quadratic = (difference.t() * solved).sum().item<double>();
    const auto rows = static_cast<double>(x.size(0));
    const double log_determinant = std::get<1>(at::linalg_slogdet(covariance)).item<double>();
    return -0.5 * (quadratic + rows * (log_determinant + width * std::log(2 * std::numbers::pi)));
  }

  Tensor w = at::zeros({width, latent}, at::kDouble);
  Tensor b = at::tensor({0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, at::kDouble);
  Instance model;
};

}  // namespace svi::test
