#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "lda_topics.hpp"
#include "svi/core/word_prior.hpp"

namespace svi::lda {

/// E: how far the priors of some words' rows exceed η, E_wk; zero for all other words. **Local.**
class WordPriors {
 public:
  /// @throws Error (bad_data) on a word or topic that there is not, or a weight that is not positive
  WordPriors(const std::vector<WordPrior>& list, std::int64_t vocabulary, std::int64_t topics);

  /// The words with a row, ascending.
  const std::vector<std::int32_t>& words() const { return words_; }
  /// E of words()[i], [K].
  std::span<const double> row(std::size_t i) const;
  /// Σ_w E_wk [K].
  const std::vector<double>& totals() const { return totals_; }

  /// Adds E / factor to its words' rows, of a part of a block to those that are there.
  /// @param block whose values [rows, K] are changed
  /// @throws Error (internal) when one of its words has no row there
  template <typename Real>
  void add_to_rows(const RowBlock& block) const;
  /// Adds E to a whole matrix [V, K].
  template <typename Real>
  void add_to_matrix(Real* values) const;

 private:
  std::int64_t topics_;
  std::vector<std::int32_t> words_;
  std::vector<double> values_;  // [words, K]
  std::vector<double> totals_;
};

/// Σ_kw E[ln β_kw], in one pass over λ; its bits do not depend on the number of threads.
double log_beta_total(const Topics& topics);

/// The η that maximises Σ_k { ln Γ(Σ_w p_kw) − Σ_w ln Γ(p_kw) + Σ_w p_kw E[ln β_kw] }, p = η + E, the part of
/// the bound with η in it: by Newton's method, as fit_symmetric_alpha.
/// @param total Σ_kw E[ln β_kw] @param eta where to start
double fit_eta(double total, std::int64_t vocabulary, const WordPriors& word_priors, double eta);

/// One round of the search for the η of the largest score: η·1.5 and η/1.5, then on in the better direction,
/// at most 1.5³ in all; stays within [1e-4, 10].
double better_eta(double eta, const std::function<double(double eta)>& score_of);

/// What E adds to Σ_k KL(q(β_k) ‖ Dirichlet(η, …, η)) in nats.
double divergence_of_priors(const Topics& topics, const WordPriors& word_priors, double eta);

}  // namespace svi::lda
