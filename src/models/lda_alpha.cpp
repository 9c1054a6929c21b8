#include "lda_alpha.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "svi/math/special.hpp"

namespace svi::lda {

namespace {

constexpr int most_iterations = 5;
constexpr double enough = 1e-6;  // of an element's relative change

// α − step, but no less than a tenth of α.
double moved(double alpha, double step) { return std::max(alpha - step, 0.1 * alpha); }

}  // namespace

void fit_alpha(std::span<const double> mean_log_theta, std::span<double> alpha) {
  std::vector<double> gradient(alpha.size());
  std::vector<double> curvature(alpha.size());  // of the Hessian's diagonal part: −ψ'(α_k)
  for (int iteration = 0; iteration < most_iterations; ++iteration) {
    const double total = std::accumulate(alpha.begin(), alpha.end(), 0.0);
    const double digamma_total = math::digamma(total);
    double weighted = 0;
    double weights = 0;
    for (std::size_t k = 0; k < alpha.size(); ++k) {
      gradient[k] = digamma_total - math::digamma(alpha[k]) + mean_log_theta[k];
      curvature[k] = -math::trigamma(alpha[k]);
      weighted += gradient[k] / curvature[k];
      weights += 1 / curvature[k];
    }
    const double shift = weighted / (1 / math::trigamma(total) + weights);
    double change = 0;
    for (std::size_t k = 0; k < alpha.size(); ++k) {
      const double next = moved(alpha[k], (gradient[k] - shift) / curvature[k]);
      change = std::max(change, std::fabs(next / alpha[k] - 1));
      alpha[k] = next;
    }
    if (change < enough) return;
  }
}

double fit_symmetric_alpha(double total, double topics, double alpha) {
  for (int iteration = 0; iteration < most_iterations; ++iteration) {
    const double gradient = topics * (math::digamma(topics * alpha) - math::digamma(alpha)) + total;
    const double curvature = topics * (topics * math::trigamma(topics * alpha) - math::trigamma(alpha));
    const double next = moved(alpha, gradient / curvature);
    const double change = std::fabs(next / alpha - 1);
    alpha = next;
    if (change < enough) break;
  }
  return alpha;
}

}  // namespace svi::lda
