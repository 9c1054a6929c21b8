#include "stored_set.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "svi/base/error.hpp"

namespace svi::checkpoint {

namespace {

using io::ElementType;
using io::Hdf5Dataset;
using io::Hdf5Group;

// value = add_offset + scale_factor · data, as in the netCDF conventions: 1 and 0 but for lazy matrices.
constexpr const char* scale_factor = "scale_factor";
constexpr const char* add_offset = "add_offset";
// The tensor's place in its set: HDF5 lists names in the order of the alphabet.
constexpr const char* position = "position";

// More parts of a name, or more tensors, than any model has: a group that contains itself has no end.
constexpr int most_name_parts = 16;
constexpr std::size_t most_names = 65536;

template <typename Real>
Hdf5Dataset write_values(Hdf5Group& group, const std::string& name, const ParameterShape& shape,
                         const Tensor& values) {
  Hdf5Dataset dataset = group.create_dataset<Real>(name, shape.shape, io::Storage::checksummed);
  dataset.write(std::span(values.const_data_ptr<Real>(), static_cast<std::size_t>(shape.elements())));
  return dataset;
}

Hdf5Dataset write_tensor(Hdf5Group& group, std::string_view name, const ParameterShape& shape,
                         const Tensor& values) {
  const std::size_t slash = name.find('/');
  const std::string part(name.substr(0, slash));
  if (slash != std::string_view::npos) {
    Hdf5Group inner = group.has_group(part) ? group.group(part) : group.create_group(part);
    return write_tensor(inner, name.substr(slash + 1), shape, values);
  }
  if (values.scalar_type() == at::kDouble) return write_values<double>(group, part, shape, values);
  return write_values<float>(group, part, shape, values);
}

// A tensor as a file declares it.
struct StoredTensor {
  std::string name;
  Hdf5Dataset dataset;
};

using StoredTensors = std::vector<std::optional<StoredTensor>>;  // by position

void require_plain(const Hdf5Dataset& dataset) {
  if (dataset.is_compressed()) {
    throw Error(ExitCode::bad_data, "{} has a filter besides Fletcher32, which a checkpoint never has",
                dataset.where());
  }
  const ElementType& type = dataset.type();
  if (type.kind != ElementType::Kind::real || (type.bytes != 4 && type.bytes != 8)) {
    throw Error(ExitCode::bad_data, "{} holds {}; expected float32 or float64", dataset.where(), type.text());
  }
}

// Scale 1 and offset 0 unless the matrix is lazy.
LazyScale read_scale(const Hdf5Dataset& dataset) {
  LazyScale lazy{.scale = dataset.real_attribute(scale_factor), .offset = dataset.real_attribute(add_offset)};
  if (lazy.scale == 1 && lazy.offset == 0) return lazy;
  if (!(lazy.scale > 0) || !std::isfinite(lazy.scale) || !std::isfinite(lazy.offset)) {
    throw Error(ExitCode::bad_data, "{} has {} {} and {} {}; expected a positive and a finite number",
                dataset.where(), scale_factor, lazy.scale, add_offset, lazy.offset);
  }
  if (dataset.shape().size() != 2) {
    throw Error(ExitCode::bad_data, "{} has {} {} and {} {}, but {} dimensions; only matrices are scaled",
                dataset.where(), scale_factor, lazy.scale, add_offset, lazy.offset, dataset.shape().size());
  }
  return lazy;
}

void place(StoredTensors& found, const std::string& name, Hdf5Dataset dataset) {
  require_plain(dataset);
  const std::int64_t index = dataset.integer_attribute(position);
  if (index < 0 || index >= static_cast<std::int64_t>(most_names)) {
    throw Error(ExitCode::bad_data, "{} has position {}; expected 0 to {}", dataset.where(), index,
                most_names - 1);
  }
  const auto i = static_cast<std::size_t>(index);
  if (found.size() <= i) found.resize(i + 1);
  if (found[i]) {
    throw Error(ExitCode::bad_data, "{} has position {}, as has {}", dataset.where(), index,
                found[i]->dataset.where());
  }
  found[i] = StoredTensor{name, std::move(dataset)};
}

// All data sets below `group`, by position.
void find_tensors(const Hdf5Group& group, const std::string& prefix, int depth, std::size_t& names,
                  StoredTensors& found) {
  for (const std::string& name : group.names()) {
    if (depth > most_name_parts || ++names > most_names) {
      throw Error(ExitCode::bad_data, "{} nests groups deeper than {} or holds more than {} names",
                  group.where(), most_name_parts, most_names);
    }
    if (group.has_group(name)) {
      find_tensors(group.group(name), prefix + name + '/', depth + 1, names, found);
    } else {
      place(found, prefix + name, group.dataset(name));
    }
  }
}

StoredTensors all_tensors(const Hdf5Group& group) {
  StoredTensors found;
  std::size_t names = 0;
  find_tensors(group, "", 1, names, found);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i])
      throw Error(ExitCode::bad_data, "{} lacks the tensor of position {} of {}", group.where(), i,
                  found.size());
  }
  return found;
}

