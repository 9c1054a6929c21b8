#include <ATen/ATen.h>

#include <cmath>

#include "svi/models/latent_model.hpp"
#include "vae_features.hpp"

namespace svi {

namespace {

constexpr std::int64_t rows_at_once = 256;

// ln q(z) of each z, q(z) the mean of B Gaussians, without their −½ Z ln 2π:
// ln q(z|x_j) = Σ_k −½ z_k²/σ_jk² + z_k μ_jk/σ_jk² − ½ μ_jk²/σ_jk² − ln σ_jk, which is two products.
Tensor log_aggregate(const Tensor& z, const Posterior& posterior) {
  const Tensor precision = posterior.deviation.square().reciprocal();
  const Tensor weighted = posterior.mean * precision;
  const Tensor constant = -0.5 * (posterior.mean * weighted).sum(1) - posterior.deviation.log().sum(1);
  const Tensor result = at::empty({z.size(0)}, at::kDouble);
  for (std::int64_t first = 0; first < z.size(0); first += rows_at_once) {
    const Tensor some = z.slice(0, first, first + rows_at_once);
    const Tensor log_q =
        at::mm(some.square(), precision.t()).mul_(-0.5).add_(at::mm(some, weighted.t())).add_(constant);
    result.slice(0, first, first + rows_at_once).copy_(at::logsumexp(log_q, {1}));
  }
  return result - std::log(static_cast<double>(posterior.mean.size(0)));
}

}  // namespace

Tensor posterior_draws(const Posterior& posterior, std::span<const std::int64_t> rows, std::int64_t samples,
                       const Philox& noise) {
  const std::int64_t width = posterior.mean.size(1);
  const Tensor draws = at::empty({std::ssize(rows), samples, width}, posterior.mean.options());
  for (std::int64_t b = 0; b < std::ssize(rows); ++b) {
    const Tensor epsilon = importance_noise(rows[static_cast<std::size_t>(b)], 0, samples, width, noise,
                                            posterior.mean.scalar_type());
    draws[b].copy_(epsilon.to(draws.device()) * posterior.deviation[b] + posterior.mean[b]);
  }
  return draws.view({std::ssize(rows), samples * width});
}

double mutual_information(const Posterior& posterior, std::span<const std::int64_t> rows,
                          const Philox& noise) {
  const Posterior exact{posterior.mean.to(at::kCPU, at::kDouble),
                        posterior.deviation.to(at::kCPU, at::kDouble)};
  const Tensor epsilon = standard_normal(rows, 0, exact.mean.size(1), Purpose::aggregate, noise, at::kDouble);
  const Tensor log_q = -0.5 * epsilon.square().sum(1) - exact.deviation.log().sum(1);  // ln q(z|x), likewise
  return (log_q - log_aggregate(exact.mean + exact.deviation * epsilon, exact)).mean().item<double>();
}

}  // namespace svi
