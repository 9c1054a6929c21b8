#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "svi/comm/communicator.hpp"

namespace svi::comm {

/// Communicator::shared_memory for ranks that are processes of one machine. **Collective.**
std::shared_ptr<void> memory_in_common(Communicator& communicator, std::int64_t bytes, std::string_view tag);

}  // namespace svi::comm
