#include "adam.hpp"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <algorithm>
#include <cmath>

#include "svi/base/cpu_versions.hpp"
#include "svi/core/parallel.hpp"

namespace svi {

namespace {

template <typename Real>
struct AdamStep {
  Real beta1;
  Real beta2;
  Real step;  // α / (1 − β₁^t)
  Real root;  // 1 / √(1 − β₂^t)
  Real epsilon;
  Real factor;     // of the gradient, clipping included
  Real kept = 1;   // of θ before the step: 1 − αλ
  Real share = 0;  // of θ − average, which the average moves by
};

// What a step reads and changes, from one element on.
template <typename Real>
struct AdamBuffers {
  std::int64_t size;
  const Real* g;
  Real* m;
  Real* v;
  Real* theta;
  Real* average;  // null: none is kept
};

template <bool decays, bool averages, typename Real>
SVI_INLINE void update_body(const AdamStep<Real>& s, std::int64_t size, const Real* g, Real* m, Real* v,
                            Real* theta, Real* average) {
#pragma omp simd
  for (std::int64_t i = 0; i < size; ++i) {
    const Real gradient = s.factor * g[i];
    m[i] = s.beta1 * m[i] + (1 - s.beta1) * gradient;             // m_t = β₁ m + (1 − β₁) g
    v[i] = s.beta2 * v[i] + (1 - s.beta2) * gradient * gradient;  // v_t = β₂ v + (1 − β₂) g²
    const Real change = s.step * m[i] / (std::sqrt(v[i]) * s.root + s.epsilon);
    theta[i] = decays ? s.kept * theta[i] + change : theta[i] + change;
    if constexpr (averages) average[i] += s.share * (theta[i] - average[i]);
  }
}

template <typename Real>
SVI_INLINE void update_any(const AdamStep<Real>& s, const AdamBuffers<Real>& b) {
  if (s.kept == 1 && b.average == nullptr) {
    update_body<false, false>(s, b.size, b.g, b.m, b.v, b.theta, b.average);
  } else if (b.average == nullptr) {
    update_body<true, false>(s, b.size, b.g, b.m, b.v, b.theta, b.average);
  } else {
    update_body<true, true>(s, b.size, b.g, b.m, b.v, b.theta, b.average);
  }
}

SVI_CPU_VERSIONS void update_flat(const AdamStep<float>& s, const AdamBuffers<float>& buffers) {
  update_any(s, buffers);
}

void update_flat(const AdamStep<double>& s, const AdamBuffers<double>& buffers) { update_any(s, buffers); }

// The same on any device.
void update_tensors(const AdamStep<double>& s, TrainingState& state, const Tensor& direction) {
  const Tensor& first = state.optimizer.at("first_moment").flat();
  const Tensor& second = state.optimizer.at("second_moment").flat();
  first.mul_(s.beta1).add_(direction, (1 - s.beta1) * s.factor);
  second.mul_(s.beta2).addcmul_(direction, direction, (1 - s.beta2) * s.factor * s.factor);
  decay_weights(state.parameters, s.kept);
  state.parameters.flat().addcdiv_(first, second.sqrt().mul_(s.root).add_(s.epsilon), s.step);
  if (s.share > 0) move_average(state, s.share);
}

template <typename Real>
AdamStep<Real> rounded(const AdamStep<double>& s) {
  const auto real = [](double value) { return static_cast<Real>(value); };
  return {real(s.beta1),   real(s.beta2),  real(s.step), real(s.root),
          real(s.epsilon), real(s.factor), real(s.kept), real(s.share)};
}

template <typename Real>
AdamBuffers<Real> buffers_from(TrainingState& state, const Tensor& direction, const Stretch& part) {
  const auto from = [&](const Tensor& flat) { return flat.data_ptr<Real>() + part.first; };
  const auto average = state.optimizer.find("average");
  return {part.last - part.first,
          from(direction),
          from(state.optimizer.at("first_moment").flat()),
          from(state.optimizer.at("second_moment").flat()),
          from(state.parameters.flat()),
          average == state.optimizer.end() ? nullptr : from(average->second.flat())};
}

// Threads take whole cache lines.
template <typename Real>
void update_part(const AdamStep<Real>& step, TrainingState& state, const Tensor& direction,
                 const Stretch& part) {
  constexpr std::int64_t line = 16;
  parallel_parts((part.last - part.first + line - 1) / line, [&](std::int64_t first, std::int64_t last) {
    const Stretch share{.first = part.first + first * line,
                        .last = std::min(part.first + last * line, part.last)};
    update_flat(step, buffers_from<Real>(state, direction, share));
  });
}

template <typename Real>
void update_host(const AdamStep<double>& s, TrainingState& state, const Tensor& direction) {
  const AdamStep<Real> step = rounded<Real>(s);
  if (step.kept == 1) {
    update_part(step, state, direction, {.first = 0, .last = direction.numel()});
    return;
  }
  AdamStep<Real> without_decay = step;
  without_decay.kept = 1;
  for (const Stretch& part : stretches(state.parameters))
    update_part(part.decays ? step : without_decay, state, direction, part);
}

}  // namespace

std::vector<std::string> Adam::state_names() const {
  std::vector<std::string> names{"first_moment", "second_moment"};
  if (keeps_average()) names.emplace_back("average");
  return names;
}

void Adam::update(TrainingState& state, Contribution& total) const {
  const auto t = static_cast<double>(state.updates() + 1);
  const AdamStep<double> step{.beta1 = options().beta1,
                              .beta2 = options().beta2,
                              .step = rate(state.step) / (1 - std::pow(options().beta1, t)),
                              .root = 1 / std::sqrt(1 - std::pow(options().beta2, t)),
                              .epsilon = options().epsilon,
                              .factor = clipped_factor(total),
                              .kept = kept_share(state.step),
                              .share = keeps_average() ? average_share(state.updates()) : 0};
  const Tensor& direction = total.statistics.flat();
  if (!direction.device().is_cpu()) return update_tensors(step, state, direction);
  AT_DISPATCH_FLOATING_TYPES(direction.scalar_type(), "adam",
                             [&] { update_host<scalar_t>(step, state, direction); });
}

}  // namespace svi
