#include "dense_reader.hpp"

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "svi/base/error.hpp"

namespace svi::data {

namespace {

using Kind = io::ElementType::Kind;

io::Hdf5Dataset open_labels(const io::Hdf5Group& root, std::int64_t rows) {
  io::Hdf5Dataset y = root.dataset("y");
  if (y.shape().size() != 1 || y.type().kind != Kind::integer) {
    throw Error(ExitCode::bad_data, "{}: holds {} of shape [{}], expected one integer label a row", y.where(),
                y.type().text(), fmt::join(y.shape(), ", "));
  }
  if (y.elements() == rows) return y;
  throw Error(ExitCode::bad_data, "{}: has {} labels for {} rows", y.where(), y.elements(), rows);
}

template <typename T>
void fill(const io::Hdf5Dataset& dataset, std::int64_t first, std::int64_t last, at::Tensor& values) {
  dataset.read_rows(first, last,
                    std::span(values.mutable_data_ptr<T>(), static_cast<std::size_t>(values.numel())));
}

}  // namespace

DenseReader::DenseReader(const io::Hdf5Group& root, const char* name) : x_(root.dataset(name)) {
  if (x_.shape().size() < 2) {
    throw Error(ExitCode::bad_data,
                "{}: has the shape [{}], expected rows and at least one dimension of features", x_.where(),
                fmt::join(x_.shape(), ", "));
  }
  if (x_.elements() == 0) {
    throw Error(ExitCode::bad_data, "{}: empty: its shape is [{}]", x_.where(), fmt::join(x_.shape(), ", "));
  }
  if (!is_uint8() && x_.type().kind != Kind::real) {
    throw Error(ExitCode::bad_data, "{}: holds {}, expected uint8 (grey pixels) or float32", x_.where(),
                x_.type().text());
  }
  columns_ = x_.elements() / x_.shape().front();
  if (root.has_dataset("y")) y_ = open_labels(root, rows());
}

std::vector<std::int64_t> DenseReader::read_labels() const {
  std::vector<std::int64_t> values;
  if (!y_) return values;
  values.resize(static_cast<std::size_t>(rows()));
  y_->read_rows(0, rows(), std::span(values));
  return values;
}

DenseRows DenseReader::read(std::int64_t first, std::int64_t last) const {
  DenseRows result;
  result.features = at::empty({last - first, columns_}, is_uint8() ? at::kByte : at::kFloat);
  if (is_uint8()) {
    fill<std::uint8_t>(x_, first, last, result.features);
  } else {
    fill<float>(x_, first, last, result.features);
    require_finite(result.features, first);
  }
  if (y_) {
    result.labels = at::empty({last - first}, at::kLong);
    fill<std::int64_t>(*y_, first, last, result.labels);
  }
  return result;
}

void DenseReader::require_finite(const at::Tensor& features, std::int64_t first) const {
  const std::span values(features.const_data_ptr<float>(), static_cast<std::size_t>(features.numel()));
  const auto bad =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (bad == values.end()) return;
  const std::int64_t place = bad - values.begin();
  throw Error(ExitCode::bad_data,
              "{}: feature {} of row {} (both counted from 0) is {}, expected a finite float32", x_.where(),
              place % columns_, first + place / columns_, *bad);
}

}  // namespace svi::data
