#pragma once

#include <string_view>

#include "svi/comm/communicator.hpp"

namespace svi::comm {

// What every host backend asks of its arguments. All throw Error (internal): a caller's defect.

void require_host(const Buffer& buffer, std::string_view backend, std::string_view tag);
void require_root(int root, int size, std::string_view tag);
/// `all` must hold size · mine.count elements of mine's type.
void require_gatherable(const Buffer& mine, const Buffer& all, int size, std::string_view tag);

}  // namespace svi::comm
