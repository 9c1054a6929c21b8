#pragma once

#include <span>

namespace svi {

/// KL(Dirichlet(γ) ‖ Dirichlet(prior, …, prior)) in nats, prior symmetric:
/// ln Γ(Σγ) − Σ ln Γ(γ_k) − ln Γ(K·prior) + K ln Γ(prior) + Σ (γ_k − prior) E[ln θ_k].
/// @param concentration γ [K]. **Local.**
double dirichlet_kl(std::span<const float> concentration, double prior);

}  // namespace svi
