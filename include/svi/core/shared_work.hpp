#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace svi {

/// Items first … last − 1.
struct Part {
  std::int64_t first = 0;
  std::int64_t last = 0;

  std::int64_t size() const { return last - first; }
};

/// What processes of one machine do once for all of them: each a part of it, in memory that they have in
/// common. This class is a process on its own, which does all of it. What is shared out are the rows of a
/// lazy matrix (its updates, their sums over processes, and what a model makes of them).
class SharedWork {
 public:
  SharedWork() = default;
  virtual ~SharedWork() = default;
  SharedWork(const SharedWork&) = delete;  // memory is of one
  SharedWork& operator=(const SharedWork&) = delete;

  virtual int size() const { return 1; }  ///< processes. **Local.**
  virtual int rank() const { return 0; }  ///< this one's number. **Local.**
  /// Returns when every process has called it; each sees what the others wrote before. **Collective.**
  virtual void meet() {}

  /// This process' part of `count` items, cut at multiples of `unit`; parts of processes follow one another
  /// in the order of ranks. **Local.**
  Part part(std::int64_t count, std::int64_t unit = 1) const;

  /// The memory of a name, on a 64-byte boundary: the same for every process. More than it has is new memory,
  /// of zeros, somewhat more than asked for. **Collective** where that is so; every process makes the same
  /// calls in the same order, so that it is so for all or for none.
  /// @param bytes the same in every process
  /// @throws AgreedError (internal), or std::bad_alloc of a process on its own, when there is none
  std::byte* memory(const std::string& name, std::int64_t bytes);
  /// The same as so many numbers.
  template <typename Element>
  Element* array(const std::string& name, std::int64_t count) {
    return reinterpret_cast<Element*>(memory(name, count * static_cast<std::int64_t>(sizeof(Element))));
  }
  /// The same memory, for those that outlive this object; null where nobody asked for it. **Local.**
  std::shared_ptr<void> owner(const std::string& name) const;

 protected:
  /// Zeroed memory that all processes have in common. **Collective.**
  virtual std::shared_ptr<void> allocate(std::int64_t bytes);

 private:
  struct Memory {
    std::shared_ptr<void> first;
    std::int64_t bytes = 0;
  };
  std::map<std::string, Memory> memories_;
};

}  // namespace svi
