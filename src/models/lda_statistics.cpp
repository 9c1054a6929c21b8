#include "lda_statistics.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "svi/core/parallel.hpp"
#include "svi/math/special.hpp"

namespace svi::lda {

template <typename Real>
void Statistics<Real>::sort_entries_by_word() {
  const std::span<const std::int32_t> entry_rows = inference_.entry_rows();
  const CountRows& rows = inference_.rows();
  word_starts_.assign(inference_.words().size() + 1, 0);
  for (const std::int32_t row : entry_rows) ++word_starts_[static_cast<std::size_t>(row) + 1];
  for (std::size_t r = 1; r < word_starts_.size(); ++r) word_starts_[r] += word_starts_[r - 1];
  std::vector<std::int32_t> next(word_starts_.begin(), word_starts_.end() - 1);
  entries_.resize(entry_rows.size());
  documents_.resize(entry_rows.size());
  for (std::size_t b = 0; b + 1 < rows.starts.size(); ++b) {
    for (auto i = static_cast<std::size_t>(rows.starts[b]); i < static_cast<std::size_t>(rows.starts[b + 1]);
         ++i) {
      const auto place = static_cast<std::size_t>(next[static_cast<std::size_t>(entry_rows[i])]++);
      entries_[place] = static_cast<std::int32_t>(i);
      documents_[place] = static_cast<std::int32_t>(b);
    }
  }
}

template <typename Real>
void Statistics<Real>::fit_documents(const Minibatch& minibatch, const Philox& noise) {
  const std::int64_t documents = minibatch.size();
  const std::int64_t stride = inference_.beta().stride();
  theta_.resize(static_cast<std::size_t>(documents * stride));
  ratios_.resize(entries_.size());
  results_.assign(static_cast<std::size_t>(documents), {});
  if (is_collapsed()) responsibilities_.resize(entries_.size() * static_cast<std::size_t>(stride));
  using Fit = DocumentFit<Real>;
  const auto visit = [&](Fit& fit, std::span<const float> start, std::int64_t b) {
    const auto first = static_cast<std::size_t>(inference_.rows().starts[static_cast<std::size_t>(b)]);
    if (is_collapsed()) {
      fit_collapsed(fit, b);
    } else {
      fit.fit(inference_.document(b), start, theta_.data() + b * stride);
      for (std::size_t n = 0; n < fit.ratios().size(); ++n)
        ratios_[first + n] = fit.reference() ? Real(0) : fit.ratios()[n];
    }
    double gamma_total = 0;
    for (const Real gamma : fit.gamma()) gamma_total += static_cast<double>(gamma);
    results_[static_cast<std::size_t>(b)] = {fit.bound(), fit.iterations(), gamma_total, fit.reference()};
  };
  for_each_document<Real>(inference_, options_, minibatch, noise, visit);
}

// Each occurrence's φ goes where the word finds it, in place of θ' and ratio.
template <typename Real>
void Statistics<Real>::fit_collapsed(DocumentFit<Real>& fit, std::int64_t b) {
  const std::int64_t stride = inference_.beta().stride();
  const std::int64_t first = inference_.rows().starts[static_cast<std::size_t>(b)];
  const Document document = inference_.document(b);
  std::copy(document.counts.begin(), document.counts.end(), ratios_.begin() + first);
  fit.fit_collapsed(document, responsibilities_.data() + first * stride,
                    options_.alphas.empty() ? nullptr : theta_.data() + b * stride);
}

template <typename Real>
void Statistics<Real>::add_up_words(const Contribution& contribution,
                                    std::span<const std::int32_t> contribution_rows) {
  const std::int64_t topics = inference_.topics().topics();
  const std::int64_t stride = inference_.beta().stride();
  Real* out = contribution.rows.values.template mutable_data_ptr<Real>();
  // Σ_d ratio θ'_d by β', or Σ_d c φ_d by one.
  const std::int32_t* which = is_collapsed() ? entries_.data() : documents_.data();
  const Real* factors = is_collapsed() ? responsibilities_.data() : theta_.data();
  AlignedBuffer<Real> ones;
  ones.resize(static_cast<std::size_t>(stride));
  std::fill_n(ones.data(), stride, Real(1));
  std::vector<AlignedBuffer<Real>> sums(static_cast<std::size_t>(parallel_threads()));
  for (AlignedBuffer<Real>& of_thread : sums) of_thread.resize(static_cast<std::size_t>(stride));
  std::vector<std::vector<Real>> ratios(sums.size());
  parallel_items(std::ssize(contribution_rows), [&](std::int64_t thread, std::int64_t r) {
    const std::int32_t start = word_starts_[static_cast<std::size_t>(r)];
    const std::int32_t entries = word_starts_[static_cast<std::size_t>(r) + 1] - start;
    std::vector<Real>& of_word = ratios[static_cast<std::size_t>(thread)];
    of_word.clear();
    for (std::int32_t i = start; i < start + entries; ++i)
      of_word.push_back(ratios_[static_cast<std::size_t>(entries_[static_cast<std::size_t>(i)])]);
    const Real* row = is_collapsed() ? ones.data() : inference_.beta().row(r);
    inference_.kernel().word_counts(topics, stride, entries, which + start, of_word.data(), factors, row,
                                    sums[static_cast<std::size_t>(thread)].data(),
                                    out + contribution_rows[static_cast<std::size_t>(r)] * topics);
  });
}

template <typename Real>
void Statistics<Real>::add_references(Contribution& contribution,
                                      std::span<const std::int32_t> contribution_rows) {
  const std::int64_t topics = inference_.topics().topics();
  Real* out = contribution.rows.values.template mutable_data_ptr<Real>();
  for (std::int64_t b = 0; b < std::ssize(results_); ++b) {
    const auto& reference = results_[static_cast<std::size_t>(b)].reference;
    if (!reference) continue;
    const double* counts = reference->counts.data();
    for (const std::int32_t r : inference_.document(b).rows) {
      Real* row = out + contribution_rows[static_cast<std::size_t>(r)] * topics;
      for (std::int64_t k = 0; k < topics; ++k) row[k] += static_cast<Real>(*counts++);
    }
  }
}

namespace {

// sums_k += ln θ'_k − offset.
template <typename Real>
void add_logarithms(std::int64_t topics, const Real* theta, double offset, double* sums) {
#pragma omp simd
  for (std::int64_t k = 0; k < topics; ++k) sums[k] += static_cast<double>(math::log(theta[k])) - offset;
}

}  // namespace

// E[ln θ_dk] = ψ(γ_dk) − ψ(Σ_j γ_dj), of documents with words; collapsed E[ψ(α_k + n_k)] − ψ(Σ_j α_j + n_d),
// which stands in its place in the gradient of the documents' probability by α (Minka 2000).
template <typename Real>
void Statistics<Real>::add_log_theta(Contribution& contribution) const {
  const std::int64_t topics = inference_.topics().topics();
  const std::span<double> sums = contribution.terms["log_theta"];
  for (std::int64_t b = 0; b < std::ssize(results_); ++b) {
    const Result& result = results_[static_cast<std::size_t>(b)];
    if (inference_.document(b).rows.empty()) continue;
    contribution.terms.scalar("documents") += 1;
    const double digamma_total = math::digamma(result.gamma_total);
    const Real* of_document = theta_.data() + b * inference_.beta().stride();
    if (is_collapsed()) {
      for (std::size_t k = 0; k < sums.size(); ++k)
        sums[k] += static_cast<double>(of_document[k]) - digamma_total;
    } else if (result.reference) {
      for (std::size_t k = 0; k < sums.size(); ++k)
        sums[k] += math::digamma(result.reference->gamma[k]) - digamma_total;
    } else {
      add_logarithms(topics, of_document, std::log(factor_scale) + digamma_total, sums.data());
    }
  }
}

template <typename Real>
void Statistics<Real>::accumulate(const Topics& topics, const EStepOptions& options,
                                  const Minibatch& minibatch, const Philox& noise,
                                  Contribution& contribution) {
  options_ = options;
  inference_.prepare(topics, options.estimator, std::get<CountRows>(minibatch.rows));
  sort_entries_by_word();
  fit_documents(minibatch, noise);

  std::vector<std::int32_t> contribution_rows(inference_.words().size());
  for (std::size_t i = 0; i < contribution.rows.rows.size(); ++i) {
    const std::int32_t r = inference_.row_of(contribution.rows.rows[i]);
    if (r >= 0) contribution_rows[static_cast<std::size_t>(r)] = static_cast<std::int32_t>(i);
  }
  add_up_words(contribution, contribution_rows);
  add_references(contribution, contribution_rows);

  for (const Result& result : results_) {
    contribution.terms.scalar("bound") += result.bound;
    contribution.terms.scalar("iterations") += static_cast<double>(result.iterations);
  }
  double& tokens = contribution.terms.scalar("tokens");
  for (const float count : inference_.rows().counts) tokens += static_cast<double>(count);
  if (contribution.terms.contains("log_theta")) add_log_theta(contribution);
  contribution.terms.scalar("rows") += static_cast<double>(results_.size());
}

template class Statistics<float>;
template class Statistics<double>;

}  // namespace svi::lda
