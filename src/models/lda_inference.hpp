#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "lda_collapsed.hpp"
#include "lda_e_step.hpp"
#include "lda_reference.hpp"
#include "lda_topics.hpp"
#include "svi/core/minibatch.hpp"

namespace svi::lda {

/// A minibatch's words under the topics as they stand: what its documents' E-steps share. **Local.**
template <typename Real>
class Inference {
 public:
  explicit Inference(std::int64_t vocabulary, const Kernel<Real>& kernel = kernels<Real>().front())
      : kernel_(kernel), row_of_word_(static_cast<std::size_t>(vocabulary), -1) {}

  /// Takes the topics and finds the distinct words of `rows` with their β' rows. Both must stay.
  void prepare(const Topics& topics, Estimator estimator, const CountRows& rows);
  /// The same with the β' rows of given words, among which are all those of `rows`. **Collective**: the
  /// processes that share work have these β' rows in common.
  /// @param words distinct; the same in every process
  void prepare(const Topics& topics, Estimator estimator, const CountRows& rows,
               std::span<const std::int32_t> words, SharedWork& shared_work);

  /// Row b of the rows given to `prepare`.
  Document document(std::int64_t b) const;
  /// The words of the β' rows: those given, or the distinct ones in order of first occurrence.
  std::span<const std::int32_t> words() const { return words_; }
  /// The β' row of each entry of the rows.
  std::span<const std::int32_t> entry_rows() const { return entry_rows_; }
  /// The β' row of a word, −1 where it does not occur.
  std::int32_t row_of(std::int32_t word) const { return row_of_word_[static_cast<std::size_t>(word)]; }
  const TopicRows<Real>& beta() const { return beta_; }
  const Topics& topics() const { return *topics_; }
  const CountRows& rows() const { return *rows_; }
  const Kernel<Real>& kernel() const { return kernel_; }

 private:
  void begin(const Topics& topics, const CountRows& rows);

  Kernel<Real> kernel_;
  std::optional<Topics> topics_;
  const CountRows* rows_ = nullptr;
  std::vector<std::int32_t> row_of_word_;  // [V], −1 where absent
  std::vector<std::int32_t> words_;
  std::vector<std::int32_t> entry_rows_;  // [entries]
  TopicRows<Real> beta_;
};

/// One document after another: by the E-step in `Real`, or by `fit_reference` where that cannot hold it; or
/// collapsed, as the options say. **Local**, for one thread at a time.
template <typename Real>
class DocumentFit {
 public:
  /// @param inference must stay
  DocumentFit(const Inference<Real>& inference, const EStepOptions& options);
  /// For the documents to come.
  void set_options(const EStepOptions& options);

  /// @param theta [stride] on a 64-byte boundary, out: θ', zero after `reference`
  void fit(const Document& document, Real* theta,
           typename EStep<Real>::Wanted wanted = EStep<Real>::Wanted::norms);
  /// Collapsed: see `CollapsedFit::fit`.
  void fit_collapsed(const Document& document, Real* log_theta);
  /// γ alone, by either.
  void fit(const Document& document);
  /// γ and `bound`, by either.
  double fit_bound(const Document& document);

  // Of the last document, until the next.
  std::span<const Real> gamma() const { return gamma_; }
  /// The part in the bound, in nats, of the last document, which must still be there, and not after γ alone;
  /// collapsed: its log-likelihood, see `CollapsedFit`.
  double bound();
  std::int64_t iterations() const { return iterations_; }
  /// c_n / norm_n [words], of no meaning after `reference`; collapsed: see `CollapsedFit`.
  std::span<const Real> ratios() const {
    return options_.estimator == Estimator::collapsed ? collapsed_.ratios() : e_step_.ratios();
  }
  /// Collapsed: see `CollapsedFit`.
  const Real* weights() const { return collapsed_.weights(); }
  /// What float64 gave where it was needed.
  const std::optional<ReferenceFit>& reference() const { return reference_; }

 private:
  const Inference<Real>& inference_;
  EStepOptions options_;
  EStep<Real> e_step_;
  CollapsedFit<Real> collapsed_;
  AlignedBuffer<Real> theta_;
  Document document_;
  std::vector<Real> gamma_;
  std::int64_t iterations_ = 0;
  std::optional<ReferenceFit> reference_;
};

/// Documents as `count` groups of neighbours with about as many entries each: the first of each group, and
/// the number of all. **Local.**
std::vector<std::int64_t> groups_of(const CountRows& rows, std::int64_t count);

/// A fit for each thread. **Local.**
template <typename Real>
class DocumentFits {
 public:
  /// @param inference must stay
  explicit DocumentFits(const Inference<Real>& inference) : inference_(inference) {}

  /// What is done with document b, of a group, by a fit of this thread's.
  using Visit = std::function<void(DocumentFit<Real>& fit, std::int64_t b, std::size_t group)>;

  /// Calls `visit` for the documents of the minibatch that the inference was prepared with: those of a group
  /// of neighbours one after another, groups on any thread.
  /// @param groups see `groups_of`
  void for_each(std::span<const std::int64_t> groups, const EStepOptions& options, const Visit& visit);
  /// Calls `visit` on every thread at once, each with a fit of its own.
  void on_each_thread(const EStepOptions& options, const std::function<void(DocumentFit<Real>& fit)>& visit);

 private:
  void prepare(const EStepOptions& options);

  const Inference<Real>& inference_;
  std::vector<DocumentFit<Real>> fits_;  // [threads], kept with their buffers from one minibatch to the next
};

/// Calls `visit` for every document of the rows that the inference was prepared with, b from 0 on, on any
/// thread and in any order. **Local.**
template <typename Real>
void fit_each(const Inference<Real>& inference, const EStepOptions& options,
              const std::function<void(DocumentFit<Real>& fit, std::int64_t b)>& visit);

}  // namespace svi::lda
