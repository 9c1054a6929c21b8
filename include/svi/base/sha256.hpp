#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace svi {

/// A SHA-256 over bytes that arrive in pieces (FIPS 180-4, computed by OpenSSL). **Local.**
class Sha256 {
 public:
  using Digest = std::array<std::uint8_t, 32>;

  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  Sha256& add(std::span<const std::byte> bytes);
  /// Adds the length, then the bytes, so that ("ab", "c") and ("a", "bc") differ.
  Sha256& add_text(std::string_view text);
  /// Adds eight bytes, least significant first.
  Sha256& add_integer(std::uint64_t value);

  /// Ends the digest; the object takes no more bytes afterwards.
  Digest finish();
  /// `finish()` as 64 lower-case hexadecimal digits.
  std::string finish_hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string to_hex(std::span<const std::uint8_t> bytes);

/// The digest of a whole file as hexadecimal digits.
/// @throws Error (missing_input) when it cannot be read
std::string sha256_of_file(const std::string& path);

}  // namespace svi
