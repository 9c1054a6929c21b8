#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "svi/models/latent_model.hpp"

namespace svi::cli {

/// Whether rows of this shape can be drawn: [height, width], grey, perhaps with 1 behind it, or with 3 for
/// red, green and blue.
bool is_picture(const std::vector<std::int64_t>& shape);

/// Pictures [count, D] in [0, 1] side by side with a border of two pixels, as a PNG.
/// @param shape of each, see `is_picture` @throws Error (cannot_write)
void write_grid(const std::string& path, const Tensor& pictures, const std::vector<std::int64_t>& shape,
                std::int64_t columns);

/// E[x|z] on straight lines between posterior means: of each pair of rows (0 and 1, 2 and 3, …) a line of
/// `steps` pictures, the first and the last of which are the rows' reconstructions: [pairs·steps, D].
/// **Local.**
/// @param means [rows, Z], an even number of rows @param steps at least 2
Tensor interpolation(LatentModel& model, const ParameterSet& parameters, const Tensor& means,
                     std::int64_t steps);

/// E[x|z] where one dimension of a posterior mean is put at `steps` places from −range to range, a line of
/// pictures for each of the dimensions: [dimensions·steps, D]. **Local.**
/// @param mean [Z] @param steps at least 2
Tensor traversal(LatentModel& model, const ParameterSet& parameters, const Tensor& mean,
                 const std::vector<std::int64_t>& dimensions, double range, std::int64_t steps);

}  // namespace svi::cli
