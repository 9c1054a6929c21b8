#pragma once

#include <cstdint>
#include <string>

namespace svi {

/// "512 bytes", "1.50 MiB".
std::string bytes_text(double bytes);

/// "1,234,567".
std::string count_text(std::int64_t count);

/// "0.42 s", "12.3 s", "4 min 05 s", "2 h 03 min".
std::string duration_text(double seconds);

}  // namespace svi
