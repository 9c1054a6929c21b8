#include "lda_inference.hpp"

#include <algorithm>

#include "svi/core/parallel.hpp"
#include "svi/math/special.hpp"

namespace svi::lda {

namespace {

template <typename Real>
ReferenceFit reference_of(const Inference<Real>& inference, const Document& document,
                          const EStepOptions& options) {
  const Topics& topics = inference.topics();
  const auto count = static_cast<std::size_t>(topics.topics());
  std::vector<double> log_beta(document.rows.size() * count);
  for (std::size_t n = 0; n < document.rows.size(); ++n) {
    double* of_word = log_beta.data() + n * count;
    topics.values(inference.words()[static_cast<std::size_t>(document.rows[n])], of_word);
    for (std::size_t k = 0; k < count; ++k)
      of_word[k] = math::digamma(of_word[k]) - math::digamma(topics.totals()[k]);
  }
  return fit_reference(log_beta, document.counts, std::vector<double>(count, first_gamma), options);
}

RowKind kind_of(Estimator estimator) {
  return estimator == Estimator::collapsed ? RowKind::mean : RowKind::exp_expected_log;
}

}  // namespace

template <typename Real>
void Inference<Real>::begin(const Topics& topics, const CountRows& rows) {
  topics_ = topics;
  rows_ = &rows;
  for (const std::int32_t word : words_) row_of_word_[static_cast<std::size_t>(word)] = -1;
  entry_rows_.resize(rows.words.size());
}

template <typename Real>
void Inference<Real>::prepare(const Topics& topics, Estimator estimator, const CountRows& rows) {
  begin(topics, rows);
  words_.resize(std::min(rows.words.size(), row_of_word_.size()) + 1);
  std::int32_t found = 0;
  for (std::size_t i = 0; i < rows.words.size(); ++i) {
    // Without a branch, which no processor could foresee: the word is written as the next new one in any
    // case.
    const std::int32_t word = rows.words[i];
    std::int32_t& row = row_of_word_[static_cast<std::size_t>(word)];
    words_[static_cast<std::size_t>(found)] = word;
    const bool is_new = row < 0;
    row = is_new ? found : row;
    entry_rows_[i] = row;
    found += is_new ? 1 : 0;
  }
  words_.resize(static_cast<std::size_t>(found));
  beta_.compute(kernel_, kind_of(estimator), words_, topics);
}

template <typename Real>
void Inference<Real>::prepare(const Topics& topics, Estimator estimator, const CountRows& rows,
                              std::span<const std::int32_t> words, SharedWork& shared_work) {
  begin(topics, rows);
  words_.assign(words.begin(), words.end());
  for (std::size_t r = 0; r < words.size(); ++r)
    row_of_word_[static_cast<std::size_t>(words[r])] = static_cast<std::int32_t>(r);
  parallel_parts(std::ssize(rows.words), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int32_t word = rows.words[static_cast<std::size_t>(i)];
      entry_rows_[static_cast<std::size_t>(i)] = row_of_word_[static_cast<std::size_t>(word)];
    }
  });
  beta_.compute(kernel_, kind_of(estimator), words_, topics, &shared_work);
}

template <typename Real>
Document Inference<Real>::document(std::int64_t b) const {
  const auto first = static_cast<std::size_t>(rows_->starts[static_cast<std::size_t>(b)]);
  const auto size = static_cast<std::size_t>(rows_->starts[static_cast<std::size_t>(b) + 1]) - first;
  return {std::span(entry_rows_).subspan(first, size), std::span(rows_->counts).subspan(first, size)};
}

template <typename Real>
DocumentFit<Real>::DocumentFit(const Inference<Real>& inference, const EStepOptions& options)
    : inference_(inference),
      options_(options),
      e_step_(inference.kernel(), inference.topics().topics(), options),
      collapsed_(inference.kernel(), inference.topics().topics(), options) {
  theta_.resize(static_cast<std::size_t>(inference.beta().stride()));
}

template <typename Real>
void DocumentFit<Real>::set_options(const EStepOptions& options) {
  options_ = options;
  e_step_.set_options(options);
  collapsed_.set_options(options);
}

