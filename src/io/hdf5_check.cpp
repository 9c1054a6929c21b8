#include "hdf5_check.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace svi::io {

namespace {

// A system error comes wrapped in pointers and times: keep the system's words.
std::string without_addresses(const std::string& description) {
  static const std::string mark = "error message = '";
  const auto begin = description.find(mark);
  if (begin == std::string::npos) return description;
  const auto end = description.find('\'', begin + mark.size());
  return description.substr(begin + mark.size(), end - begin - mark.size());
}

herr_t collect(unsigned /*depth*/, const H5E_error2_t* error, void* reasons) {
  try {
    if (error->desc != nullptr) static_cast<std::vector<std::string>*>(reasons)->emplace_back(error->desc);
  } catch (...) {
    return -1;
  }
  return 0;
}

}  // namespace

void silence() {
  // At exit HDF5 1.10 flushes once more what a full disk refused, and crashes: that turns our exit code into
  // a signal's. Files are closed by their owners, nothing else is lost.
  static const herr_t leaves_exit_alone = H5dont_atexit();
  static_cast<void>(leaves_exit_alone);
  thread_local const herr_t is_silent = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  static_cast<void>(is_silent);
}

// Never destroyed: objects with static storage may close their files after everything else is gone.
std::recursive_mutex& Hdf5Lock::mutex() {
  static auto* const only = new std::recursive_mutex;
  return *only;
}

std::string error_stack_text() {
  std::vector<std::string> reasons;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect, &reasons);
  H5Eclear2(H5E_DEFAULT);
  if (reasons.empty()) return "HDF5 gave no reason";
  const std::string innermost = without_addresses(reasons.front());
  if (innermost == "No space left on device") {
    return innermost + "; free some space, or choose a folder on another disk";
  }
  return reasons.size() == 1 ? innermost : innermost + " (" + reasons.back() + ")";
}

Hdf5Id::~Hdf5Id() { close(); }

Hdf5Id::Hdf5Id(Hdf5Id&& other) noexcept
    : id_(std::exchange(other.id_, -1)), close_(std::exchange(other.close_, nullptr)) {}

Hdf5Id& Hdf5Id::operator=(Hdf5Id&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(close_, other.close_);
  return *this;
}

int Hdf5Id::close() {
  const std::int64_t id = std::exchange(id_, -1);
  if (id < 0 || close_ == nullptr) return 0;
  const Hdf5Lock lock;
  return close_(id);
}

ElementType element_type(const Hdf5Id& type) {
  ElementType result{.bytes = H5Tget_size(type.get())};
  switch (H5Tget_class(type.get())) {
    case H5T_INTEGER:
      result.kind = ElementType::Kind::integer;
      result.is_signed = H5Tget_sign(type.get()) == H5T_SGN_2;
      break;
    case H5T_FLOAT:
      result.kind = ElementType::Kind::real;
      break;
    case H5T_STRING:
      result.kind = ElementType::Kind::text;
      result.is_variable = H5Tis_variable_str(type.get()) > 0;
      break;
    default:
      break;
  }
  return result;
}

std::string ElementType::text() const {
  switch (kind) {
    case Kind::integer:
      return fmt::format("{}int{}", is_signed ? "" : "u", 8 * bytes);
    case Kind::real:
      return fmt::format("float{}", 8 * bytes);
    case Kind::text:
      return "text";
    default:
      return "a type that is neither number nor text";
  }
}

Hdf5Id variable_text_type(const std::string& where, ExitCode code) {
  return fixed_text_type(H5T_VARIABLE, where, code);
}

Hdf5Id fixed_text_type(std::size_t bytes, const std::string& where, ExitCode code) {
  Hdf5Id type = checked(H5Tcopy(H5T_C_S1), H5Tclose, code, where, "make a text type");
  check(H5Tset_size(type.get(), std::max<std::size_t>(bytes, 1)), code, where, "size a text type");
  if (bytes != H5T_VARIABLE) check(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), code, where, "pad a text");
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), code, where, "choose UTF-8");
  return type;
}

std::string unpadded(const char* field, std::size_t bytes, const Hdf5Id& type) {
  std::string text(field, strnlen(field, bytes));
  if (H5Tget_strpad(type.get()) == H5T_STR_SPACEPAD) text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

void require_no_zero_byte(std::string_view text, const std::string& where) {
  if (text.find('\0') == std::string_view::npos) return;
  throw Error(ExitCode::cannot_write, "{}: the text \"{}…\" holds a zero byte, which HDF5 texts can't", where,
              std::string(text.data()));
}

}  // namespace svi::io
