#include "lda_statistics.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "svi/base/prefetch.hpp"
#include "svi/core/parallel.hpp"
#include "svi/math/special.hpp"

namespace svi::lda {

template <typename Real>
void Statistics<Real>::clear_groups() {
  const std::vector<std::int64_t>& starts = inference_.rows().starts;
  const std::size_t words = inference_.words().size();
  // Two take a tenth longer than one in one thread, four a fifth: for more rows of sums. More threads than
  // groups have nothing to do, and of two threads that share three groups one waits while the last is done:
  // as threads mostly are, groups are 2, 4, 8 or 16.
  const std::int64_t count = std::clamp<std::int64_t>(starts.back() / 32768, 2, 16);
  group_starts_ = groups_of(inference_.rows(), std::bit_floor(static_cast<std::uint64_t>(count)));
  groups_.resize(group_starts_.size() - 1);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    Group& group = groups_[g];
    const auto first = static_cast<std::size_t>(group_starts_[g]);
    const auto last = static_cast<std::size_t>(group_starts_[g + 1]);
    const auto entries = static_cast<std::size_t>(starts[last] - starts[first]);
    group.places.assign(words, -1);
    group.sums.resize(std::min(entries, words) * static_cast<std::size_t>(inference_.beta().stride()));
    group.taken = 0;
  }
}

template <typename Real>
void Statistics<Real>::fit_documents(const Minibatch& minibatch) {
  const std::int64_t stride = inference_.beta().stride();
  const std::vector<std::int64_t>& starts = inference_.rows().starts;
  theta_.resize(static_cast<std::size_t>(minibatch.size() * stride));
  results_.assign(static_cast<std::size_t>(minibatch.size()), {});
  const auto keep = [&](DocumentFit<Real>& fit, std::int64_t b) {
    results_[static_cast<std::size_t>(b)] = {fit.bound(), fit.iterations(), total(fit.gamma()),
                                             fit.reference()};
  };
  if (is_collapsed()) {
    // Whose weights are too many to be kept: added while they are in the cache.
    const auto visit = [&](DocumentFit<Real>& fit, std::int64_t b, std::size_t group) {
      fit.fit_collapsed(inference_.document(b), options_.alphas.empty() ? nullptr : theta_.data() + b * stride);
      add_words(groups_[group], b, fit.ratios().data(), fit.weights());
      keep(fit, b);
    };
    fits_.for_each(group_starts_, options_, visit);
    return;
  }
  ratios_.resize(static_cast<std::size_t>(starts.back()));
  const auto visit = [&](DocumentFit<Real>& fit, std::int64_t b, std::size_t /*group*/) {
    fit.fit(inference_.document(b), theta_.data() + b * stride);
    std::ranges::copy(fit.ratios(), ratios_.data() + starts[static_cast<std::size_t>(b)]);
    keep(fit, b);
  };
  fits_.for_each(groups_of(inference_.rows(), (minibatch.size() + 15) / 16), options_, visit);
  parallel_items(std::ssize(groups_), [&](std::int64_t /*thread*/, std::int64_t i) {
    const auto g = static_cast<std::size_t>(i);
    for (std::int64_t b = group_starts_[g]; b < group_starts_[g + 1]; ++b) {
      if (!results_[static_cast<std::size_t>(b)].reference)
        add_words(groups_[g], b, ratios_.data() + starts[static_cast<std::size_t>(b)], theta_.data() + b * stride);
    }
  });
}

// Σ_d ratio θ'_d, to be multiplied by β'; collapsed Σ_d ratio weight_d.
template <typename Real>
void Statistics<Real>::add_words(Group& group, std::int64_t b, const Real* ratios, const Real* factors) const {
  const std::int64_t stride = inference_.beta().stride();
  group.taken = inference_.kernel().add_words({.stride = stride,
                                               .rows = inference_.document(b).rows,
                                               .ratios = ratios,
                                               .factors = factors,
                                               .step = is_collapsed() ? stride : 0,
                                               .places = group.places.data(),
                                               .sums = group.sums.data(),
                                               .taken = group.taken});
}

// All rows: those of words that occur on other ranks alone are zero.
template <typename Real>
void Statistics<Real>::write_counts(const RowBlock& rows) const {
  const std::int64_t topics = inference_.topics().topics();
  const std::int64_t stride = inference_.beta().stride();
  Real* out = rows.values.template mutable_data_ptr<Real>();
  parallel_parts(rows.size(), [&](std::int64_t first, std::int64_t last) {
    // The groups' sums of this row's word and of the next few: asked for in advance, since they lie far
    // apart.
    constexpr std::int64_t rows_ahead = 3;
    std::array<std::vector<const Real*>, rows_ahead + 1> parts;
    const auto ask_for = [&](std::int64_t i) {
      std::vector<const Real*>& of_word = parts[static_cast<std::size_t>(i % std::ssize(parts))];
      of_word.clear();
      const std::int32_t r = inference_.row_of(rows.rows[static_cast<std::size_t>(i)]);
      for (std::size_t g = 0; r >= 0 && g < groups_.size(); ++g) {
        const std::int32_t place = groups_[g].places[static_cast<std::size_t>(r)];
        if (place < 0) continue;
        of_word.push_back(groups_[g].sums.data() + place * stride);
        prefetch<Access::read>(of_word.back(), stride);
      }
    };
    for (std::int64_t i = first; i < std::min(first + rows_ahead, last); ++i) ask_for(i);
    for (std::int64_t i = first; i < last; ++i) {
      if (i + rows_ahead < last) ask_for(i + rows_ahead);
      const std::int32_t r = inference_.row_of(rows.rows[static_cast<std::size_t>(i)]);
      const Real* row = r < 0 || is_collapsed() ? nullptr : inference_.beta().row(r);
      inference_.kernel().word_counts(topics, parts[static_cast<std::size_t>(i % std::ssize(parts))], row,
                                      out + i * topics);
    }
  });
}

template <typename Real>
void Statistics<Real>::add_references(const RowBlock& rows) const {
  const std::int64_t topics = inference_.topics().topics();
  Real* out = rows.values.template mutable_data_ptr<Real>();
  for (std::int64_t b = 0; b < std::ssize(results_); ++b) {
    const auto& reference = results_[static_cast<std::size_t>(b)].reference;
    if (!reference) continue;
    const double* counts = reference->counts.data();
    for (const std::int32_t r : inference_.document(b).rows) {
      const std::int32_t word = inference_.words()[static_cast<std::size_t>(r)];
      Real* row = out + (std::ranges::lower_bound(rows.rows, word) - rows.rows.begin()) * topics;
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
                                  const Minibatch& minibatch, Contribution& contribution) {
  options_ = options;
  const auto& rows = std::get<CountRows>(minibatch.rows);
  if (contribution.shared_work() == nullptr) {
    inference_.prepare(topics, options.estimator, rows);
  } else {
    inference_.prepare(topics, options.estimator, rows, contribution.rows.rows, *contribution.shared_work());
  }
  clear_groups();
  fit_documents(minibatch);
  write_counts(contribution.rows);
  add_references(contribution.rows);

  for (const Result& result : results_) {
    contribution.terms.scalar("bound") += result.bound;
    contribution.terms.scalar("iterations") += static_cast<double>(result.iterations);
  }
  contribution.terms.scalar("tokens") += total(inference_.rows().counts);
  if (contribution.terms.contains("log_theta")) add_log_theta(contribution);
  contribution.terms.scalar("rows") += static_cast<double>(results_.size());
}

template class Statistics<float>;
template class Statistics<double>;

}  // namespace svi::lda
