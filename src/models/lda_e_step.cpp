#include "lda_e_step.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "svi/distributions/dirichlet.hpp"
#include "svi/math/special.hpp"

namespace svi::lda {

namespace {

constexpr std::int64_t words_at_once = 4;
// Below this norm a clamped factor (exp(−87)) could matter: relative error 1.6e-38 / 1e-30 · K otherwise.
constexpr float smallest_norm = 1e-30F;

// row_k = exp(l_k − max_j l_j) for the logarithms l; returns the largest.
template <typename Logarithm>
SVI_INLINE float exp_of_scaled(std::int64_t topics, const Logarithm& logarithm, float* row) {
  float largest = -1e30F;
#pragma omp simd reduction(max : largest)
  for (std::int64_t k = 0; k < topics; ++k) {
    row[k] = logarithm(k);
    largest = std::max(largest, row[k]);
  }
#pragma omp simd
  for (std::int64_t k = 0; k < topics; ++k) row[k] = math::exp(row[k] - largest);
  return largest;
}

SVI_CPU_VERSIONS float topic_row(std::int64_t topics, const float* lambda, const float* digamma_totals,
                                 float* row) {
  return exp_of_scaled(
      topics, [=](std::int64_t k) { return math::digamma(lambda[k]) - digamma_totals[k]; }, row);
}

struct Fit {
  std::int64_t stride;
  std::int64_t topics;
  std::int64_t words;  // a multiple of words_at_once
  const float* rows;
  const float* counts;
  float* gamma;
  float* theta;
  float* sums;
  float* norms;
};

// θ'_k = exp(ψ(γ_k) − max_j ψ(γ_j)); the padding stays zero.
SVI_INLINE float expected_theta(const Fit& fit) {
  return exp_of_scaled(
      fit.topics, [&](std::int64_t k) { return math::digamma(fit.gamma[k]); }, fit.theta);
}

// norm_n = Σ_k θ'_k β'_nk and sums_k = Σ_n c_n β'_nk / norm_n, four words at a time.
SVI_INLINE float norms_and_sums(const Fit& fit) {
  std::memset(fit.sums, 0, static_cast<std::size_t>(fit.stride) * sizeof(float));
  float smallest = 1e30F;
  for (std::int64_t n = 0; n < fit.words; n += words_at_once) {
    const float* r0 = fit.rows + n * fit.stride;
    const float* r1 = r0 + fit.stride;
    const float* r2 = r1 + fit.stride;
    const float* r3 = r2 + fit.stride;
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3) aligned(r0, r1, r2, r3 : 64)
    for (std::int64_t k = 0; k < fit.stride; ++k) {
      s0 += fit.theta[k] * r0[k];
      s1 += fit.theta[k] * r1[k];
      s2 += fit.theta[k] * r2[k];
      s3 += fit.theta[k] * r3[k];
    }
    fit.norms[n] = s0;
    fit.norms[n + 1] = s1;
    fit.norms[n + 2] = s2;
    fit.norms[n + 3] = s3;
    smallest = std::min({smallest, s0, s1, s2, s3});
    const float q0 = fit.counts[n] / s0;
    const float q1 = fit.counts[n + 1] / s1;
    const float q2 = fit.counts[n + 2] / s2;
    const float q3 = fit.counts[n + 3] / s3;
#pragma omp simd aligned(r0, r1, r2, r3 : 64)
    for (std::int64_t k = 0; k < fit.stride; ++k) {
      fit.sums[k] += q0 * r0[k] + q1 * r1[k] + q2 * r2[k] + q3 * r3[k];
    }
  }
  return smallest;
}

struct FitResult {
  std::int64_t iterations;
  float theta_offset;
  float smallest_norm;
};

SVI_CPU_VERSIONS FitResult fit_gamma(const Fit& fit, float alpha, float tolerance,
                                     std::int64_t max_iterations) {
  FitResult result{0, 0, 1e30F};
  const float enough = tolerance * static_cast<float>(fit.topics);
  float change = enough;
  while (result.iterations < max_iterations && !(change < enough)) {
    expected_theta(fit);
    result.smallest_norm = std::min(result.smallest_norm, norms_and_sums(fit));
    change = 0;
#pragma omp simd reduction(+ : change)
    for (std::int64_t k = 0; k < fit.topics; ++k) {
      const float gamma = alpha + fit.theta[k] * fit.sums[k];
      change += std::fabs(gamma - fit.gamma[k]);
      fit.gamma[k] = gamma;
    }
    ++result.iterations;
  }
  // θ' and the norms once more, so that statistics and bound belong to the final γ.
  result.theta_offset = expected_theta(fit);
  result.smallest_norm = std::min(result.smallest_norm, norms_and_sums(fit));
  return result;
}

SVI_CPU_VERSIONS void add_scaled(std::int64_t size, float scale, const float* values, float* sums) {
#pragma omp simd
  for (std::int64_t k = 0; k < size; ++k) sums[k] += scale * values[k];
}

}  // namespace

