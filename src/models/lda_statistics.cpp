#include "lda_statistics.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>

#include "svi/base/prefetch.hpp"
#include "svi/core/parallel.hpp"
#include "svi/math/special.hpp"

namespace svi::lda {

namespace {

template <typename Real>
DocumentFacts facts_of(DocumentFit<Real>& fit) {
  return {fit.bound(), total(fit.gamma()), fit.iterations(), fit.reference().has_value()};
}

}  // namespace

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

// Documents of this process as long as there are any, then others'.
template <typename Real>
void Statistics<Real>::fit_documents() {
  const std::int64_t stride = inference_.beta().stride();
  shards_.fill(inference_.rows(), inference_.entry_rows());
  references_.assign(static_cast<std::size_t>(shards_.mine().documents), std::nullopt);
  fits_.on_each_thread(options_, [&](DocumentFit<Real>& fit) {
    while (const auto piece = shards_.take()) {
      const Shard<Real>& shard = *piece->shard;
      for (std::int64_t b = piece->first; b < piece->last; ++b) {
        fit.fit({shard.rows_of(b), shard.counts_of(b)}, shard.theta + b * stride);
        shard.facts[b] = facts_of(fit);
        if (!fit.reference()) {
          shard.set_ratios(b, fit.ratios());
          continue;
        }
        shard.clear_ratios(b);
        shards_.count_reference();
        if (piece->is_own) references_[static_cast<std::size_t>(b)] = fit.reference();
      }
    }
  });
}

// Those that another process found: it has them for itself.
template <typename Real>
void Statistics<Real>::find_references() {
  const Shard<Real>& shard = shards_.mine();
  std::atomic<std::int64_t> next = 0;
  fits_.on_each_thread(options_, [&](DocumentFit<Real>& fit) {
    AlignedBuffer<Real> theta;
    theta.resize(static_cast<std::size_t>(inference_.beta().stride()));
    for (std::int64_t b = next++; b < shard.documents; b = next++) {
      std::optional<ReferenceFit>& reference = references_[static_cast<std::size_t>(b)];
      if (!shard.facts[b].needs_reference || reference) continue;
      fit.fit(inference_.document(b), theta.data());
      reference = fit.reference();
    }
  });
}

// Each row's word over the documents of some processes, one after another: zero where it is in none. In
// pieces, since words differ in how many documents have them.
template <typename Real>
void Statistics<Real>::write_counts(std::span<const Shard<Real>> shards, const RowBlock& rows) const {
  constexpr std::int64_t piece_words = 64;
  const std::int64_t topics = inference_.topics().topics();
  Real* const values = rows.values.template mutable_data_ptr<Real>();
  parallel_items((rows.size() + piece_words - 1) / piece_words,
                 [&](std::int64_t /*thread*/, std::int64_t piece) {
                   std::vector<Real> others(static_cast<std::size_t>(topics));
                   const std::int64_t last = std::min(rows.size(), (piece + 1) * piece_words);
                   for (std::int64_t i = piece * piece_words; i < last; ++i) {
                     const std::int32_t r = inference_.row_of(rows.rows[static_cast<std::size_t>(i)]);
                     Real* const of_word = values + i * topics;
                     bool is_first = true;
                     for (const Shard<Real>& shard : shards) {
                       const std::int32_t entry = r < 0 ? 0 : shard.firsts[r];
                       const std::int64_t documents = r < 0 ? 0 : shard.firsts[r + 1] - entry;
                       if (documents == 0) continue;
                       inference_.kernel().word_counts({.stride = inference_.beta().stride(),
                                                        .topics = topics,
                                                        .documents = documents,
                                                        .which = shard.by_word + entry,
                                                        .ratios = shard.ratios + entry,
                                                        .theta = shard.theta,
                                                        .row = inference_.beta().row(r),
                                                        .out = is_first ? of_word : others.data()});
                       // The bits are those of sums that each process rounds for itself.
                       for (std::int64_t k = 0; !is_first && k < topics; ++k)
                         of_word[k] += others[static_cast<std::size_t>(k)];
                       is_first = false;
                     }
                     if (is_first) std::fill_n(of_word, topics, Real(0));
                   }
                 });
}

template <typename Real>
void Statistics<Real>::fit_documents_collapsed() {
  const Shard<Real>& shard = shards_.mine();
  const std::int64_t stride = inference_.beta().stride();
  const auto visit = [&](DocumentFit<Real>& fit, std::int64_t b, std::size_t g) {
    fit.fit_collapsed(inference_.document(b), options_.alphas.empty() ? nullptr : shard.theta + b * stride);
    shard.facts[b] = facts_of(fit);
    Group& group = groups_[g];
    group.taken = inference_.kernel().add_words({.stride = stride,
                                                 .rows = inference_.document(b).rows,
                                                 .ratios = fit.ratios().data(),
                                                 .weights = fit.weights(),
                                                 .places = group.places.data(),
                                                 .sums = group.sums.data(),
                                                 .taken = group.taken});
  };
  fits_.for_each(group_starts_, options_, visit);
}

// Of the groups; zero where it is in none.
template <typename Real>
void Statistics<Real>::write_counts_collapsed(const RowBlock& rows) const {
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
      inference_.kernel().add_parts(topics, parts[static_cast<std::size_t>(i % std::ssize(parts))],
                                    out + i * topics);
    }
  });
}

