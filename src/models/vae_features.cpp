#include "vae_features.hpp"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <numeric>
#include <vector>

#include "svi/base/error.hpp"

namespace svi {

at::Tensor scaled_features(const at::Tensor& rows, at::ScalarType type) {
  if (rows.scalar_type() != at::kByte) return rows.to(type);
  if (type != at::kFloat) return rows.to(type).div_(255);
  at::Tensor scaled = at::empty(rows.sizes(), at::kFloat);
  const auto* bytes = rows.data_ptr<std::uint8_t>();
  auto* values = scaled.data_ptr<float>();
#pragma omp simd
  for (std::int64_t i = 0; i < rows.numel(); ++i) values[i] = static_cast<float>(bytes[i]) / 255.0F;
  return scaled;
}

at::Tensor as_numbers(const DenseRows& rows, FeatureKind kind, at::ScalarType type) {
  return kind == FeatureKind::real ? scaled_features(rows.features, type) : rows.features.to(type);
}

void require_binarisation(const std::string& binarisation, const LikelihoodOptions& likelihood) {
  if (binarisation != "dynamic" || likelihood.likelihood == "bernoulli") return;
  throw Error(
      ExitCode::bad_config,
      "model.binarisation: dynamic makes pixels 0 or 1, which needs model.likelihood: bernoulli, not {}",
      likelihood.likelihood);
}

at::Tensor densified(const CountRows& rows, std::int64_t width, at::ScalarType type) {
  at::Tensor dense = at::zeros({rows.rows(), width}, type);
  AT_DISPATCH_FLOATING_TYPES(type, "densified", [&] {
    auto* row = dense.data_ptr<scalar_t>();
    for (std::size_t b = 0; b + 1 < rows.starts.size(); ++b, row += width) {
      for (auto i = static_cast<std::size_t>(rows.starts[b]);
           i < static_cast<std::size_t>(rows.starts[b + 1]); ++i)
        row[rows.words[i]] = rows.counts[i];
    }
  });
  return dense;
}

at::Tensor binarised(const at::Tensor& grey, std::span<const std::int64_t> ids, std::int64_t step,
                     const Philox& noise) {
  const std::int64_t width = grey.size(1);
  const at::Tensor uniform = at::empty(grey.sizes(), at::kFloat);
  for (std::size_t b = 0; b < ids.size(); ++b) {
    noise.fill_uniform(
        {uniform.data_ptr<float>() + static_cast<std::int64_t>(b) * width, static_cast<std::size_t>(width)},
        Purpose::pixel, static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(ids[b]));
  }
  return (uniform.to(grey.device()) < grey).to(grey.scalar_type());
}

at::Tensor standard_normal(std::span<const std::int64_t> ids, std::int64_t step, std::int64_t width,
                           Purpose purpose, const Philox& noise, at::ScalarType type) {
  at::Tensor values = at::empty({std::ssize(ids), width}, type);
  AT_DISPATCH_FLOATING_TYPES(type, "standard_normal", [&] {
    for (std::size_t b = 0; b < ids.size(); ++b) {
      noise.fill_normal(std::span(values.data_ptr<scalar_t>() + static_cast<std::int64_t>(b) * width,
                                  static_cast<std::size_t>(width)),
                        purpose, static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(ids[b]));
    }
  });
  return values;
}

at::Tensor prior_noise(std::int64_t count, std::int64_t width, const Philox& noise, at::ScalarType type) {
  std::vector<std::int64_t> draws(static_cast<std::size_t>(count));
  std::iota(draws.begin(), draws.end(), std::int64_t{0});
  return standard_normal(draws, 0, width, Purpose::generation, noise, type);
}

at::Tensor latent_noise(std::span<const std::int64_t> ids, std::int64_t step, std::int64_t samples,
                        std::int64_t width, const Philox& noise, at::ScalarType type) {
  const at::Tensor by_row = standard_normal(ids, step, samples * width, Purpose::latent, noise, type);
  if (samples == 1) return by_row;
  return by_row.view({std::ssize(ids), samples, width}).transpose(0, 1).reshape({-1, width});
}

at::Tensor importance_noise(std::int64_t id, std::int64_t first, std::int64_t count, std::int64_t width,
                            const Philox& noise, at::ScalarType type) {
  at::Tensor values = at::empty({count, width}, type);
  AT_DISPATCH_FLOATING_TYPES(type, "importance_noise", [&] {
    for (std::int64_t l = 0; l < count; ++l) {
      noise.fill_normal(std::span(values.data_ptr<scalar_t>() + l * width, static_cast<std::size_t>(width)),
                        Purpose::importance, static_cast<std::uint64_t>(first + l),
                        static_cast<std::uint64_t>(id));
    }
  });
  return values;
}

}  // namespace svi
