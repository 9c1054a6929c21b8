#pragma once

#include <hdf5.h>

#include <span>
#include <type_traits>

#include "checkpoint/sample.hpp"
#include "svi/base/sha256.hpp"

namespace svi::checkpoint::test {

/// The first 512 bytes anew, as docs/checkpoint.md says, so that only what comes after the digest can refuse.
inline void reseal(const std::string& path) {
  std::string bytes = read_bytes(path);
  const auto rest = std::as_bytes(std::span(bytes)).subspan(512);
  std::string seal = fmt::format("svi-train checkpoint 1\nlength {}\nsha256 {}\n", bytes.size(),
                                 Sha256().add(rest).finish_hex());
  seal.resize(512, '\0');
  write_bytes(path, bytes.replace(0, 512, seal));
}

/// An attribute that exists gets another value.
template <typename Number>
void set_number(hid_t file, const char* path, const char* name, Number value) {
  const hid_t object = H5Oopen(file, path, H5P_DEFAULT);
  const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  EXPECT_GE(H5Awrite(attribute, std::is_integral_v<Number> ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE, &value),
            0);
  H5Aclose(attribute);
  H5Oclose(object);
}

}  // namespace svi::checkpoint::test
