#include "picture_grid.hpp"

#include <ATen/ATen.h>

#include "svi/io/png.hpp"

namespace svi::cli {

bool is_picture(const std::vector<std::int64_t>& shape) {
  return shape.size() == 2 || (shape.size() == 3 && (shape[2] == 1 || shape[2] == 3));
}

void write_grid(const std::string& path, const Tensor& pictures, const std::vector<std::int64_t>& shape,
                std::int64_t columns) {
  constexpr std::int64_t border = 2;
  const std::int64_t channels = shape.size() == 2 ? 1 : shape[2];
  const std::int64_t rows = (pictures.size(0) + columns - 1) / columns;
  const std::int64_t height = rows * (shape[0] + border) + border;
  const std::int64_t width = columns * (shape[1] + border) + border;
  const Tensor grid = at::full({height, width, channels}, 64, at::kByte);
  const Tensor bytes =
      pictures.clamp(0, 1).mul(255).round().to(at::kByte).view({-1, shape[0], shape[1], channels});
  for (std::int64_t i = 0; i < bytes.size(0); ++i) {
    const std::int64_t top = border + i / columns * (shape[0] + border);
    const std::int64_t left = border + i % columns * (shape[1] + border);
    grid.narrow(0, top, shape[0]).narrow(1, left, shape[1]).copy_(bytes[i]);
  }
  io::write_png(path, height, width, channels,
                {grid.data_ptr<std::uint8_t>(), static_cast<std::size_t>(grid.numel())});
}

Tensor interpolation(LatentModel& model, const ParameterSet& parameters, const Tensor& means,
                     std::int64_t steps) {
  const Tensor ends = means.view({-1, 2, 1, means.size(1)});  // [pairs, 2, 1, Z]
  const Tensor place = at::linspace(0, 1, steps, means.options()).view({1, steps, 1});
  const Tensor z = ends.select(1, 0) * (1 - place) + ends.select(1, 1) * place;  // [pairs, steps, Z]
  return model.decode(parameters, z.reshape({-1, means.size(1)}));
}

Tensor traversal(LatentModel& model, const ParameterSet& parameters, const Tensor& mean,
                 const std::vector<std::int64_t>& dimensions, double range, std::int64_t steps) {
  const auto lines = static_cast<std::int64_t>(dimensions.size());
  const Tensor z = mean.repeat({lines, steps, 1});  // [dimensions, steps, Z]
  const Tensor place = at::linspace(-range, range, steps, mean.options());
  for (std::int64_t line = 0; line < lines; ++line)
    z[line].select(1, dimensions[static_cast<std::size_t>(line)]).copy_(place);
  return model.decode(parameters, z.view({-1, mean.size(0)}));
}

}  // namespace svi::cli
