#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "svi/base/units.hpp"
#include "svi/cli/data_commands.hpp"
#include "svi/cli/open_data.hpp"
#include "svi/cli/table.hpp"

namespace svi::cli {

namespace {

constexpr std::int64_t rows_at_once = 4096;
constexpr std::size_t words_shown = 12;

// What only a pass over all rows tells.
struct Census {
  std::int64_t nonzeros = 0;
  double total = 0;  // of all counts or features
  std::int64_t empty_rows = 0;
  std::map<std::int64_t, std::int64_t> label_counts;

  void add(const CountRows& rows) {
    nonzeros += rows.starts.back();
    for (const float count : rows.counts) total += count;
    for (std::size_t row = 0; row + 1 < rows.starts.size(); ++row) {
      if (rows.starts[row] == rows.starts[row + 1]) ++empty_rows;
    }
  }
  void add(const DenseRows& rows) {
    nonzeros += rows.features.count_nonzero().item<std::int64_t>();
    total += rows.features.sum(at::kDouble).item<double>();
    if (!rows.labels.defined()) return;
    const at::Tensor labels = rows.labels.contiguous();
    for (std::int64_t i = 0; i < labels.numel(); ++i)
      ++label_counts[labels.const_data_ptr<std::int64_t>()[i]];
  }
};

Census census_of(const data::DataFile& file) {
  Census census;
  const std::int64_t rows = file.facts().rows;
  for (std::int64_t first = 0; first < rows; first += rows_at_once) {
    const Rows block = file.read(first, std::min(rows, first + rows_at_once));
    std::visit([&](const auto& kind) { census.add(kind); }, block);
  }
  return census;
}

std::vector<std::string> head_of(const std::vector<std::string>& vocabulary) {
  return {vocabulary.begin(),
          vocabulary.begin() + static_cast<std::ptrdiff_t>(std::min(words_shown, vocabulary.size()))};
}

double density_of(const data::DataFacts& facts, const Census& census) {
  return static_cast<double>(census.nonzeros) /
         (static_cast<double>(facts.rows) * static_cast<double>(facts.columns));
}

nlohmann::ordered_json json_of(const data::DataFacts& facts, const Census& census) {
  const bool is_counts = facts.layout == data::Layout::counts;
  nlohmann::ordered_json json{{"path", facts.path},
                              {"layout", is_counts ? "counts" : "dense"},
                              {"rows", facts.rows},
                              {"columns", facts.columns},
                              {"feature_shape", facts.feature_shape},
                              {"entries", facts.entries},
                              {"density", density_of(facts, census)}};
  if (is_counts) {
    json["tokens"] = census.total;
    json["empty_documents"] = census.empty_rows;
    json["vocabulary_head"] = head_of(facts.vocabulary);
  } else {
    json["type"] = facts.is_uint8 ? "uint8" : "float32";
    json["mean"] = census.total / static_cast<double>(facts.entries);
    json["labels"] = nlohmann::ordered_json::object();
    for (const auto& [label, count] : census.label_counts) json["labels"][std::to_string(label)] = count;
  }
  json["fingerprint"] = facts.fingerprint;
  json["size_bytes"] = std::filesystem::file_size(facts.path);
  return json;
}

std::string labels_text(const std::map<std::int64_t, std::int64_t>& counts) {
  if (counts.empty()) return "none";
  std::vector<std::string> parts;
  for (const auto& [label, count] : counts) parts.push_back(fmt::format("{}: {}", label, count_text(count)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

using Lines = std::vector<std::vector<std::string>>;

void add_counts(const data::DataFacts& facts, const Census& census, Lines& lines) {
  lines.push_back({"layout", "counts"});
  lines.push_back({"documents", count_text(facts.rows)});
  lines.push_back({"words", count_text(facts.columns)});
  lines.push_back({"entries", count_text(facts.entries)});
  lines.push_back({"tokens", count_text(static_cast<std::int64_t>(census.total))});
  lines.push_back({"empty documents", count_text(census.empty_rows)});
  lines.push_back({"vocabulary", fmt::format("{}{}", fmt::join(head_of(facts.vocabulary), " "),
                                             facts.vocabulary.size() > words_shown ? " …" : "")});
}

void add_dense(const data::DataFacts& facts, const Census& census, Lines& lines) {
  lines.push_back({"layout", "dense"});
  lines.push_back({"rows", count_text(facts.rows)});
  lines.push_back({"row", fmt::format("{} {}", fmt::join(facts.feature_shape, "×"),
                                      facts.is_uint8 ? "uint8" : "float32")});
  lines.push_back({"mean", fmt::format("{:.6g}", census.total / static_cast<double>(facts.entries))});
  lines.push_back({"labels", labels_text(census.label_counts)});
}

std::string text_of(const data::DataFacts& facts, const Census& census) {
  Lines lines{{"file", facts.path}};
  if (facts.layout == data::Layout::counts) {
    add_counts(facts, census, lines);
  } else {
    add_dense(facts, census, lines);
  }
  lines.push_back({"density", fmt::format("{:.4f}", density_of(facts, census))});
  lines.push_back({"size on disk", bytes_text(static_cast<double>(std::filesystem::file_size(facts.path)))});
  lines.push_back({"fingerprint", facts.fingerprint});
  return table_text({{}, {}}, lines);
}

struct InfoArguments {
  std::string path;
  bool as_json = false;
};

void run(const InfoArguments& arguments) {
  const data::DataFile file = open_data(arguments.path);
  const Census census = census_of(file);
  if (arguments.as_json) {
    fmt::print("{}\n",
               json_of(file.facts(), census).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{}", text_of(file.facts(), census));
  }
}

}  // namespace

void add_data_info(CLI::App& app) {
  auto arguments = std::make_shared<InfoArguments>();
  CLI::App* command =
      app.add_subcommand("info", "Reads a data file from start to end and says what is in it");
  command->add_option("file", arguments->path, "an HDF5 data file")->required();
  command->add_flag("--json", arguments->as_json, "as JSON");
  command->footer("Example:\n  svi-data info data/debian.h5");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace svi::cli
