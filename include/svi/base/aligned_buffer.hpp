#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

namespace svi {

/// Numbers on a 64-byte boundary, for loops over whole cache lines. It only grows; new elements are zero, old
/// ones are lost when it does. **Local.**
template <typename Element>
class AlignedBuffer {
 public:
  void resize(std::size_t size) {
    if (size <= size_) return;
    values_.reset(static_cast<Element*>(::operator new[](size * sizeof(Element), std::align_val_t{64})));
    std::fill_n(values_.get(), size, Element{});
    size_ = size;
  }
  Element* data() { return values_.get(); }
  const Element* data() const { return values_.get(); }

 private:
  struct Free {
    void operator()(Element* values) const { ::operator delete[](values, std::align_val_t{64}); }
  };
  std::unique_ptr<Element, Free> values_;
  std::size_t size_ = 0;
};

}  // namespace svi
