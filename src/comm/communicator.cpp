#include "svi/comm/communicator.hpp"

#include <algorithm>

namespace svi::comm {

namespace {

template <typename Element>
void accumulate_as(Element* into, const Element* from, std::int64_t count, ReduceOperation operation) {
  switch (operation) {
    case ReduceOperation::sum:
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) into[i] = static_cast<Element>(into[i] + from[i]);
      break;
    case ReduceOperation::maximum:
      for (std::int64_t i = 0; i < count; ++i) into[i] = std::max(into[i], from[i]);
      break;
    case ReduceOperation::bitwise_or:
      if constexpr (std::is_integral_v<Element>) {
        for (std::int64_t i = 0; i < count; ++i) into[i] = static_cast<Element>(into[i] | from[i]);
        break;
      }
      throw Error(ExitCode::internal, "a bitwise or of real numbers was asked for");
  }
}

template <typename Element>
void accumulate_as(const Buffer& into, const void* from, ReduceOperation operation) {
  accumulate_as(static_cast<Element*>(into.data), static_cast<const Element*>(from), into.count, operation);
}

}  // namespace

std::int64_t element_bytes(DataType type) {
  switch (type) {
    case DataType::uint8:
      return 1;
    case DataType::float32:
      return 4;
    case DataType::int64:
    case DataType::uint64:
    case DataType::float64:
      return 8;
  }
  throw Error(ExitCode::internal, "data type {} is unknown", static_cast<int>(type));
}

std::int64_t Buffer::bytes() const { return count * element_bytes(type); }

void accumulate(Buffer into, const void* from, ReduceOperation operation) {
  switch (into.type) {
    case DataType::uint8:
      return accumulate_as<std::uint8_t>(into, from, operation);
    case DataType::int64:
      return accumulate_as<std::int64_t>(into, from, operation);
    case DataType::uint64:
      return accumulate_as<std::uint64_t>(into, from, operation);
    case DataType::float32:
      return accumulate_as<float>(into, from, operation);
    case DataType::float64:
      return accumulate_as<double>(into, from, operation);
  }
}

void Work::stream_wait(void*) { wait(); }

}  // namespace svi::comm
