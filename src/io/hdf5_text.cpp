#include <algorithm>
#include <cstring>
#include <memory>

#include "hdf5_check.hpp"

namespace svi::io {

namespace {

// Memory for texts of variable length, at most as much as a file can hold: many elements of a hostile file
// could name the same long text.
class TextArena {
 public:
  explicit TextArena(std::uint64_t budget_bytes) : left_(budget_bytes) {}

  static void* allocate(std::size_t bytes, void* arena) {
    return static_cast<TextArena*>(arena)->take(bytes);
  }
  static void free(void* /*text*/, void* /*arena*/) {}  // all at once, with the arena

 private:
  void* take(std::size_t bytes) noexcept {
    if (bytes > left_) return nullptr;
    try {
      texts_.push_back(std::make_unique<char[]>(bytes));
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
    left_ -= bytes;
    return texts_.back().get();
  }

  std::uint64_t left_;
  std::vector<std::unique_ptr<char[]>> texts_;
};

}  // namespace

std::vector<std::string> Hdf5Dataset::read_texts() const {
  const Hdf5Lock lock;
  if (type_.kind != ElementType::Kind::text || shape_.size() != 1) {
    throw Error(code(), "{}: holds {} in {} dimensions, but should hold a list of texts", where_,
                type_.text(), shape_.size());
  }
  const Hdf5Id type = checked(H5Dget_type(id_.get()), H5Tclose, code(), where_, "read its type");
  return type_.is_variable ? read_variable_texts(type) : read_fixed_texts(type);
}

std::vector<std::string> Hdf5Dataset::read_fixed_texts(const Hdf5Id& type) const {
  const auto count = static_cast<std::size_t>(elements());
  std::vector<char> fields(count * type_.bytes);
  if (count > 0) {
    check(H5Dread(id_.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, fields.data()), code(), where_,
          "read its texts");
  }
  std::vector<std::string> texts(count);
  for (std::size_t i = 0; i < count; ++i) texts[i] = unpadded(&fields[i * type_.bytes], type_.bytes, type);
  return texts;
}

std::vector<std::string> Hdf5Dataset::read_variable_texts(const Hdf5Id& type) const {
  const auto count = static_cast<std::size_t>(elements());
  std::vector<char*> pointers(count, nullptr);
  TextArena arena(file_bytes_ + count);  // each text comes with a zero byte that the file does not hold
  const Hdf5Id transfer =
      checked(H5Pcreate(H5P_DATASET_XFER), H5Pclose, code(), where_, "prepare reading its texts");
  check(H5Pset_vlen_mem_manager(transfer.get(), TextArena::allocate, &arena, TextArena::free, &arena), code(),
        where_, "prepare reading its texts");
  if (count > 0) {
    check(
        H5Dread(id_.get(), type.get(), H5S_ALL, H5S_ALL, transfer.get(), static_cast<void*>(pointers.data())),
        code(), where_, "read its texts");
  }
  std::vector<std::string> texts(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (pointers[i] != nullptr) texts[i] = pointers[i];
  }
  return texts;
}

void Hdf5Dataset::write_texts(const std::vector<std::string>& texts, const Hdf5Id& type) {
  if (texts.empty()) return;
  const void* values = nullptr;
  std::vector<const char*> pointers;
  std::string fields;
  if (type_.is_variable) {
    for (const std::string& text : texts) pointers.push_back(text.c_str());
    values = static_cast<const void*>(pointers.data());
  } else {
    fields.resize(texts.size() * type_.bytes);
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i].copy(&fields[i * type_.bytes], type_.bytes);
    values = fields.data();
  }
  check(H5Dwrite(id_.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values), code(), where_,
        "write its texts");
}

Hdf5Dataset Hdf5Group::create_texts(const std::string& name, const std::vector<std::string>& texts,
                                    TextForm form) {
  const Hdf5Lock lock;
  std::size_t longest = 0;
  for (const std::string& text : texts) {
    require_no_zero_byte(text, where_of(name));
    longest = std::max(longest, text.size());
  }
  const Hdf5Id type = form == TextForm::variable ? variable_text_type(where_, code())
                                                 : fixed_text_type(longest, where_, code());
  const Storage storage = form == TextForm::variable ? Storage::contiguous : Storage::checksummed;
  Hdf5Dataset dataset = create(name, type, {std::ssize(texts)}, storage);
  dataset.write_texts(texts, type);
  return dataset;
}

Hdf5Dataset Hdf5Group::create_text_fields(const std::string& name, std::string_view fields,
                                          std::size_t bytes) {
  const Hdf5Lock lock;
  const Hdf5Id type = fixed_text_type(bytes, where_, code());
  Hdf5Dataset dataset =
      create(name, type, {static_cast<std::int64_t>(fields.size() / bytes)}, Storage::checksummed);
  check(H5Dwrite(dataset.id_.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, fields.data()), code(),
        dataset.where(), "write its texts");
  return dataset;
}

}  // namespace svi::io
