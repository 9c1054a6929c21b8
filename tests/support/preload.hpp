#pragma once

namespace svi::test {

/// Why faults cannot be injected by a preloaded library in this build; null where they can.
inline const char* no_preload_reason() {
#ifdef SVI_SANITIZE
  return "a sanitizer's runtime must be the first library loaded, so that nothing can be preloaded";
#else
  return nullptr;
#endif
}

}  // namespace svi::test
