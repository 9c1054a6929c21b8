#include "lda_reference.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "svi/math/special.hpp"

namespace svi::lda {

namespace {

class Reference {
 public:
  Reference(std::span<const double> log_beta, std::span<const float> counts, std::span<const double> start,
            const EStepOptions& options)
      : log_beta_(log_beta), counts_(counts), topics_(start.size()) {
    for (std::size_t k = 0; k < topics_; ++k)
      alpha_.push_back(alpha_of(options, static_cast<std::int64_t>(k)));
    fit_.counts.resize(log_beta.size());
    log_theta_.resize(topics_);
    fit_.gamma.assign(start.begin(), start.end());
  }

  // E[ln θ], then φ_nk ∝ exp(E[ln θ_k] + E[ln β_nk]); returns Σ_n c_n ln Σ_k exp(…).
  double responsibilities() {
    double gamma_total = 0;
    for (const double gamma : fit_.gamma) gamma_total += gamma;
    for (std::size_t k = 0; k < topics_; ++k) {
      log_theta_[k] = math::digamma(fit_.gamma[k]) - math::digamma(gamma_total);
    }
    double log_norms = 0;
    for (std::size_t n = 0; n < counts_.size(); ++n) {
      double* phi = fit_.counts.data() + n * topics_;
      for (std::size_t k = 0; k < topics_; ++k) phi[k] = log_theta_[k] + log_beta_[n * topics_ + k];
      const double largest = *std::max_element(phi, phi + topics_);
      double norm = 0;
      for (std::size_t k = 0; k < topics_; ++k) norm += std::exp(phi[k] - largest);
      for (std::size_t k = 0; k < topics_; ++k) phi[k] = counts_[n] * std::exp(phi[k] - largest) / norm;
      log_norms += counts_[n] * (std::log(norm) + largest);
    }
    return log_norms;
  }

  // γ_k = α + Σ_n c_n φ_nk; returns the mean change.
  double update_gamma() {
    double change = 0;
    for (std::size_t k = 0; k < topics_; ++k) {
      double gamma = alpha_[k];
      for (std::size_t n = 0; n < counts_.size(); ++n) gamma += fit_.counts[n * topics_ + k];
      change += std::fabs(gamma - fit_.gamma[k]);
      fit_.gamma[k] = gamma;
    }
    return change / static_cast<double>(topics_);
  }

  double bound(double log_norms) const {
    double gamma_total = 0;
    double divergence = 0;
    for (std::size_t k = 0; k < topics_; ++k) {
      gamma_total += fit_.gamma[k];
      divergence +=
          std::lgamma(alpha_[k]) - std::lgamma(fit_.gamma[k]) + (fit_.gamma[k] - alpha_[k]) * log_theta_[k];
    }
    divergence += std::lgamma(gamma_total) - std::lgamma(std::accumulate(alpha_.begin(), alpha_.end(), 0.0));
    return log_norms - divergence;
  }

  ReferenceFit fit_;

 private:
  std::span<const double> log_beta_;
  std::span<const float> counts_;
  std::size_t topics_;
  std::vector<double> alpha_;
  std::vector<double> log_theta_;
};

}  // namespace

ReferenceFit fit_reference(std::span<const double> log_beta, std::span<const float> counts,
                           std::span<const double> start, const EStepOptions& options) {
  Reference reference(log_beta, counts, start, options);
  double change = options.tolerance;
  while (reference.fit_.iterations < options.max_iterations && !(change < options.tolerance)) {
    reference.responsibilities();
    change = reference.update_gamma();
    ++reference.fit_.iterations;
  }
  reference.fit_.bound = reference.bound(reference.responsibilities());
  return std::move(reference.fit_);
}

}  // namespace svi::lda