void AlignedFloats::resize(std::size_t size) {
  if (size <= size_) return;
  values_.reset(static_cast<float*>(::operator new[](size * sizeof(float), std::align_val_t{64})));
  std::fill_n(values_.get(), size, 0.0F);
  size_ = size;
}

void TopicRows::compute(std::span<const std::int32_t> words, const float* lambda,
                        std::span<const float> digamma_totals) {
  values_.resize(words.size() * static_cast<std::size_t>(stride_));
  offsets_.resize(words.size());
  for (std::size_t r = 0; r < words.size(); ++r) {
    float* row = values_.data() + static_cast<std::int64_t>(r) * stride_;
    offsets_[r] = topic_row(topics_, lambda + words[r] * topics_, digamma_totals.data(), row);
  }
}

EStep::EStep(std::int64_t topics, EStepOptions options)
    : topics_(topics), stride_(stride_of(topics)), options_(options) {
  for (AlignedFloats* buffer : {&gamma_, &theta_, &sums_}) buffer->resize(static_cast<std::size_t>(stride_));
}

std::int64_t EStep::gather(const TopicRows& beta, const Document& document) {
  const auto words = std::ssize(document.rows);
  const std::int64_t padded = (words + words_at_once - 1) / words_at_once * words_at_once;
  rows_.resize(static_cast<std::size_t>(padded * stride_));
  counts_.resize(static_cast<std::size_t>(padded));
  norms_.resize(static_cast<std::size_t>(padded));
  for (std::int64_t n = 0; n < padded; ++n) {
    // A padding word repeats the first with count 0: it adds nothing and its norm is positive.
    const auto from = static_cast<std::size_t>(n < words ? n : 0);
    std::memcpy(rows_.data() + n * stride_, beta.row(document.rows[from]),
                static_cast<std::size_t>(stride_) * sizeof(float));
    counts_.data()[n] = n < words ? document.counts[from] : 0.0F;
  }
  return padded;
}

bool EStep::fit(const TopicRows& beta, const Document& document, std::span<const float> start) {
  iterations_ = 0;
  if (document.rows.empty()) {  // q(θ) is the prior
    std::fill_n(gamma_.data(), topics_, static_cast<float>(options_.alpha));
    return true;
  }
  std::copy(start.begin(), start.end(), gamma_.data());
  const std::int64_t words = gather(beta, document);
  const Fit fit{stride_,       topics_,       words,        rows_.data(), counts_.data(),
                gamma_.data(), theta_.data(), sums_.data(), norms_.data()};
  const FitResult result = fit_gamma(fit, static_cast<float>(options_.alpha),
                                     static_cast<float>(options_.tolerance), options_.max_iterations);
  iterations_ = result.iterations;
  theta_offset_ = result.theta_offset;
  return result.smallest_norm >= smallest_norm;
}

void EStep::add_statistics(const Document& document, float* sums) const {
  for (std::size_t n = 0; n < document.rows.size(); ++n) {
    add_scaled(stride_, counts_.data()[n] / norms_.data()[n], theta_.data(),
               sums + document.rows[n] * stride_);
  }
}

double EStep::bound(const TopicRows& beta, const Document& document) const {
  if (document.rows.empty()) return 0;  // q(θ) is the prior
  double tokens = 0;
  double log_norms = 0;
  double gamma_total = 0;
  for (const float gamma : gamma()) gamma_total += gamma;
  for (std::size_t n = 0; n < document.rows.size(); ++n) {
    const double count = document.counts[n];
    tokens += count;
    log_norms += count * (std::log(static_cast<double>(norms_.data()[n])) + beta.offset(document.rows[n]));
  }
  const double log_theta_offset = theta_offset_ - math::digamma(gamma_total);
  return log_norms + tokens * log_theta_offset - dirichlet_kl(gamma(), options_.alpha);
}

}  // namespace svi::lda
