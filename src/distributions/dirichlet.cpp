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

template <typename Real>
SVI_INLINE DirichletSums sum_body(const Real* gamma, std::ptrdiff_t size, double prior) {
  double concentration = 0;
  double log_gamma = 0;
  double excess = 0;
#pragma omp simd reduction(+ : concentration, log_gamma, excess)
  for (std::ptrdiff_t k = 0; k < size; ++k) {
    const auto value = static_cast<double>(gamma[k]);
    const math::LogGamma<double> of_value = math::log_gamma_and_digamma(value);
    concentration += value;
    log_gamma += of_value.value;
    excess += (value - prior) * of_value.digamma;
  }
  return {concentration, log_gamma, excess};
}

SVI_CPU_VERSIONS DirichletSums sum(const float* gamma, std::ptrdiff_t size, double prior) {
  return sum_body(gamma, size, prior);
}
SVI_CPU_VERSIONS DirichletSums sum(const double* gamma, std::ptrdiff_t size, double prior) {
  return sum_body(gamma, size, prior);
}

SVI_CPU_VERSIONS void add_terms(const double* values, std::ptrdiff_t count, double prior,
                                double* concentration, double* log_gamma, double* excess) {
#pragma omp simd
  for (std::ptrdiff_t k = 0; k < count; ++k) {
    const math::LogGamma<double> of_value = math::log_gamma_and_digamma(values[k]);
    concentration[k] += values[k];
    log_gamma[k] += of_value.value;
    excess[k] += (values[k] - prior) * of_value.digamma;
  }
}

double divergence(const DirichletSums& sums, double size, double prior) {
  // Σ (γ_k − prior) E[ln θ_k] = Σ (γ_k − prior) ψ(γ_k) − (Σγ − K·prior) ψ(Σγ)
  const math::LogGamma<double> of_total = math::log_gamma_and_digamma(sums.concentration);
  const double cross = sums.excess - (sums.concentration - size * prior) * of_total.digamma;
  return of_total.value - sums.log_gamma - math::log_gamma(size * prior) + size * math::log_gamma(prior) +
         cross;
}

}  // namespace

double dirichlet_kl(std::span<const float> concentration, double prior) {
  return divergence(sum(concentration.data(), std::ssize(concentration), prior),
                    static_cast<double>(concentration.size()), prior);
}

double dirichlet_kl(std::span<const double> concentration, double prior) {
  return divergence(sum(concentration.data(), std::ssize(concentration), prior),
                    static_cast<double>(concentration.size()), prior);
}

void DirichletDivergences::add(std::span<const double> values) {
  size_ += 1;
  add_terms(values.data(), std::ssize(values), prior_, concentration_.data(), log_gamma_.data(),
            excess_.data());
}

void DirichletDivergences::add(const DirichletDivergences& others) {
  size_ += others.size_;
  for (std::size_t k = 0; k < excess_.size(); ++k) {
    concentration_[k] += others.concentration_[k];
    log_gamma_[k] += others.log_gamma_[k];
    excess_[k] += others.excess_[k];
  }
}

double DirichletDivergences::total() const {
  double sum = 0;
  for (std::size_t k = 0; k < excess_.size(); ++k)
    sum += divergence({concentration_[k], log_gamma_[k], excess_[k]}, size_, prior_);
  return sum;
}

}  // namespace svi
