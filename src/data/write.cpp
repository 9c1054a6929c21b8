#include <ATen/ATen.h>

#include <functional>
#include <numeric>

#include "svi/base/error.hpp"
#include "svi/data/data_file.hpp"
#include "svi/io/atomic_file.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::data {

namespace {

template <typename T>
void write_values(io::Hdf5Group& group, const char* name, const std::vector<std::int64_t>& shape,
                  std::span<const T> values) {
  group.create_dataset<T>(name, shape, io::Storage::checksummed).write(values);
}

}  // namespace

void write_dense(const std::string& path, const DenseRows& rows,
                 const std::vector<std::int64_t>& feature_shape) {
  const at::Tensor features = rows.features.contiguous();
  const std::int64_t width =
      std::accumulate(feature_shape.begin(), feature_shape.end(), std::int64_t{1}, std::multiplies<>());
  if (features.dim() != 2 || features.size(1) != width ||
      (rows.labels.defined() && rows.labels.numel() != features.size(0))) {
    throw Error(ExitCode::internal, "{}: features, their shape and labels to be written do not match", path);
  }
  std::vector<std::int64_t> shape{features.size(0)};
  shape.insert(shape.end(), feature_shape.begin(), feature_shape.end());
  const auto values = static_cast<std::size_t>(features.numel());

  io::AtomicFile target(path);
  io::Hdf5File file = io::Hdf5File::create(target);
  if (features.scalar_type() == at::kByte) {
    write_values(file, "x", shape,
                 std::span<const std::uint8_t>(features.const_data_ptr<std::uint8_t>(), values));
  } else {
    write_values(file, "x", shape, std::span<const float>(features.const_data_ptr<float>(), values));
  }
  if (rows.labels.defined()) {
    const at::Tensor labels = rows.labels.to(at::kLong).contiguous();
    write_values(file, "y", {labels.numel()},
                 std::span(labels.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(labels.numel())));
  }
  file.close();
  target.commit();
}

}  // namespace svi::data
