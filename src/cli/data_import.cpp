#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "svi/base/error.hpp"
#include "svi/base/units.hpp"
#include "svi/cli/arguments.hpp"
#include "svi/cli/data_commands.hpp"
#include "svi/data/data_file.hpp"
#include "svi/data/import_counts.hpp"
#include "svi/data/import_idx.hpp"
#include "svi/data/import_text.hpp"

namespace svi::cli {

namespace {

struct ImportArguments {
  std::vector<std::string> inputs;
  std::string output;
  std::string labels;
  std::string vocabulary;
  bool is_a_document_a_line = false;
  data::JsonlOptions jsonl;
  data::TextOptions text;
};
using Arguments = std::shared_ptr<ImportArguments>;

constexpr const char* idx_example =
    "  svi-data import idx train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --output train.h5";
constexpr const char* uci_example =
    "  svi-data import uci docword.nips.txt.gz --vocabulary vocab.nips.txt --output nips.h5";
constexpr const char* text_example =
    "  svi-data import text articles/*.txt --min-df 10 --keep 20000 --output articles.h5";
constexpr const char* jsonl_example =
    "  svi-data import jsonl abstracts.jsonl.gz --field abstract --id-field doi --output abstracts.h5";

// What can be known before the work.
void check_files(const ImportArguments& arguments, const std::string& pattern) {
  std::vector<std::string> inputs = arguments.inputs;
  inputs.insert(inputs.end(), {arguments.labels, arguments.vocabulary, arguments.text.stop_words});
  require_output(arguments.output, inputs);
  for (const std::string& input : arguments.inputs) {
    std::error_code is_absent;
    if (pattern.empty() || !std::filesystem::is_directory(input, is_absent)) continue;
    throw Error(ExitCode::missing_input, "{} is a folder; name its files: {}", input,
                (std::filesystem::path(input) / pattern).string());
  }
}

void write(const ImportArguments& arguments, const data::Corpus& corpus) {
  data::write_counts(arguments.output, corpus.rows, corpus.vocabulary, corpus.document_ids);
  fmt::print("wrote {}: {}\n", arguments.output, data::corpus_text(corpus));
}

void import_idx(const ImportArguments& arguments) {
  const data::DenseTable table = data::import_idx(arguments.inputs.front(), arguments.labels);
  data::write_dense(arguments.output, table.rows, table.feature_shape);
  fmt::print("wrote {}: {} rows of {} values, {} labels\n", arguments.output, count_text(table.rows.rows()),
             count_text(table.rows.features.size(1)), arguments.labels.empty() ? "without" : "with");
}

// A format's subcommand with what all formats have.
// `pattern` ("*.txt"): how a format that takes many files usually names them; empty: it takes one.
CLI::App* add_format(CLI::App& import, const std::string& name, const std::string& summary,
                     const Arguments& arguments, const std::string& pattern,
                     const std::function<void(const ImportArguments&)>& run) {
  CLI::App* format = import.add_subcommand(name, summary);
  const bool takes_many = !pattern.empty();
  format
      ->add_option("input", arguments->inputs,
                   takes_many ? "the files to read, each plain or gzip" : "the file to read, plain or gzip")
      ->required()
      ->expected(1, takes_many ? CLI::detail::expected_max_vector_size : 1);
  format->add_option("-o,--output", arguments->output, "the HDF5 file to write")->required();
  format->callback([arguments, pattern, run] {
    check_files(*arguments, pattern);
    run(*arguments);
  });
  return format;
}

void add_text_options(CLI::App& format, const Arguments& arguments) {
  data::TextOptions& text = arguments->text;
  format
      .add_option("--stop-words", text.stop_words,
                  "words to leave out: english, none, or a file, a word a line")
      ->capture_default_str();
  within(format.add_option("--min-length", text.shortest, "letters of a word, at least"),
         Range::between(1, 100))
      ->capture_default_str();
  within(format.add_option("--min-df", text.min_df, "documents that have a word, at least"),
         Range::at_least(1))
      ->capture_default_str();
  within(format.add_option("--max-df", text.max_df, "fraction of the documents that have a word, at most"),
         Range::between(0, 1))
      ->capture_default_str();
  within(format.add_option("--keep", text.keep, "only the words that are in the most documents; 0: all"),
         Range::at_least(0))
      ->capture_default_str();
}

constexpr const char* how_words_are_cut =
    "A word is a run of letters, of any script in UTF-8, in lower case. All else separates words: digits,\n"
    "punctuation, symbols, so numbers vanish and \"x86\" becomes \"x\". Words shorter than --min-length and\n"
    "stop words are left out, then those in too few or too many documents. Words are not stemmed. The\n"
    "vocabulary is in alphabetical order.\n\n";

void add_count_formats(CLI::App& import, const Arguments& arguments) {
  CLI::App* uci = add_format(
      import, "uci", "UCI's bag of words: docword.txt", arguments, "",
      [](const auto& given) { write(given, data::import_uci(given.inputs.front(), given.vocabulary)); });
  uci->footer(fmt::format("Example:\n{}", uci_example));
  CLI::App* lda_c = add_format(
      import, "lda-c", "LDA-C's format: M word:count …", arguments, "",
      [](const auto& given) { write(given, data::import_lda_c(given.inputs.front(), given.vocabulary)); });
  for (CLI::App* format : {uci, lda_c}) {
    format->add_option("--vocabulary", arguments->vocabulary,
                       "the words, one a line; without it they are numbers");
  }
}

void add_text_formats(CLI::App& import, const Arguments& arguments) {
  CLI::App* text =
      add_format(import, "text", "plain text, a document a file", arguments, "*.txt", [](const auto& given) {
        write(given, given.is_a_document_a_line ? data::import_text_lines(given.inputs, given.text)
                                                : data::import_text_files(given.inputs, given.text));
      });
  text->add_flag("--lines", arguments->is_a_document_a_line, "a document a line rather than a file");
  CLI::App* jsonl = add_format(
      import, "jsonl", "JSON objects, one a line", arguments, "*.jsonl",
      [](const auto& given) { write(given, data::import_jsonl(given.inputs, given.jsonl, given.text)); });
  jsonl->add_option("--field", arguments->jsonl.field, "the member that holds the text")
      ->capture_default_str();
  jsonl->add_option("--id-field", arguments->jsonl.id_field, "the member that names the document");
  add_text_options(*text, arguments);
  add_text_options(*jsonl, arguments);
  text->footer(fmt::format("{}Example:\n{}", how_words_are_cut, text_example));
  jsonl->footer(fmt::format("{}Example:\n{}", how_words_are_cut, jsonl_example));
}

}  // namespace

void add_data_import(CLI::App& app) {
  auto arguments = std::make_shared<ImportArguments>();
  CLI::App* import =
      app.add_subcommand("import", "Turns files of other formats into HDF5 that svi-train reads");
  import->require_subcommand(1);
  CLI::App* idx =
      add_format(*import, "idx", "MNIST's format: images, unsigned bytes", arguments, "", import_idx);
  idx->add_option("--labels", arguments->labels, "the labels of the images, in the same format");
  idx->footer(fmt::format("Example:\n{}", idx_example));
  add_count_formats(*import, arguments);
  add_text_formats(*import, arguments);
  import->footer(
      fmt::format("Examples:\n{}\n{}\n{}\n{}", idx_example, uci_example, text_example, jsonl_example));
}

}  // namespace svi::cli
