#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "export.hpp"
#include "svi/base/error.hpp"
#include "svi/cli/arguments.hpp"
#include "svi/cli/infer.hpp"
#include "svi/cli/open_data.hpp"
#include "svi/io/atomic_file.hpp"
#include "topic_documents.hpp"

namespace svi::cli {

namespace {

struct ExportOptions {
  std::string checkpoint;
  std::string format;
  std::string output;
  std::string data;
};

void export_ldavis(const trainer::TrainedModel& trained, const ExportOptions& options) {
  const bool is_page = io::require_ending(options.output, {".json", ".html"}) == ".html";
  const std::string path = options.data.empty() ? trained.settings.data.train : options.data;
  require_output(options.output, {trained.path, path});
  TopicDocuments documents(trained, open_data(path), options.data.empty() ? "data.train" : "--data");
  const std::string json = ldavis_json(trained, documents);
  io::write_text(options.output, is_page ? ldavis_page(json, "Topics of " + path) : json);
  fmt::print("{} topics for LDAvis in {}\n", documents.topics(), options.output);
}

void export_model(const ExportOptions& options) {
  trainer::TrainedModel trained = load_and_tell(options.checkpoint);
  topic_model_of(trained);
  if (options.format == "ldavis") return export_ldavis(trained, options);
  if (!options.data.empty()) throw Error(ExitCode::usage, "--data is of no use with --format gensim");
  require_output(options.output, {trained.path});
  export_gensim(trained, options.output);
  fmt::print("for gensim: LdaModel.load(\"{}\"), which also reads the files beside it, {}.*\n",
             options.output, options.output);
}

}  // namespace

void declare_export(CLI::App& app) {
  CLI::App* command = app.add_subcommand("export", "a topic model for other tools");
  const auto options = std::make_shared<ExportOptions>();
  command->add_option("checkpoint", options->checkpoint, "a checkpoint, or a run directory")->required();
  command
      ->add_option("--format", options->format,
                   "ldavis: a .json for pyLDAvis and R's LDAvis, or a .html page; gensim: for LdaModel.load")
      ->check(CLI::IsMember({"ldavis", "gensim"}))
      ->required();
  command->add_option("--output", options->output, "the file to write")->required();
  command->add_option("--data", options->data,
                      "the file of LDAvis' documents, in place of the training data");
  command->footer(
      "Examples:\n"
      "  svi-infer export runs/lda-debian --format ldavis --output topics.html\n"
      "  svi-infer export runs/lda-debian --format gensim --output lda.gensim");
  command->callback([options] { export_model(*options); });
}

}  // namespace svi::cli
