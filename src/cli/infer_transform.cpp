#include <ATen/ATen.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "row_embeddings.hpp"
#include "svi/base/error.hpp"
#include "svi/base/units.hpp"
#include "svi/cli/arguments.hpp"
#include "topic_documents.hpp"

namespace svi::cli {

namespace {

constexpr std::int64_t rows_at_once = 4096;  // of each rank

struct TransformOptions {
  std::string checkpoint;
  std::string input;
  std::string output;
  bool is_json = false;
  std::exception_ptr problem;  // met before the ranks were launched
};

// What every rank holds while documents are transformed; `file` on rank 0 alone.
struct Transformation {
  trainer::TrainedModel trained;
  std::optional<TopicDocuments> documents;
  std::unique_ptr<data::EmbeddingFile> file;
};

void open(Transformation& work, const TransformOptions& options, comm::Communicator& communicator) {
  const bool is_root = communicator.rank() == 0;
  comm::together(communicator, "opening model and documents", [&] {
    if (options.problem) std::rethrow_exception(options.problem);
    work.trained = is_root ? load_and_tell(options.checkpoint) : trainer::load_model(options.checkpoint);
    work.documents.emplace(work.trained, data::DataFile(options.input), "INPUT");
    trainer::use_threads(work.trained.settings);  // as in training
    if (!is_root) return;
    require_output(options.output, {work.trained.path, options.input});
    work.file =
        data::create_embedding_file(options.output, data::read_document_ids(work.documents->facts()),
                                    {{"X_topics", data::numbered("topic", work.documents->topics())}});
  });
  require_same_checkpoint(work.trained, communicator);
  comm::require_same(communicator, "the input", work.documents->facts().fingerprint);
}

// In rounds: each rank fits a block of rows, and rank 0 appends them in the order of the file.
void transform_all(Transformation& work, comm::Communicator& communicator) {
  const std::int64_t rows = work.documents->facts().rows;
  const std::int64_t ranks = communicator.size();
  const std::int64_t block = std::clamp<std::int64_t>((rows + ranks - 1) / ranks, 1, rows_at_once);
  const std::int64_t topics = work.documents->topics();
  std::vector<float> mine(static_cast<std::size_t>(block * topics));
  std::vector<float> all(static_cast<std::size_t>(ranks * block * topics));
  for (std::int64_t round = 0; round < rows; round += ranks * block) {
    comm::together(communicator, "fitting documents", [&] {
      const std::int64_t first = std::min(rows, round + communicator.rank() * block);
      const Tensor theta = work.documents->theta(first, std::min(rows, first + block));
      std::copy_n(theta.const_data_ptr<float>(), theta.numel(), mine.begin());
    });
    communicator.control()
        .all_gather(comm::buffer_of(std::span(mine)), comm::buffer_of(std::span(all)), "topics of documents")
        ->wait();
    comm::together(communicator, "writing topics of documents", [&] {
      const auto count = static_cast<std::size_t>(std::min(ranks * block, rows - round) * topics);
      if (work.file) work.file->add(std::span<const float>(all).first(count));
    });
  }
}

DocumentsCensus total_census(const DocumentsCensus& mine, comm::Communicator& communicator) {
  std::vector<double> sums{mine.tokens, mine.unknown_tokens, mine.without_words, mine.iterations,
                           mine.seconds};
  comm::all_reduce_sum(communicator, sums, "census of documents");
  return {sums[0], sums[1], sums[2], sums[3], sums[4]};
}

std::string report(const Transformation& work, const DocumentsCensus& census,
                   const TransformOptions& options) {
  const data::DataFacts& facts = work.documents->facts();
  const double unknown = census.unknown_tokens / census.tokens;
  const auto whole = [](double count) { return static_cast<std::int64_t>(count); };
  if (options.is_json) {
    return nlohmann::ordered_json{{"checkpoint", work.trained.path},
                                  {"input", facts.path},
                                  {"output", options.output},
                                  {"documents", facts.rows},
                                  {"topics", work.documents->topics()},
                                  {"words", facts.columns},
                                  {"unknown_words", facts.columns - work.documents->known_words()},
                                  {"tokens", whole(census.tokens)},
                                  {"unknown_tokens", whole(census.unknown_tokens)},
                                  {"unknown_share", unknown},
                                  {"documents_without_known_words", whole(census.without_words)},
                                  {"e_step_iterations", census.iterations / static_cast<double>(facts.rows)},
                                  {"fitting_seconds", census.seconds}}  // of all ranks together
               .dump() +
           "\n";
  }
  std::string text = fmt::format(
      "{} documents × {} topics in {}\nout of vocabulary: {:.2f} % of the tokens ({} of {}), {} of {} "
      "words\n",
      count_text(facts.rows), work.documents->topics(), options.output, 100 * unknown,
      count_text(whole(census.unknown_tokens)), count_text(whole(census.tokens)),
      count_text(facts.columns - work.documents->known_words()), count_text(facts.columns));
  if (census.without_words > 0)
    text += fmt::format("{} documents without a known word have the prior's topics\n",
                        count_text(whole(census.without_words)));
  return text;
}

ExitCode transform(const TransformOptions& options, comm::Communicator& communicator) {
  Transformation work;
  open(work, options, communicator);
  transform_all(work, communicator);
  const DocumentsCensus census = total_census(work.documents->census(), communicator);
  comm::together(communicator, "saving topics of documents", [&] {
    if (census.unknown_tokens == census.tokens) {
      throw Error(ExitCode::bad_data, "{}: none of its {} tokens is a word that {} knows", options.input,
                  count_text(static_cast<std::int64_t>(census.tokens)), work.trained.path);
    }
    if (!work.file) return;
    work.file->commit();
    print_on_root(report(work, census, options), communicator);
  });
  return ExitCode::done;
}

}  // namespace

void declare_transform(CLI::App& app, RanksAction& action) {
  CLI::App* command =
      app.add_subcommand("transform", "the topics of documents, also of new ones; alone or under mpirun");
  const auto options = std::make_shared<TransformOptions>();
  command->add_option("checkpoint", options->checkpoint, "a checkpoint, or a run directory")->required();
  command->add_option("input", options->input, "a file of word counts; its words are matched by name")
      ->required();
  command->add_option("--output", options->output, "the file to write: .h5ad or .h5 (AnnData), .tsv or .mtx")
      ->required();
  command->add_flag("--json", options->is_json, "say what was done as JSON");
  command->footer(
      "Examples:\n"
      "  svi-infer transform runs/lda-debian articles.h5 --output topics.h5ad\n"
      "  mpirun -np 4 svi-infer transform runs/lda-debian articles.h5 --output topics.tsv");
  command->callback([options, &action] {
    options->problem = problem_of_files(options->input, options->output, 1);
    action = [options](comm::Communicator& communicator) { return transform(*options, communicator); };
  });
}

}  // namespace svi::cli
