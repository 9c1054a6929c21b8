#pragma once

#include <cstdint>
#include <string>

namespace svi::test {

/// Grey pictures of `side`² pixels, uint8: blobs at five places with noise, so that a small VAE learns them.
void write_images(const std::string& path, std::int64_t count, std::int64_t side, std::uint64_t seed);

/// Documents of about thirty words from four topics over disjoint parts of a vocabulary word0, word1, …;
/// every 50th document is empty.
void write_documents(const std::string& path, std::int64_t count, std::int64_t vocabulary, std::uint64_t seed,
                     const std::string& word = "word");

/// Rows of float32 measurements from 0 to `largest`.
void write_measurements(const std::string& path, std::int64_t count, std::int64_t columns, double largest);

}  // namespace svi::test
