#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace svi {

/// "512 bytes", "1.50 MiB".
std::string bytes_text(double bytes);

/// The number of bytes that a text says: "1 GiB", "1.5GB", "4096", "512 bytes"; units from kB to PB are
/// powers of 1000, from KiB to PiB of 1024. None for any other text and for more than 2^62.
std::optional<std::int64_t> bytes_of_text(const std::string& text);

/// "1,234,567".
std::string count_text(std::int64_t count);

/// "0.42 s", "12.3 s", "4 min 05 s", "2 h 03 min".
std::string duration_text(double seconds);

}  // namespace svi
