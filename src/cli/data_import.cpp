#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "svi/base/error.hpp"
#include "svi/base/units.hpp"
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

// Known before the work rather than after it.
void check_output(const std::string& output) {
  const auto folder = std::filesystem::absolute(output).parent_path();
  if (!std::filesystem::is_directory(folder)) {
    throw Error(ExitCode::cannot_write, "cannot write {}: there is no folder {}", output, folder.string());
  }
  if (std::filesystem::is_directory(output)) {
    throw Error(ExitCode::cannot_write, "cannot write {}: it is a folder, expected the name of a file",
                output);
  }
}

void write(const ImportArguments& arguments, const data::Corpus& corpus) {
  data::write_counts(arguments.output, corpus.rows, corpus.vocabulary, corpus.document_ids);
  const double tokens = std::accumulate(corpus.rows.counts.begin(), corpus.rows.counts.end(), 0.0);
  fmt::print("wrote {}: {} documents, {} words, {} entries, {} tokens\n", arguments.output,
             count_text(corpus.rows.rows()), count_text(static_cast<std::int64_t>(corpus.vocabulary.size())),
             count_text(corpus.rows.starts.back()), count_text(static_cast<std::int64_t>(tokens)));
}

void import_idx(const ImportArguments& arguments) {
  const data::DenseTable table = data::import_idx(arguments.inputs.front(), arguments.labels);
  data::write_dense(arguments.output, table.rows, table.feature_shape);
  fmt::print("wrote {}: {} rows of {} values, {} labels\n", arguments.output, count_text(table.rows.rows()),
             count_text(table.rows.features.size(1)), arguments.labels.empty() ? "without" : "with");
}

// A format's subcommand with what all formats have.
CLI::App* add_format(CLI::App& import, const std::string& name, const std::string& summary,
                     const Arguments& arguments, bool takes_many,
                     const std::function<void(const ImportArguments&)>& run) {
  CLI::App* format = import.add_subcommand(name, summary);
  auto* input = format->add_option("input", arguments->inputs, "the file to read, plain or gzip")->required();
  input->expected(1, takes_many ? CLI::detail::expected_max_vector_size : 1);
  format->add_option("-o,--output", arguments->output, "the HDF5 file to write")->required();
  format->callback([arguments, run] {
    check_output(arguments->output);
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
  format.add_option("--min-length", text.shortest, "letters of a word, at least")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100}))
      ->capture_default_str();
  format.add_option("--min-df", text.min_df, "documents that have a word, at least")
      ->check(CLI::Range(std::int64_t{1}, INT64_MAX))
      ->capture_default_str();
  format.add_option("--max-df", text.max_df, "fraction of the documents that have a word, at most")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  format.add_option("--keep", text.keep, "only the words that are in the most documents; 0: all")
      ->check(CLI::Range(std::int64_t{0}, INT64_MAX))
      ->capture_default_str();
}

void add_count_formats(CLI::App& import, const Arguments& arguments) {
  CLI::App* uci = add_format(
      import, "uci", "UCI's bag of words: docword.txt", arguments, false,
      [](const auto& given) { write(given, data::import_uci(given.inputs.front(), given.vocabulary)); });
  CLI::App* lda_c = add_format(
      import, "lda-c", "LDA-C's format: M word:count …", arguments, false,
      [](const auto& given) { write(given, data::import_lda_c(given.inputs.front(), given.vocabulary)); });
  for (CLI::App* format : {uci, lda_c}) {
    format->add_option("--vocabulary", arguments->vocabulary,
                       "the words, one a line; without it they are numbers");
  }
}

void add_text_formats(CLI::App& import, const Arguments& arguments) {
  CLI::App* text =
      add_format(import, "text", "plain text, a document a file", arguments, true, [](const auto& given) {
        write(given, given.is_a_document_a_line ? data::import_text_lines(given.inputs, given.text)
                                                : data::import_text_files(given.inputs, given.text));
      });
  text->add_flag("--lines", arguments->is_a_document_a_line, "a document a line rather than a file");
  CLI::App* jsonl = add_format(
      import, "jsonl", "JSON objects, one a line", arguments, true,
      [](const auto& given) { write(given, data::import_jsonl(given.inputs, given.jsonl, given.text)); });
  jsonl->add_option("--field", arguments->jsonl.field, "the member that holds the text")
      ->capture_default_str();
  jsonl->add_option("--id-field", arguments->jsonl.id_field, "the member that names the document");
  add_text_options(*text, arguments);
  add_text_options(*jsonl, arguments);
}

}  // namespace

void add_data_import(CLI::App& app) {
  auto arguments = std::make_shared<ImportArguments>();
  CLI::App* import =
      app.add_subcommand("import", "Turns files of other formats into HDF5 that svi-train reads");
  import->require_subcommand(1);
  CLI::App* idx =
      add_format(*import, "idx", "MNIST's format: images, unsigned bytes", arguments, false, import_idx);
  idx->add_option("--labels", arguments->labels, "the labels of the images, in the same format");
  add_count_formats(*import, arguments);
  add_text_formats(*import, arguments);
  import->footer(
      "Text becomes words in lower case; numbers and punctuation vanish. The vocabulary is in alphabetical "
      "order.\n\n"
      "Examples:\n"
      "  svi-data import idx train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --output "
      "train.h5\n"
      "  svi-data import uci docword.nips.txt.gz --vocabulary vocab.nips.txt --output nips.h5\n"
      "  svi-data import text articles/*.txt --min-df 10 --keep 20000 --output articles.h5\n"
      "  svi-data import jsonl abstracts.jsonl.gz --field abstract --id-field doi --output abstracts.h5");
}

}  // namespace svi::cli
