#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace svi::io {

/// Writes an 8-bit PNG atomically (see AtomicFile).
/// @param channels 1 (grey, 255 is white) or 3 (red, green, blue)
/// @param pixels [height, width, channels]
/// @throws Error (cannot_write), or (internal) when the sizes do not match. **Local.**
void write_png(const std::string& path, std::int64_t height, std::int64_t width, std::int64_t channels,
               std::span<const std::uint8_t> pixels);

}  // namespace svi::io
