#include "adam.hpp"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <cmath>

#include "svi/base/cpu_versions.hpp"

namespace svi {

namespace {

template <typename Real>
struct AdamStep {
  Real beta1;
  Real beta2;
  Real step;  // α / (1 − β₁^t)
  Real root;  // 1 / √(1 − β₂^t)
  Real epsilon;
  Real factor;  // of the gradient
};

template <typename Real>
SVI_INLINE void update_body(const AdamStep<Real>& s, std::int64_t size, const Real* g, Real* m, Real* v,
                            Real* theta) {
#pragma omp simd
  for (std::int64_t i = 0; i < size; ++i) {
    const Real gradient = s.factor * g[i];
    m[i] = s.beta1 * m[i] + (1 - s.beta1) * gradient;             // m_t = β₁ m + (1 − β₁) g
    v[i] = s.beta2 * v[i] + (1 - s.beta2) * gradient * gradient;  // v_t = β₂ v + (1 − β₂) g²
    theta[i] += s.step * m[i] / (std::sqrt(v[i]) * s.root + s.epsilon);
  }
}

SVI_CPU_VERSIONS void update_flat(const AdamStep<float>& s, std::int64_t size, const float* g, float* m,
                                  float* v, float* theta) {
  update_body(s, size, g, m, v, theta);
}

void update_flat(const AdamStep<double>& s, std::int64_t size, const double* g, double* m, double* v,
                 double* theta) {
  update_body(s, size, g, m, v, theta);
}

}  // namespace

void Adam::update(TrainingState& state, Contribution& total) const {
  const Tensor& gradient = total.statistics.flat();
  const double factor = clipped_factor(total, options_.clip_norm);
  const Tensor& theta = state.parameters.flat();
  const Tensor& first = state.optimizer.at("first_moment").flat();
  const Tensor& second = state.optimizer.at("second_moment").flat();
  const auto t = static_cast<double>(state.step + 1);
  const double step = rate(state.step) / (1 - std::pow(options_.beta1, t));
  const double root = 1 / std::sqrt(1 - std::pow(options_.beta2, t));
  if (!theta.device().is_cpu()) {
    first.mul_(options_.beta1).add_(gradient, (1 - options_.beta1) * factor);
    second.mul_(options_.beta2).addcmul_(gradient, gradient, (1 - options_.beta2) * factor * factor);
    theta.addcdiv_(first, second.sqrt().mul_(root).add_(options_.epsilon), step);
    return;
  }
  AT_DISPATCH_FLOATING_TYPES(theta.scalar_type(), "adam", [&] {
    const AdamStep<scalar_t> constants{static_cast<scalar_t>(options_.beta1),
                                       static_cast<scalar_t>(options_.beta2),
                                       static_cast<scalar_t>(step),
                                       static_cast<scalar_t>(root),
                                       static_cast<scalar_t>(options_.epsilon),
                                       static_cast<scalar_t>(factor)};
    update_flat(constants, theta.numel(), gradient.data_ptr<scalar_t>(), first.data_ptr<scalar_t>(),
                second.data_ptr<scalar_t>(), theta.data_ptr<scalar_t>());
  });
}

}  // namespace svi
