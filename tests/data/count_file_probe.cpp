// count_file_probe write FILE | read FILE: what anndata_interop.py compares with AnnData.
#include <ATen/core/Tensor.h>

#include <cstdio>
#include <string>

#include "svi/base/error.hpp"
#include "svi/data/data_file.hpp"

namespace {

using namespace svi;

void print_counts(const CountRows& rows) {
  for (std::size_t row = 0; row + 1 < rows.starts.size(); ++row) {
    std::printf("%s{", row == 0 ? "" : ", ");
    for (auto i = static_cast<std::size_t>(rows.starts[row]);
         i < static_cast<std::size_t>(rows.starts[row + 1]); ++i) {
      const char* comma = static_cast<std::int64_t>(i) == rows.starts[row] ? "" : ", ";
      std::printf("%s\"%d\": %.0f", comma, rows.words[i], static_cast<double>(rows.counts[i]));
    }
    std::printf("}");
  }
}

void print_dense(const DenseRows& rows) {
  const float* values = rows.features.const_data_ptr<float>();
  for (std::int64_t row = 0; row < rows.rows(); ++row) {
    std::printf("%s[", row == 0 ? "" : ", ");
    for (std::int64_t i = 0; i < rows.features.size(1); ++i) {
      std::printf("%s%.9g", i == 0 ? "" : ", ", static_cast<double>(*values++));
    }
    std::printf("]");
  }
}

void read(const std::string& path) {
  const data::DataFile file(path);
  const Rows rows = file.read(0, file.facts().rows);
  std::printf("{\"vocabulary\": [");
  for (std::size_t i = 0; i < file.facts().vocabulary.size(); ++i) {
    std::printf("%s\"%s\"", i == 0 ? "" : ", ", file.facts().vocabulary[i].c_str());
  }
  std::printf("], \"%s\": [", file.facts().layout == data::Layout::counts ? "rows" : "features");
  if (const auto* counts = std::get_if<CountRows>(&rows)) print_counts(*counts);
  if (const auto* dense = std::get_if<DenseRows>(&rows)) print_dense(*dense);
  std::printf("]}\n");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return static_cast<int>(ExitCode::usage);
  try {
    if (std::string(arguments[1]) == "read") {
      read(arguments[2]);
    } else {
      const CountRows rows{.starts = {0, 2, 2, 4}, .words = {0, 2, 1, 3}, .counts = {1, 2, 5, 3}};
      data::write_counts(arguments[2], rows, {"alpha", "bèta", "gamma", "delta"},
                         {"first", "second", "third"});
    }
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
}
