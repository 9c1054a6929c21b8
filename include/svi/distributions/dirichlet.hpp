#pragma once

#include <span>
#include <vector>

namespace svi {

/// KL(Dirichlet(γ) ‖ Dirichlet(prior, …, prior)) in nats, prior symmetric:
/// ln Γ(Σγ) − Σ ln Γ(γ_k) − ln Γ(K·prior) + K ln Γ(prior) + Σ (γ_k − prior) E[ln θ_k].
/// @param concentration γ [K]. **Local.**
double dirichlet_kl(std::span<const float> concentration, double prior);
double dirichlet_kl(std::span<const double> concentration, double prior);

/// The same of many Dirichlets at once, given a coordinate of all of them at a time. **Local.**
class DirichletDivergences {
 public:
  DirichletDivergences(std::size_t count, double prior)
      : prior_(prior), concentration_(count, 0.0), log_gamma_(count, 0.0), excess_(count, 0.0) {}

  /// @param values the next coordinate of each [count]
  void add(std::span<const double> values);
  /// @param others the next coordinates of the same Dirichlets
  void add(const DirichletDivergences& others);
  /// Σ of the divergences, in nats.
  double total() const;

 private:
  double prior_;
  double size_ = 0;                    // coordinates so far
  std::vector<double> concentration_;  // Σ γ
  std::vector<double> log_gamma_;      // Σ ln Γ(γ)
  std::vector<double> excess_;         // Σ (γ − prior) ψ(γ)
};

}  // namespace svi
