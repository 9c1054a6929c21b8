#pragma once

#include <span>

namespace svi::lda {

/// The Dirichlet prior that maximises ln Γ(Σα) − Σ ln Γ(α_k) + Σ α_k m_k, the part of a document's mean bound
/// with α in it, m being the mean over documents of E[ln θ_k].
///
/// Newton's method with the Hessian's inverse in closed form (Minka 2000, "Estimating a Dirichlet
/// distribution"; Blei, Ng, Jordan 2003, appendix A.4.2), a few iterations from `alpha`; a step never takes
/// an element below a tenth of itself.
/// @param mean_log_theta m [K] @param alpha [K] in: where to start; out. **Local.**
void fit_alpha(std::span<const double> mean_log_theta, std::span<double> alpha);

/// The same for one value in all topics: ln Γ(Kα) − K ln Γ(α) + α Σ m_k.
/// @param total Σ m_k @param topics K @param alpha where to start
double fit_symmetric_alpha(double total, double topics, double alpha);

}  // namespace svi::lda
