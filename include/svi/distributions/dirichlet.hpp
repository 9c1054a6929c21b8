#pragma once

#include <span>

namespace svi {

/// E[ln θ_k] = ψ(γ_k) − ψ(Σ_j γ_j) under Dirichlet(γ), in float64 arithmetic; Blei, Ng, Jordan 2003, eq. 8.
/// @param concentration γ [K], each > 0
/// @param result [K], overwritten. **Local.**
void dirichlet_expected_log(std::span<const float> concentration, std::span<double> result);

/// KL(Dirichlet(γ) ‖ Dirichlet(prior, …, prior)) in nats, prior symmetric:
/// ln Γ(Σγ) − Σ ln Γ(γ_k) − ln Γ(K·prior) + K ln Γ(prior) + Σ (γ_k − prior) E[ln θ_k].
/// @param concentration γ [K]. **Local.**
double dirichlet_kl(std::span<const float> concentration, double prior);

}  // namespace svi
