#pragma once

#include <cstddef>

#include "svi/base/pages.hpp"

namespace svi {

/// Numbers on a 64-byte boundary, for loops over whole cache lines. It only grows; new elements are zero, old
/// ones are lost when it does. **Local.**
template <typename Element>
class AlignedBuffer {
 public:
  void resize(std::size_t size) {
    if (size <= size_) return;
    values_ = zeroed_pages(size * sizeof(Element));
    size_ = size;
  }
  Element* data() { return static_cast<Element*>(values_.get()); }
  const Element* data() const { return static_cast<const Element*>(values_.get()); }

 private:
  Pages values_;
  std::size_t size_ = 0;
};

}  // namespace svi
