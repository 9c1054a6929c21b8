#include "lda_inference.hpp"

#include "svi/math/special.hpp"

namespace svi::lda {

Inference::Inference(std::int64_t vocabulary, std::int64_t topics, const EStepOptions& options)
    : options_(options),
      digamma_totals_(static_cast<std::size_t>(topics)),
      row_of_word_(static_cast<std::size_t>(vocabulary), -1),
      start_(static_cast<std::size_t>(topics)),
      beta_(topics),
      e_step_(topics, options) {}

void Inference::prepare(const float* lambda, std::span<const double> totals, const CountRows& rows) {
  lambda_ = lambda;
  for (std::size_t k = 0; k < totals.size(); ++k) digamma_totals_[k] = math::digamma(totals[k]);
  for (const std::int32_t word : words_) row_of_word_[static_cast<std::size_t>(word)] = -1;
  words_.clear();
  entry_rows_.resize(rows.words.size());
  for (std::size_t i = 0; i < rows.words.size(); ++i) {
    std::int32_t& row = row_of_word_[static_cast<std::size_t>(rows.words[i])];
    if (row < 0) {
      row = static_cast<std::int32_t>(words_.size());
      words_.push_back(rows.words[i]);
    }
    entry_rows_[i] = row;
  }
  beta_.compute(words_, lambda, std::vector<float>(digamma_totals_.begin(), digamma_totals_.end()));
}

Document Inference::document(const CountRows& rows, std::int64_t b) const {
  const auto first = static_cast<std::size_t>(rows.starts[static_cast<std::size_t>(b)]);
  const auto size = static_cast<std::size_t>(rows.starts[static_cast<std::size_t>(b) + 1]) - first;
  return {std::span(entry_rows_).subspan(first, size), std::span(rows.counts).subspan(first, size)};
}

std::span<const float> Inference::start(const Philox& noise, std::int64_t step, std::int64_t document) {
  noise.fill_uniform(start_, Purpose::document_topics, static_cast<std::uint64_t>(step),
                     static_cast<std::uint64_t>(document));
  // A uniform number on an interval of length √12·σ has the variance σ² = 1/100.
  constexpr float length = 0.34641016F;
  for (float& gamma : start_) gamma = 1 + length * (gamma - 0.5F);
  return start_;
}

ReferenceFit Inference::fit_reference(const Document& document, std::span<const float> start) const {
  const std::size_t topics = digamma_totals_.size();
  std::vector<double> log_beta;
  log_beta.reserve(document.rows.size() * topics);
  for (const std::int32_t row : document.rows) {
    const float* of_word =
        lambda_ + words_[static_cast<std::size_t>(row)] * static_cast<std::int64_t>(topics);
    for (std::size_t k = 0; k < topics; ++k) {
      log_beta.push_back(math::digamma(static_cast<double>(of_word[k])) - digamma_totals_[k]);
    }
  }
  return lda::fit_reference(log_beta, document.counts, start, options_);
}

const Inference::Fit& Inference::fit(const Document& document, std::span<const float> start) {
  reference_.reset();
  if (e_step_.fit(beta_, document, start)) {
    fit_.gamma.assign(e_step_.gamma().begin(), e_step_.gamma().end());
    fit_.bound = e_step_.bound(beta_, document);
    fit_.iterations = e_step_.iterations();
  } else {
    reference_ = fit_reference(document, start);
    fit_.gamma.assign(reference_->gamma.begin(), reference_->gamma.end());
    fit_.bound = reference_->bound;
    fit_.iterations = reference_->iterations;
  }
  return fit_;
}

void Inference::add_statistics(const Document& document, float* sums, float* statistics) const {
  if (!reference_) return e_step_.add_statistics(document, sums);
  const std::size_t topics = digamma_totals_.size();
  for (std::size_t n = 0; n < document.rows.size(); ++n) {
    float* of_word =
        statistics + words_[static_cast<std::size_t>(document.rows[n])] * std::ssize(digamma_totals_);
    for (std::size_t k = 0; k < topics; ++k)
      of_word[k] += static_cast<float>(reference_->counts[n * topics + k]);
  }
}

}  // namespace svi::lda
