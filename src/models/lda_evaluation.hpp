#pragma once

#include <cstdint>
#include <vector>

#include "lda.hpp"
#include "topic_quality.hpp"

namespace svi::lda {

/// Document completion (Wallach et al. 2009) and the bound on held-out documents.
///
/// θ is fitted on the observed half of a document's tokens (see `Completion`); p(w) = Σ_k E[θ_k] E[β_kw]
/// predicts the others:
///
/// - `log_likelihood_per_word`, and `perplexity`, exp of its negative: over all predicted tokens;
/// - `etm_perplexity`, where the halves are those of Dieng, Ruiz, Blei 2020: exp of the negative mean over
///   documents of each document's log-likelihood per predicted token, as their code has it (it takes the mean
///   over batches of 1000 documents, then over batches);
/// - `bound_per_word`, and `bound_perplexity`, exp of its negative: the documents' bounds over their tokens
///   (Hoffman, Blei, Bach 2010, section 4). The KL of the topics is not in it, as the topics were paid for by
///   the training data; gensim's log_perplexity and scikit-learn's perplexity have it in whole;
/// - `elbo`: the documents' bounds over the documents, less the KL of the topics over N.
///
/// The bounds are those of variational inference: `model.inference: scvb0` has none.
template <typename Real>
class DocumentCompletion : public Evaluation {
 public:
  DocumentCompletion(const Lda& lda, const ParameterSet& parameters);

  SumLayout layout() const override;
  void add(const Minibatch& rows, Sums& sums) override;
  Metrics finish(const Sums& totals) const override;

 private:
  // Collapsed inference to order zero has none.
  bool has_bound() const { return options_.estimator == Estimator::variational; }
  struct Result {
    double bound = 0;
    double all_tokens = 0;
    double log_likelihood = 0;  // of the predicted half
    double tokens = 0;          // of the predicted half
  };
  Result complete(DocumentFit<Real>& fit, std::int64_t b, std::int64_t id) const;

  const Lda& lda_;
  Topics topics_;
  EStepOptions options_;
  double topics_kl_;
  Inference<Real> inference_;
  double eta_;
};

}  // namespace svi::lda
