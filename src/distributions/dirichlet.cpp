#include "svi/distributions/dirichlet.hpp"

#include <cmath>

#include "svi/math/special.hpp"

namespace svi {

namespace {

struct DirichletSums {
  double concentration = 0;  // Σ γ_k
  double log_gamma = 0;      // Σ ln Γ(γ_k)
  double excess = 0;         // Σ (γ_k − prior) ψ(γ_k)
};

SVI_CPU_VERSIONS DirichletSums sum(const float* gamma, std::ptrdiff_t size, double prior) {
  double concentration = 0;
  double log_gamma = 0;
  double excess = 0;
#pragma omp simd reduction(+ : concentration, log_gamma, excess)
  for (std::ptrdiff_t k = 0; k < size; ++k) {
    const double value = gamma[k];
    concentration += value;
    log_gamma += math::log_gamma(value);
    excess += (value - prior) * math::digamma(value);
  }
  return {concentration, log_gamma, excess};
}

}  // namespace

double dirichlet_kl(std::span<const float> concentration, double prior) {
  const auto size = static_cast<double>(concentration.size());
  const DirichletSums sums = sum(concentration.data(), std::ssize(concentration), prior);
  // Σ (γ_k − prior) E[ln θ_k] = Σ (γ_k − prior) ψ(γ_k) − (Σγ − K·prior) ψ(Σγ)
  const double cross = sums.excess - (sums.concentration - size * prior) * math::digamma(sums.concentration);
  return std::lgamma(sums.concentration) - sums.log_gamma - std::lgamma(size * prior) +
         size * std::lgamma(prior) + cross;
}

}  // namespace svi
