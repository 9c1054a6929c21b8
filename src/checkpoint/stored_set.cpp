#include "stored_set.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>
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

// λ of LDA may later be stored lazily scaled, value = add_offset + scale_factor · data; now 1 and 0 always.
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
  for (const auto& [name, expected] : {std::pair{scale_factor, 1.0}, std::pair{add_offset, 0.0}}) {
    const double found = dataset.real_attribute(name);
    if (found == expected) continue;
    throw Error(ExitCode::bad_data, "{} has {} {}; this version reads only {}: use the one that wrote it",
                dataset.where(), name, found, expected);
  }
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
void read_values(const Hdf5Dataset& dataset, const Tensor& values) {
  const std::vector<std::int64_t>& shape = dataset.shape();
  Real* first = values.mutable_data_ptr<Real>();
  if (shape.empty()) {
    *first = dataset.read<Real>().at(0);
  } else if (values.numel() > 0) {
    dataset.read_rows(0, shape[0], std::span(first, static_cast<std::size_t>(values.numel())));
  }
}

}  // namespace

void write_set(Hdf5Group group, const ParameterSet& set) {
  for (std::size_t i = 0; i < set.shapes().size(); ++i) {
    const ParameterShape& shape = set.shapes()[i];
    Hdf5Dataset dataset = write_tensor(group, shape.name, shape, set.view(i).cpu());
    dataset.set_attribute(position, static_cast<std::int64_t>(i));
    dataset.set_attribute(scale_factor, 1.0);
    dataset.set_attribute(add_offset, 0.0);
  }
}

ParameterSet read_set(const Hdf5Group& group, std::int64_t& budget_bytes) {
  const StoredTensors stored = all_tensors(group);
  if (stored.empty()) return {};
  std::vector<ParameterShape> shapes;
  const ElementType type = stored.front()->dataset.type();
  for (const auto& tensor : stored) {
    take_from_budget(tensor->dataset, budget_bytes);
    shapes.push_back({tensor->name, tensor->dataset.shape()});
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
  }
  return set;
}

}  // namespace svi::checkpoint