template <typename Real>
void Statistics<Real>::add_references(const RowBlock& rows) const {
  const std::int64_t topics = inference_.topics().topics();
  Real* out = rows.values.template mutable_data_ptr<Real>();
  for (std::int64_t b = 0; b < std::ssize(references_); ++b) {
    const auto& reference = references_[static_cast<std::size_t>(b)];
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
  const Shard<Real>& shard = shards_.mine();
  const std::int64_t topics = inference_.topics().topics();
  const std::span<double> sums = contribution.terms["log_theta"];
  for (std::int64_t b = 0; b < shard.documents; ++b) {
    if (inference_.document(b).rows.empty()) continue;
    contribution.terms.scalar("documents") += 1;
    const double digamma_total = math::digamma(shard.facts[b].gamma_total);
    const Real* of_document = shard.theta + b * inference_.beta().stride();
    if (is_collapsed()) {
      for (std::size_t k = 0; k < sums.size(); ++k)
        sums[k] += static_cast<double>(of_document[k]) - digamma_total;
    } else if (shard.facts[b].needs_reference) {
      for (std::size_t k = 0; k < sums.size(); ++k)
        sums[k] += math::digamma(references_[static_cast<std::size_t>(b)]->gamma[k]) - digamma_total;
    } else {
      add_logarithms(topics, of_document, std::log(factor_scale) + digamma_total, sums.data());
    }
  }
}

// β' of the words, and room for documents, which the processes tell of before they meet over β'.
template <typename Real>
void Statistics<Real>::prepare(const Topics& topics, const CountRows& rows, Contribution& contribution) {
  SharedWork* const shared_work = contribution.shared_work();
  shards_.announce(shared_work == nullptr ? alone_ : *shared_work, rows);
  if (shared_work == nullptr) {
    inference_.prepare(topics, options_.estimator, rows);
  } else {
    inference_.prepare(topics, options_.estimator, rows, contribution.rows.rows, *shared_work);
  }
  shards_.open(std::ssize(inference_.words()), inference_.beta().stride());
}

template <typename Real>
void Statistics<Real>::accumulate(const Topics& topics, const EStepOptions& options,
                                  const Minibatch& minibatch, Contribution& contribution) {
  options_ = options;
  prepare(topics, std::get<CountRows>(minibatch.rows), contribution);
  if (is_collapsed()) {
    clear_groups();
    fit_documents_collapsed();
    write_counts_collapsed(contribution.rows);
  } else {
    fit_documents();
    shards_.meet();
    if (!shards_.has_references()) {
      contribution.keep_part();
      write_counts(shards_.all(), contribution.rows);
    } else {  // which only the process has whose documents they are: each then adds up its own
      find_references();
      write_counts({&shards_.mine(), 1}, contribution.rows);
      add_references(contribution.rows);
    }
  }
  add_terms(contribution);
}

template <typename Real>
void Statistics<Real>::add_terms(Contribution& contribution) const {
  const Shard<Real>& shard = shards_.mine();
  double bound = 0;
  std::int64_t iterations = 0;
  for (std::int64_t b = 0; b < shard.documents; ++b) {
    bound += shard.facts[b].bound;
    iterations += shard.facts[b].iterations;
  }
  contribution.terms.scalar("bound") += bound;
  contribution.terms.scalar("iterations") += static_cast<double>(iterations);
  contribution.terms.scalar("tokens") += total(inference_.rows().counts);
  if (contribution.terms.contains("log_theta")) add_log_theta(contribution);
  contribution.terms.scalar("rows") += static_cast<double>(shard.documents);
}

template class Statistics<float>;
template class Statistics<double>;

}  // namespace svi::lda
