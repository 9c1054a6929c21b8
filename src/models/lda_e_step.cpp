#include "lda_e_step.hpp"

#include <algorithm>
#include <cmath>

#include "svi/base/cpu_versions.hpp"
#include "svi/math/special.hpp"

namespace svi::lda {

namespace {

template <typename Real>
SVI_INLINE double log_norms_body(std::int64_t words, const Real* counts, const Real* norms) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t n = 0; n < words; ++n)
    sum += static_cast<double>(counts[n]) * static_cast<double>(math::log(norms[n]));
  return sum;
}
SVI_CPU_VERSIONS double log_norms_of(std::int64_t words, const float* counts, const float* norms) {
  return log_norms_body(words, counts, norms);
}
SVI_CPU_VERSIONS double log_norms_of(std::int64_t words, const double* counts, const double* norms) {
  return log_norms_body(words, counts, norms);
}

template <typename Real>
SVI_INLINE double total_body(std::span<const Real> gamma) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t k = 0; k < gamma.size(); ++k) sum += static_cast<double>(gamma[k]);
  return sum;
}
SVI_CPU_VERSIONS double total_of(std::span<const float> gamma) { return total_body(gamma); }
SVI_CPU_VERSIONS double total_of(std::span<const double> gamma) { return total_body(gamma); }

// Elements of θ' and β' below the type's range count as its smallest number, at most this after all factors.
template <typename Real>
constexpr double smallest_factor = std::same_as<Real, float> ? 6e-38 : 1e-300;

}  // namespace

double total(std::span<const float> gamma) { return total_of(gamma); }
double total(std::span<const double> gamma) { return total_of(gamma); }

template <typename Real>
double log_norms(const DocumentLayout<Real>& layout) {
  return log_norms_of(static_cast<std::int64_t>(layout.words()), layout.counts(), layout.norms());
}
template double log_norms(const DocumentLayout<float>&);
template double log_norms(const DocumentLayout<double>&);

template <typename Real>
EStep<Real>::EStep(const Kernel<Real>& kernel, std::int64_t topics, const EStepOptions& options)
    : kernel_(kernel), topics_(topics), stride_(stride_of(topics)) {
  for (AlignedBuffer<Real>* buffer : {&alpha_, &gamma_, &sums_})
    buffer->resize(static_cast<std::size_t>(stride_));
  std::fill_n(alpha_.data(), stride_, Real(1));
  std::fill_n(gamma_.data(), stride_, Real(1));
  active_topics_.resize(active_list);
  active_numbers_.resize(4 * most_active);
  set_options(options);
}

template <typename Real>
void EStep<Real>::set_options(const EStepOptions& options) {
  options_ = options;
  alpha_total_ = 0;
  for (std::int64_t k = 0; k < topics_; ++k) {
    alpha_.data()[k] = static_cast<Real>(alpha_of(options, k));
    alpha_total_ += alpha_of(options, k);
  }
}

template <typename Real>
bool EStep<Real>::fit(const TopicRows<Real>& beta, const Document& document, Real* theta, Wanted wanted) {
  iterations_ = 0;
  layout_.take(beta, document);
  if (document.rows.empty()) {  // q(θ) is the prior
    std::copy_n(alpha_.data(), topics_, gamma_.data());
    return true;
  }
  std::fill_n(gamma_.data(), topics_, Real(first_gamma));
  totals_.resize(layout_.room());
  for (std::size_t n = 0; n < layout_.words(); ++n) totals_.data()[n] = beta.total(document.rows[n]);
  for (std::size_t n = layout_.words(); n < layout_.room(); ++n)
    totals_.data()[n] = totals_.data()[0];
  ratios_.resize(layout_.room());
  if (options_.active_topics) active_rows_.resize(layout_.room() * most_active);
  Real* numbers = active_numbers_.data();
  ActiveTopics<Real> active{
      active_topics_.data(), active_rows_.data(),       ratios_.data(),           numbers,
      numbers + most_active, numbers + 2 * most_active, numbers + 3 * most_active};
  const FitTask<Real> task{.stride = stride_,
                           .topics = topics_,
                           .words = layout_.padded_words(),
                           .rows = layout_.rows(),
                           .totals = totals_.data(),
                           .counts = layout_.counts(),
                           .alpha = alpha_.data(),
                           .gamma = gamma_.data(),
                           .theta = theta,
                           .ratios = ratios_.data(),
                           .norms = layout_.norms(),
                           .sums = sums_.data(),
                           .tolerance = static_cast<Real>(options_.tolerance),
                           .max_iterations = options_.max_iterations,
                           .active = options_.active_topics ? &active : nullptr,
                           .wants_norms = wanted == Wanted::norms};
  const FitResult<Real> result = kernel_.fit(task);
  iterations_ = result.iterations;
  // What elements below the range can add to a norm must stay below a millionth of it.
  const double doubtful = static_cast<double>(topics_) * smallest_factor<Real> *
                          (static_cast<double>(result.largest_theta) + factor_scale);
  return static_cast<double>(result.smallest_norm) >= 1e6 * doubtful;
}

template <typename Real>
double EStep<Real>::bound(const TopicRows<Real>& beta, const Document& document) const {
  if (document.rows.empty()) return 0;  // q(θ) is the prior
  double tokens = 0;
  double offsets = 0;
  for (std::size_t n = 0; n < layout_.words(); ++n) {
    const double count = document.counts[n];
    tokens += count;
    offsets += count * beta.offset(document.rows[n]);
  }
  const double gamma_total = total(gamma());
  const math::LogGamma<double> of_total = math::log_gamma_and_digamma(gamma_total);
  const DirichletSums<Real> sums = kernel_.dirichlet_sums(stride_, gamma_.data(), alpha_.data());
  // KL(q(θ) ‖ p(θ)); see dirichlet_kl.
  const double divergence = of_total.value - math::log_gamma(alpha_total_) -
                            static_cast<double>(sums.log_gamma) + static_cast<double>(sums.excess) -
                            (gamma_total - alpha_total_) * of_total.digamma;
  return log_norms(layout_) + offsets - tokens * (2 * std::log(factor_scale) + of_total.digamma) - divergence;
}

template class EStep<float>;
template class EStep<double>;

}  // namespace svi::lda
