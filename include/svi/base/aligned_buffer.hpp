#pragma once

#include <cstddef>

#include "svi/base/pages.hpp"

namespace svi {

/// Numbers on a 64-byte boundary, for loops over whole cache lines. It only grows, from the second time on by
/// a quarter more than is needed, since the system takes time for new pages (of 1 MiB and more what is not
/// used takes no memory); new elements are zero, old ones are lost when it does. **Local.**
template <typename Element>
class AlignedBuffer {
 public:
  void resize(std::size_t size) {
    if (size <= size_) return;
    const std::size_t grown = size_ == 0 ? size : size + size / 4;
    values_ = zeroed_pages(grown * sizeof(Element));
    size_ = grown;
  }
  Element* data() { return static_cast<Element*>(values_.get()); }
  const Element* data() const { return static_cast<const Element*>(values_.get()); }

 private:
  Pages values_;
  std::size_t size_ = 0;
};

}  // namespace svi