void take_from_budget(const Hdf5Dataset& dataset, std::int64_t& budget_bytes) {
  auto bytes = static_cast<std::int64_t>(dataset.type().bytes);
  for (const std::int64_t extent : dataset.shape()) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) bytes = std::numeric_limits<std::int64_t>::max();
  }
  if (bytes > budget_bytes) {
    throw Error(ExitCode::bad_data,
                "{} claims to hold {} bytes, but the whole file has no more than {} left for it",
                dataset.where(), bytes, budget_bytes);
  }
  budget_bytes -= bytes;
}

template <typename Real>
void read_values(const Hdf5Dataset& dataset, const Tensor& into) {
  const std::vector<std::int64_t>& shape = dataset.shape();
  const Tensor values = into.is_contiguous() ? into : at::empty_like(into, at::MemoryFormat::Contiguous);
  Real* first = values.mutable_data_ptr<Real>();
  if (shape.empty()) {
    *first = dataset.read<Real>().at(0);
  } else if (values.numel() > 0) {
    dataset.read_rows(0, shape[0], std::span(first, static_cast<std::size_t>(values.numel())));
  }
  if (!into.is_contiguous()) into.copy_(values);
}

}  // namespace

void write_set(Hdf5Group group, const ParameterSet& set) {
  for (std::size_t i = 0; i < set.shapes().size(); ++i) {
    const ParameterShape& shape = set.shapes()[i];
    Hdf5Dataset dataset = write_tensor(group, shape.name, shape, set.view(i).cpu().contiguous());
    dataset.set_attribute(position, static_cast<std::int64_t>(i));
    const LazyScale plain;
    const LazyScale& lazy = set.lazy(i) == nullptr ? plain : *set.lazy(i);
    dataset.set_attribute(scale_factor, lazy.scale);
    dataset.set_attribute(add_offset, lazy.offset);
  }
}

ParameterSet read_set(const Hdf5Group& group, std::int64_t& budget_bytes) {
  const StoredTensors stored = all_tensors(group);
  if (stored.empty()) return {};
  std::vector<ParameterShape> shapes;
  std::vector<LazyScale> scales;
  const ElementType type = stored.front()->dataset.type();
  for (const auto& tensor : stored) {
    take_from_budget(tensor->dataset, budget_bytes);
    scales.push_back(read_scale(tensor->dataset));
    const bool is_lazy = scales.back().scale != 1 || scales.back().offset != 0;
    shapes.push_back({.name = tensor->name, .shape = tensor->dataset.shape(), .is_lazy = is_lazy});
    if (tensor->dataset.type().bytes != type.bytes) {
      throw Error(ExitCode::bad_data, "{} holds {}, but the tensors before it {}", tensor->dataset.where(),
                  tensor->dataset.type().text(), type.text());
    }
  }
  ParameterSet set(std::move(shapes), type.bytes == 8 ? at::kDouble : at::kFloat);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    if (type.bytes == 8)
      read_values<double>(stored[i]->dataset, set.view(i));
    else
      read_values<float>(stored[i]->dataset, set.view(i));
    if (set.lazy(i) != nullptr) *set.lazy(i) = scales[i];
  }
  return set;
}

void write_column_sums(Hdf5Group group, const ParameterSet& set) {
  for (std::size_t i = 0; i < set.shapes().size(); ++i) {
    if (set.lazy(i) == nullptr) continue;
    const std::vector<double>& sums = set.lazy(i)->sums;
    group.create_dataset<double>(std::to_string(i), {std::ssize(sums)}, io::Storage::checksummed)
        .write(std::span<const double>(sums));
  }
}

void read_column_sums(const Hdf5Group& group, std::int64_t& budget_bytes, ParameterSet& set) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < set.shapes().size(); ++i) {
    if (set.lazy(i) == nullptr) continue;
    const Hdf5Dataset dataset = group.dataset(std::to_string(i));
    const std::int64_t columns = set.shapes()[i].shape[1];
    const ElementType& type = dataset.type();
    if (type.kind != ElementType::Kind::real || type.bytes != 8 || dataset.is_compressed() ||
        dataset.shape() != std::vector{columns}) {
      throw Error(ExitCode::bad_data,
                  "{} should be an uncompressed list of {} float64; found {} in {} dimensions",
                  dataset.where(), columns, type.text(), dataset.shape().size());
    }
    take_from_budget(dataset, budget_bytes);
    set.lazy(i)->sums = dataset.read<double>();
    ++found;
  }
  if (group.names().size() != found) {
    throw Error(ExitCode::bad_data, "{} holds {} data sets; expected one for each of the {} scaled matrices",
                group.where(), group.names().size(), found);
  }
}

}  // namespace svi::checkpoint
