#include "lda_collapsed.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "svi/math/special.hpp"

namespace svi::lda {

template <typename Real>
CollapsedFit<Real>::CollapsedFit(const Kernel<Real>& kernel, std::int64_t topics, const EStepOptions& options)
    : kernel_(kernel), topics_(topics), stride_(stride_of(topics)) {
  for (AlignedBuffer<Real>* buffer : {&alpha_, &digamma_alpha_, &gamma_, &previous_, &scratch_})
    buffer->resize(static_cast<std::size_t>(stride_));
  std::fill_n(alpha_.data(), stride_, Real(1));
  set_options(options);
}

template <typename Real>
void CollapsedFit<Real>::set_options(const EStepOptions& options) {
  options_ = options;
  for (std::int64_t k = 0; k < topics_; ++k) {
    alpha_.data()[k] = static_cast<Real>(alpha_of(options, k));
    digamma_alpha_.data()[k] = static_cast<Real>(math::digamma(alpha_of(options, k)));
  }
}

template <typename Real>
void CollapsedFit<Real>::fit(const TopicRows<Real>& beta, const Document& document, Real* log_theta) {
  layout_.take(beta, document);
  const auto padded = static_cast<std::size_t>(layout_.padded_words());
  inverses_.resize(padded);
  ratios_.resize(padded);
  weights_.resize(padded * static_cast<std::size_t>(stride_));
  iterations_ = kernel_.fit_collapsed({.stride = stride_,
                                       .topics = topics_,
                                       .words = layout_.padded_words(),
                                       .rows = layout_.rows(),
                                       .counts = layout_.counts(),
                                       .alpha = alpha_.data(),
                                       .digamma_alpha = digamma_alpha_.data(),
                                       .gamma = gamma_.data(),
                                       .weights = weights_.data(),
                                       .inverses = inverses_.data(),
                                       .ratios = ratios_.data(),
                                       .log_theta = log_theta,
                                       .previous = previous_.data(),
                                       .scratch = scratch_.data(),
                                       .tolerance = static_cast<Real>(options_.tolerance),
                                       .max_iterations = options_.max_iterations});
  if (document.rows.empty()) iterations_ = 0;
}

template <typename Real>
double CollapsedFit<Real>::log_likelihood() {
  kernel_.mixtures(stride_, layout_.padded_words(), layout_.rows(), gamma_.data(), layout_.norms());
  const double tokens = total(std::span(layout_.counts(), layout_.words()));
  return log_norms(layout_) - tokens * std::log(total(gamma()));
}

template class CollapsedFit<float>;
template class CollapsedFit<double>;

}  // namespace svi::lda
