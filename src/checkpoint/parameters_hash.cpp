#include <ATen/core/Tensor.h>

#include <span>
#include <string_view>

#include "svi/base/sha256.hpp"
#include "svi/checkpoint/checkpoint_store.hpp"

namespace svi::checkpoint {

namespace {

void add_set(Sha256& digest, std::string_view name, const ParameterSet& set) {
  digest.add_text(name).add_integer(set.shapes().size());
  for (std::size_t i = 0; i < set.shapes().size(); ++i) {
    const ParameterShape& shape = set.shapes()[i];
    const Tensor values = set.view(i).cpu().contiguous();
    digest.add_text(shape.name).add_text(values.scalar_type() == at::kDouble ? "float64" : "float32");
    digest.add_integer(shape.shape.size());
    for (const std::int64_t extent : shape.shape) digest.add_integer(static_cast<std::uint64_t>(extent));
    digest.add({static_cast<const std::byte*>(values.data_ptr()), values.nbytes()});
    const LazyScale* lazy = set.lazy(i);
    if (lazy == nullptr) continue;
    digest.add(std::as_bytes(std::span(&lazy->scale, 1))).add(std::as_bytes(std::span(&lazy->offset, 1)));
    digest.add(std::as_bytes(std::span(lazy->sums)));
  }
}

}  // namespace

std::string parameters_hash(const TrainingState& state) {
  Sha256 digest;
  add_set(digest, "parameters", state.parameters);
  digest.add_integer(state.optimizer.size());
  for (const auto& [name, set] : state.optimizer) add_set(digest, name, set);
  return digest.finish_hex();
}

}  // namespace svi::checkpoint
