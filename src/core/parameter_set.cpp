#include "svi/core/parameter_set.hpp"

#include <ATen/ATen.h>

#include <functional>
#include <numeric>
#include <set>
#include <utility>

#include "svi/base/error.hpp"
#include "svi/base/pages.hpp"

namespace svi {

namespace {

Tensor zeros(std::int64_t elements, at::ScalarType type, at::Device device) {
  const at::TensorOptions options = at::TensorOptions().dtype(type).device(device);
  if (!device.is_cpu()) return at::zeros({elements}, options);
  Pages pages = zeroed_pages(static_cast<std::size_t>(elements) * c10::elementSize(type));
  const FreePages free = pages.get_deleter();
  return at::from_blob(pages.release(), {elements}, free, options);
}

Tensor shaped(const Tensor& part, const ParameterShape& shape) {
  if (shape.shape.size() != 2 || shape.is_lazy) return part.view(shape.shape);
  return part.view({shape.shape[1], shape.shape[0]}).t();
}

}  // namespace

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
    if (shape.is_lazy) continue;
    end += (shape.elements() + alignment - 1) / alignment * alignment;
  }
  flat_ = zeros(end, type, device);
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    const std::int64_t elements = shapes_[i].elements();
    const bool is_lazy = shapes_[i].is_lazy;
    views_.push_back(
        shaped(is_lazy ? zeros(elements, type, device) : flat_.narrow(0, firsts[i], elements), shapes_[i]));
    const std::size_t columns = is_lazy ? static_cast<std::size_t>(shapes_[i].shape.at(1)) : 0;
    lazy_.push_back({.sums = std::vector<double>(columns, 0.0)});
  }
}

ParameterSet ParameterSet::zeros_like() const {
  if (!flat_.defined()) return {};
  return ParameterSet(shapes_, flat_.scalar_type(), flat_.device());
}

std::vector<Tensor> ParameterSet::buffers() const {
  std::vector<Tensor> all{flat_};
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    if (shapes_[i].is_lazy) all.push_back(views_[i]);
  }
  return all;
}

void ParameterSet::move_lazy(std::string_view name, const Tensor& memory) {
  lazy(name);  // which it must be
  Tensor& view = views_[index_of(name)];
  if (memory.sizes() != view.sizes() || memory.scalar_type() != view.scalar_type() || !memory.is_contiguous())
    throw Error(ExitCode::internal, "{} cannot move to memory of another shape, type or order", name);
  view = memory;
}

std::size_t ParameterSet::index_of(std::string_view name) const {
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    if (shapes_[i].name == name) return i;
  }
  throw Error(ExitCode::internal, "there is no parameter named {}", name);
}

const Tensor& ParameterSet::operator[](std::string_view name) const { return views_[index_of(name)]; }

LazyScale& ParameterSet::lazy(std::string_view name) {
  return const_cast<LazyScale&>(std::as_const(*this).lazy(name));
}

const LazyScale& ParameterSet::lazy(std::string_view name) const {
  const std::size_t index = index_of(name);
  if (!shapes_[index].is_lazy) throw Error(ExitCode::internal, "the parameter {} is not lazily scaled", name);
  return lazy_[index];
}

std::int64_t ParameterSet::elements() const {
  std::int64_t elements = 0;
  for (const ParameterShape& shape : shapes_) elements += shape.elements();
  return elements;
}

}  // namespace svi
