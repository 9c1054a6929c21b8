#pragma once

#include <ATen/core/Tensor.h>

#include <span>

namespace svi {

/// q(z|x) = N(μ, diag exp(log_variance)), parameters side by side in one tensor: [B, 2Z], μ first.
///
/// All functions take float32 or float64. On the host those of the analytic form are one fused pass each;
/// elsewhere, and in the sampled form, the formulas are tensor operations. **Local.**
namespace diagonal_gaussian {

/// z = μ + exp(½ log_variance) · ε (Kingma and Welling 2014, eq. 10).
/// @param posterior [B, 2Z] @param noise ε [B, Z] @param z [B, Z], overwritten
void reparameterise(const at::Tensor& posterior, const at::Tensor& noise, at::Tensor& z);

/// Σ over rows of KL(q ‖ N(0, I)) by dimension, in closed form (same paper, appendix B):
/// −½ (1 + log_variance − μ² − exp(log_variance)).
/// @param per_dimension [Z] nats, added to
void add_kl(const at::Tensor& posterior, std::span<double> per_dimension);

/// Turns ∂/∂z of log p(x|z) into ∂/∂(μ, log_variance) of log p(x|z) − kl_weight · KL(q ‖ N(0, I)).
/// @param z_gradient [B, Z] @param gradient [B, 2Z], added to
void add_gradient_analytic(const at::Tensor& posterior, const at::Tensor& noise, const at::Tensor& z_gradient,
                           double kl_weight, at::Tensor& gradient);

/// The same for the sampled form log p(x|z) + kl_weight · (log p(z) − log q(z|x)) at z = μ + σε, by its total
/// derivative: log q along the path is −½ Σ (ε² + log_variance + ln 2π), log p(z) is −½ Σ (z² + ln 2π).
/// @param z_gradient [B, Z] @param gradient [B, 2Z], added to
void add_gradient_sampled(const at::Tensor& posterior, const at::Tensor& noise, const at::Tensor& z,
                          const at::Tensor& z_gradient, double kl_weight, at::Tensor& gradient);

/// Σ over rows of log q(z|x) − log p(z) by dimension, times `weight`: the sampled form's KL.
/// @param per_dimension [Z] nats, added to
void add_sampled_kl(const at::Tensor& posterior, const at::Tensor& noise, const at::Tensor& z, double weight,
                    std::span<double> per_dimension);

}  // namespace diagonal_gaussian
}  // namespace svi
