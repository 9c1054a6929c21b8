#pragma once

#include <cstdint>
#include <string>

namespace svi::checkpoint {

/// Bytes before the HDF5 part of a checkpoint: HDF5 calls them a user block and looks past them.
constexpr std::int64_t seal_bytes = 512;

/// Writes the seal of a finished file: length, and SHA-256 of everything after the seal, as lines of text.
/// @throws Error (cannot_write) **Local.**
void write_seal(const std::string& path);

/// Passes only a file whose seal fits it: any byte changed, lost or added is found before HDF5 sees one.
/// @throws Error (missing_input, bad_data) **Local.**
void require_sealed(const std::string& path);

}  // namespace svi::checkpoint
