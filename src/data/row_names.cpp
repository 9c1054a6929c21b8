#include "row_names.hpp"

#include "svi/base/error.hpp"
#include "svi/data/data_file.hpp"

namespace svi::data {

std::vector<std::string> row_names(const io::Hdf5Group& root, const char* table) {
  const io::Hdf5Group group = root.group(table);
  const std::string index = group.has_attribute("_index") ? group.text_attribute("_index") : "_index";
  if (group.has_group(index) && group.group(index).has_dataset("values")) {
    return group.group(index).dataset("values").read_texts();
  }
  return group.dataset(index).read_texts();
}

std::vector<std::string> read_document_ids(const DataFacts& facts) {
  const io::Hdf5File file = io::Hdf5File::open(facts.path);
  std::vector<std::string> names;
  if (file.has_group("obs")) {
    names = row_names(file, "obs");
    if (std::ssize(names) == facts.rows) return names;
    throw Error(ExitCode::bad_data, "{}: obs names {} documents, but X has {} rows", facts.path, names.size(),
                facts.rows);
  }
  for (std::int64_t row = 0; row < facts.rows; ++row) names.push_back(std::to_string(row));
  return names;
}

}  // namespace svi::data