template <typename Real>
void DocumentFit<Real>::fit(const Document& document, Real* theta, typename EStep<Real>::Wanted wanted) {
  reference_.reset();
  document_ = document;
  if (e_step_.fit(inference_.beta(), document, theta, wanted)) {
    gamma_.assign(e_step_.gamma().begin(), e_step_.gamma().end());
    iterations_ = e_step_.iterations();
    return;
  }
  reference_ = reference_of(inference_, document, options_);
  gamma_.assign(reference_->gamma.begin(), reference_->gamma.end());
  iterations_ = reference_->iterations;
  std::fill_n(theta, inference_.beta().stride(), Real(0));
}

template <typename Real>
void DocumentFit<Real>::fit_collapsed(const Document& document, Real* log_theta) {
  reference_.reset();
  collapsed_.fit(inference_.beta(), document, log_theta);
  gamma_.assign(collapsed_.gamma().begin(), collapsed_.gamma().end());
  iterations_ = collapsed_.iterations();
}

template <typename Real>
void DocumentFit<Real>::fit(const Document& document) {
  if (options_.estimator == Estimator::collapsed) {
    fit_collapsed(document, nullptr);
  } else {
    fit(document, theta_.data(), EStep<Real>::Wanted::gamma);
  }
}

template <typename Real>
double DocumentFit<Real>::fit_bound(const Document& document) {
  if (options_.estimator == Estimator::collapsed) {
    fit_collapsed(document, nullptr);
  } else {
    fit(document, theta_.data());
  }
  return bound();
}

template <typename Real>
double DocumentFit<Real>::bound() {
  if (options_.estimator == Estimator::collapsed) return collapsed_.log_likelihood();
  return reference_ ? reference_->bound : e_step_.bound(inference_.beta(), document_);
}

std::vector<std::int64_t> groups_of(const CountRows& rows, std::int64_t count) {
  std::vector<std::int64_t> groups;
  for (std::int64_t group = 0; group < count; ++group)
    groups.push_back(std::ranges::lower_bound(rows.starts, group * rows.starts.back() / count) -
                     rows.starts.begin());
  groups.push_back(std::ssize(rows.starts) - 1);
  return groups;
}

template <typename Real>
void DocumentFits<Real>::prepare(const EStepOptions& options) {
  for (DocumentFit<Real>& fit : fits_) fit.set_options(options);
  while (std::ssize(fits_) < parallel_threads()) fits_.emplace_back(inference_, options);
}

template <typename Real>
void DocumentFits<Real>::on_each_thread(const EStepOptions& options,
                                        const std::function<void(DocumentFit<Real>& fit)>& visit) {
  prepare(options);
  parallel_parts(parallel_threads(), [&](std::int64_t thread, std::int64_t /*end*/) {
    visit(fits_[static_cast<std::size_t>(thread)]);
  });
}

template <typename Real>
void DocumentFits<Real>::for_each(std::span<const std::int64_t> groups, const EStepOptions& options,
                                  const Visit& visit) {
  prepare(options);
  parallel_items(std::ssize(groups) - 1, [&](std::int64_t thread, std::int64_t i) {
    const auto t = static_cast<std::size_t>(thread);
    const auto group = static_cast<std::size_t>(i);
    for (std::int64_t b = groups[group]; b < groups[group + 1]; ++b) visit(fits_[t], b, group);
  });
}

template <typename Real>
void fit_each(const Inference<Real>& inference, const EStepOptions& options,
              const std::function<void(DocumentFit<Real>& fit, std::int64_t b)>& visit) {
  const std::int64_t documents = std::ssize(inference.rows().starts) - 1;
  DocumentFits<Real>(inference).for_each(
      groups_of(inference.rows(), (documents + 7) / 8), options,
      [&](DocumentFit<Real>& fit, std::int64_t b, std::size_t /*group*/) { visit(fit, b); });
}
template void fit_each(const Inference<float>&, const EStepOptions&,
                       const std::function<void(DocumentFit<float>&, std::int64_t)>&);
template void fit_each(const Inference<double>&, const EStepOptions&,
                       const std::function<void(DocumentFit<double>&, std::int64_t)>&);

template class DocumentFits<float>;
template class DocumentFits<double>;
template class Inference<float>;
template class Inference<double>;
template class DocumentFit<float>;
template class DocumentFit<double>;

}  // namespace svi::lda
