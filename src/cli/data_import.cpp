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
  data::CountFiles counts;  // input and output are set when they are known
  bool is_transposed = false;
  bool is_zero_based = false;
  std::string name_space;
  data::TenxOptions tenx;
  std::string layer;
  bool is_a_document_a_line = false;
  data::JsonlOptions jsonl;
  data::TextOptions text;
};
using Arguments = std::shared_ptr<ImportArguments>;

constexpr const char* idx_example =
    "  svi-data import idx train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --output train.h5";
constexpr const char* uci_example =
    "  svi-data import uci docword.nips.txt.gz --vocabulary vocab.nips.txt --output nips.h5";
constexpr const char* mtx_example =
    "  svi-data import mtx matrix.mtx.gz --transposed --vocabulary features.tsv.gz --document-ids "
    "barcodes.tsv.gz "
    "\\\n    --names-column 1 --output cells.h5";
constexpr const char* tenx_example =
    "  svi-data import 10x filtered_feature_bc_matrix.h5 --names id --output cells.h5";
constexpr const char* h5ad_example = "  svi-data import h5ad cells.h5ad --layer counts --output cells.h5";
constexpr const char* svmlight_example =
    "  svi-data import svmlight train.dat.gz --vocabulary words.txt --output train.h5";
constexpr const char* vw_example = "  svi-data import vw train.vw.gz --namespace body --output train.h5";
constexpr const char* text_example =
    "  svi-data import text articles/*.txt --min-df 10 --keep 20000 --output articles.h5";
constexpr const char* jsonl_example =
    "  svi-data import jsonl abstracts.jsonl.gz --field abstract --id-field doi --output abstracts.h5";

// What can be known before the work.
void check_files(const ImportArguments& arguments, const std::string& pattern) {
  std::vector<std::string> inputs = arguments.inputs;
  inputs.insert(inputs.end(), {arguments.labels, arguments.counts.vocabulary, arguments.counts.document_ids,
                               arguments.text.stop_words});
  require_output(arguments.output, inputs);
  for (const std::string& input : arguments.inputs) {
    std::error_code is_absent;
    if (pattern.empty() || !std::filesystem::is_directory(input, is_absent)) continue;
    throw Error(ExitCode::missing_input, "{} is a folder; name its files: {}", input,
                (std::filesystem::path(input) / pattern).string());
  }
}

void tell(const ImportArguments& arguments, const data::CountsSummary& written) {
  fmt::print("wrote {}: {}\n", arguments.output, data::counts_text(written));
}

void write(const ImportArguments& arguments, const data::Corpus& corpus) {
  tell(arguments, data::write_counts(arguments.output, corpus.rows, corpus.vocabulary, corpus.document_ids));
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

// A format of word counts, with the options of names that all of them have.
CLI::App* add_count_format(CLI::App& import, const std::string& name, const std::string& summary,
                           const Arguments& arguments, const char* names_without_file,
                           const std::function<data::CountsSummary(const ImportArguments&)>& run) {
  CLI::App* format = add_format(import, name, summary, arguments, "", [arguments, run](const auto& given) {
    arguments->counts.input = given.inputs.front();
    arguments->counts.output = given.output;
    tell(given, run(given));
  });
  format->add_option("--vocabulary", arguments->counts.vocabulary,
                     fmt::format("the words, one a line; without it {}", names_without_file));
  format->add_option("--document-ids", arguments->counts.document_ids, "the documents' ids, one a line");
  within(
      format->add_option("--names-column", arguments->counts.names_column,
                         "which column of these two files, where tabs divide their lines; 0: the whole line"),
      Range::between(0, 1000))
      ->capture_default_str();
  return format;
}

constexpr const char* are_numbers = "words are named by their numbers";
constexpr const char* are_the_files = "they are named as in the file";

void add_matrix_formats(CLI::App& import, const Arguments& arguments) {
  CLI::App* uci = add_count_format(import, "uci", "UCI's bag of words: docword.txt", arguments, are_numbers,
                                   [](const auto& given) { return data::import_uci(given.counts); });
  uci->footer(fmt::format("Example:\n{}", uci_example));
  CLI::App* mtx =
      add_count_format(import, "mtx", "Matrix Market's coordinates, a row a document", arguments, are_numbers,
                       [](const auto& given) { return data::import_mtx(given.counts, given.is_transposed); });
  mtx->add_flag("--transposed", arguments->is_transposed, "a column a document, as in 10x's matrix.mtx");
  mtx->footer(fmt::format("Example:\n{}", mtx_example));
  CLI::App* tenx =
      add_count_format(import, "10x", "10x Genomics' .h5: a barcode a document", arguments, are_the_files,
                       [](const auto& given) { return data::import_10x(given.counts, given.tenx); });
  tenx->footer(fmt::format("Example:\n{}", tenx_example));
  tenx->add_option("--names", arguments->tenx.names, "which names of the genes become words")
      ->check(CLI::IsMember({"name", "id"}))
      ->capture_default_str();
  tenx->add_option("--genome", arguments->tenx.genome, "which of several genomes in a file of CellRanger 2");
  CLI::App* h5ad =
      add_count_format(import, "h5ad", "AnnData's .h5ad: X or a layer", arguments, are_the_files,
                       [](const auto& given) { return data::import_h5ad(given.counts, given.layer); });
  h5ad->footer(fmt::format("Example:\n{}", h5ad_example));
  h5ad->add_option("--layer", arguments->layer, "which layer holds the counts; without it X");
}

void add_line_formats(CLI::App& import, const Arguments& arguments) {
  add_count_format(import, "lda-c", "LDA-C's format: M word:count …", arguments, are_numbers,
                   [](const auto& given) { return data::import_lda_c(given.counts); });
  CLI::App* svmlight = add_count_format(
      import, "svmlight", "svmlight's format: label word:count …", arguments, are_numbers,
      [](const auto& given) { return data::import_svmlight(given.counts, given.is_zero_based); });
  svmlight->footer(fmt::format("Example:\n{}", svmlight_example));
  svmlight->add_flag("--zero-based", arguments->is_zero_based, "words are numbered from 0, not from 1");
  CLI::App* vw = add_count_format(import, "vw", "Vowpal Wabbit's format: label 'tag |namespace word:count …",
                                  arguments, "the file is read twice", [](const auto& given) {
                                    return data::import_vw(given.counts, given.name_space);
                                  });
  vw->footer(fmt::format("Example:\n{}", vw_example));
  vw->add_option("--namespace", arguments->name_space, "only the words of this namespace; without it all");
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
  add_matrix_formats(*import, arguments);
  add_line_formats(*import, arguments);
  add_text_formats(*import, arguments);
  import->footer(
      fmt::format("Examples:\n{}\n{}\n{}\n{}", idx_example, uci_example, text_example, jsonl_example));
}

}  // namespace svi::cli
