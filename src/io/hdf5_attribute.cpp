#include <algorithm>

#include "hdf5_check.hpp"

namespace svi::io {

namespace {

// More than any attribute of ours or anndata's holds; a hostile file may claim anything.
constexpr hssize_t most_elements = 1 << 20;
constexpr std::size_t most_text_bytes = 1 << 26;

Hdf5Id type_of(const Hdf5Id& attribute, const std::string& where) {
  return checked(H5Aget_type(attribute.get()), H5Tclose, ExitCode::bad_data, where,
                 "read an attribute's type");
}

hssize_t elements_of(const Hdf5Id& attribute, const std::string& where) {
  const Hdf5Id space =
      checked(H5Aget_space(attribute.get()), H5Sclose, ExitCode::bad_data, where, "read an attribute's size");
  if (H5Sget_simple_extent_type(space.get()) == H5S_NULL) return 0;
  return check(H5Sget_simple_extent_npoints(space.get()), ExitCode::bad_data, where,
               "read an attribute's size");
}

void require_kind(const Hdf5Id& type, bool is_right, const std::string& where, const std::string& name,
                  const char* expected) {
  if (is_right) return;
  throw Error(ExitCode::bad_data, "{}: the attribute \"{}\" holds {}, but should hold {}", where, name,
              element_type(type).text(), expected);
}

std::string read_variable_text(const Hdf5Id& attribute, const Hdf5Id& type, const std::string& where) {
  char* text = nullptr;
  check(H5Aread(attribute.get(), type.get(), static_cast<void*>(&text)), ExitCode::bad_data, where,
        "read a text attribute");
  std::string result = text == nullptr ? "" : text;
  if (text != nullptr) H5free_memory(text);
  return result;
}

std::string read_fixed_text(const Hdf5Id& attribute, const Hdf5Id& type, const std::string& where) {
  const std::size_t bytes = H5Tget_size(type.get());
  if (bytes > most_text_bytes) {
    throw Error(ExitCode::bad_data, "{}: a text attribute claims to be {} bytes long", where, bytes);
  }
  std::string field(bytes, '\0');
  check(H5Aread(attribute.get(), type.get(), field.data()), ExitCode::bad_data, where,
        "read a text attribute");
  return unpadded(field.data(), bytes, type);
}

}  // namespace

bool Hdf5Node::has_attribute(const std::string& name) const {
  const Hdf5Lock lock;
  return check(H5Aexists(id_.get(), name.c_str()), code(), where_, "look for an attribute") > 0;
}

std::vector<std::string> Hdf5Node::attribute_names() const {
  const Hdf5Lock lock;
  std::vector<std::string> names;
  hsize_t start = 0;
  check(H5Aiterate2(id_.get(), H5_INDEX_NAME, H5_ITER_INC, &start, append_name<H5A_info_t>, &names), code(), where_,
        "list its attributes");
  return names;
}

Hdf5Id Hdf5Node::open_attribute(const std::string& name, bool must_be_single) const {
  if (!has_attribute(name)) throw Error(code(), "{}: the attribute \"{}\" is missing", where_, name);
  Hdf5Id attribute =
      checked(H5Aopen(id_.get(), name.c_str(), H5P_DEFAULT), H5Aclose, code(), where_, "open an attribute");
  const hssize_t elements = elements_of(attribute, where_);
  if (must_be_single ? elements != 1 : elements > most_elements) {
    throw Error(code(), "{}: the attribute \"{}\" has {} elements, but should have {}", where_, name,
                elements, must_be_single ? "one" : "a few");
  }
  return attribute;
}

std::string Hdf5Node::text_attribute(const std::string& name) const {
  const Hdf5Lock lock;
  const Hdf5Id attribute = open_attribute(name, true);
  const Hdf5Id type = type_of(attribute, where_);
  const ElementType element = element_type(type);
  require_kind(type, element.kind == ElementType::Kind::text, where_, name, "a text");
  return element.is_variable ? read_variable_text(attribute, type, where_)
                             : read_fixed_text(attribute, type, where_);
}

std::int64_t Hdf5Node::integer_attribute(const std::string& name) const {
  const std::vector<std::int64_t> values = integers_attribute(name);
  if (values.size() == 1) return values.front();
  throw Error(code(), "{}: the attribute \"{}\" has {} elements, but should have one", where_, name,
              values.size());
}

double Hdf5Node::real_attribute(const std::string& name) const {
  const Hdf5Lock lock;
  const Hdf5Id attribute = open_attribute(name, true);
  const Hdf5Id type = type_of(attribute, where_);
  const auto kind = element_type(type).kind;
  require_kind(type, kind == ElementType::Kind::real || kind == ElementType::Kind::integer, where_, name,
               "a number");
  double value = 0;
  check(H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, &value), code(), where_, "read an attribute");
  return value;
}

std::vector<std::int64_t> Hdf5Node::integers_attribute(const std::string& name) const {
  const Hdf5Lock lock;
  const Hdf5Id attribute = open_attribute(name, false);
  const Hdf5Id type = type_of(attribute, where_);
  require_kind(type, element_type(type).kind == ElementType::Kind::integer, where_, name, "integers");
  std::vector<std::int64_t> values(static_cast<std::size_t>(elements_of(attribute, where_)));
  if (values.empty()) return values;
  check(H5Aread(attribute.get(), H5T_NATIVE_INT64, values.data()), code(), where_, "read an attribute");
  return values;
}

void Hdf5Node::write_attribute(const std::string& name, const Hdf5Id& type, const Hdf5Id& space,
                               const void* value) {
  const Hdf5Id attribute =
      checked(H5Acreate2(id_.get(), name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT),
              H5Aclose, code(), where_, "create an attribute");
  check(H5Awrite(attribute.get(), type.get(), value), code(), where_, "write an attribute");
}

void Hdf5Node::set_attribute(const std::string& name, std::string_view text, TextForm form) {
  const Hdf5Lock lock;
  require_no_zero_byte(text, where_);
  const std::string copy(text);
  const Hdf5Id scalar = checked(H5Screate(H5S_SCALAR), H5Sclose, code(), where_, "create an attribute");
  if (form == TextForm::variable) {
    const char* pointer = copy.c_str();
    write_attribute(name, variable_text_type(where_, code()), scalar, static_cast<const void*>(&pointer));
  } else {
    write_attribute(name, fixed_text_type(copy.size(), where_, code()), scalar, copy.c_str());
  }
}

void Hdf5Node::set_attribute(const std::string& name, std::int64_t value) {
  const Hdf5Lock lock;
  const Hdf5Id scalar = checked(H5Screate(H5S_SCALAR), H5Sclose, code(), where_, "create an attribute");
  write_attribute(name, borrowed(memory_type<std::int64_t>()), scalar, &value);
}

void Hdf5Node::set_attribute(const std::string& name, double value) {
  const Hdf5Lock lock;
  const Hdf5Id scalar = checked(H5Screate(H5S_SCALAR), H5Sclose, code(), where_, "create an attribute");
  write_attribute(name, borrowed(memory_type<double>()), scalar, &value);
}

void Hdf5Node::set_attribute(const std::string& name, std::span<const std::int64_t> values) {
  const Hdf5Lock lock;
  const hsize_t count = values.size();
  const Hdf5Id space =
      checked(H5Screate_simple(1, &count, nullptr), H5Sclose, code(), where_, "create an attribute");
  // Without elements there is nothing to write, but HDF5 wants an address.
  static constexpr std::int64_t nothing = 0;
  write_attribute(name, borrowed(memory_type<std::int64_t>()), space,
                  values.empty() ? &nothing : values.data());
}

}  // namespace svi::io
