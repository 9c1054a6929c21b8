#include "svi/core/parameter_set.hpp"

#include <ATen/ATen.h>

#include <functional>
#include <numeric>
#include <set>
#include <utility>

#include "svi/base/error.hpp"

namespace svi {

std::int64_t ParameterShape::elements() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

ParameterSet::ParameterSet(std::vector<ParameterShape> shapes, at::ScalarType type, at::Device device)
    : shapes_(std::move(shapes)) {
  constexpr std::int64_t alignment = 16;  // elements: 64 bytes of float32
  std::set<std::string_view> names;
  std::vector<std::int64_t> firsts;
  std::int64_t end = 0;
  for (const ParameterShape& shape : shapes_) {
    if (!names.insert(shape.name).second) {
      throw Error(ExitCode::internal, "the model declares the parameter {} twice", shape.name);
    }
    firsts.push_back(end);
    end += (shape.elements() + alignment - 1) / alignment * alignment;
  }
  flat_ = at::zeros({end}, at::TensorOptions().dtype(type).device(device));
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    views_.push_back(flat_.narrow(0, firsts[i], shapes_[i].elements()).view(shapes_[i].shape));
  }
}

ParameterSet ParameterSet::zeros_like() const {
  if (!flat_.defined()) return {};
  return ParameterSet(shapes_, flat_.scalar_type(), flat_.device());
}

const Tensor& ParameterSet::operator[](std::string_view name) const {
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    if (shapes_[i].name == name) return views_[i];
  }
  throw Error(ExitCode::internal, "there is no parameter named {}", name);
}

std::int64_t ParameterSet::elements() const {
  std::int64_t elements = 0;
  for (const ParameterShape& shape : shapes_) elements += shape.elements();
  return elements;
}

}  // namespace svi
