#include "svi/cli/infer.hpp"

#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "svi/base/error.hpp"
#include "svi/base/flush_denormals.hpp"
#include "svi/checkpoint/checkpoint_store.hpp"
#include "svi/cli/program.hpp"
#include "svi/cli/ranks.hpp"
#include "svi/cli/standard_streams.hpp"
#include "svi/cli/table.hpp"
#include "svi/data/same_columns.hpp"
#include "svi/models/latent_model.hpp"
#include "svi/trainer/trained_model.hpp"

namespace svi::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* examples = R"(Examples:
  svi-infer topics runs/lda-debian
  svi-infer transform runs/lda-debian articles.h5 --output topics.h5ad
  svi-infer similar runs/lda-debian --topic 6
  svi-infer compare runs/lda-debian runs/second
  svi-infer export runs/lda-debian --format ldavis --output topics.html
  svi-infer sample runs/vae-fashion-mnist --output samples.png
  svi-infer reconstruct runs/vae-fashion-mnist --output pairs.png
  svi-infer encode runs/vae-fashion-mnist data/fashion-mnist-test.h5 --output z.h5ad
  svi-infer predict runs/m2-mnist data/mnist-test.h5 --output classes.tsv
  svi-infer score runs/vae-fashion-mnist data/fashion-mnist-test.h5 --output scores.tsv
  svi-infer evaluate runs/lda-debian
  svi-infer info runs/lda-debian

Exit codes: 0 done, 64 usage, 65 bad data, 66 missing input, 70 internal, 73 cannot write.)";

Json info(const trainer::TrainedModel& model) {
  const checkpoint::CheckpointFacts& facts = model.checkpoint.facts;
  const TrainingState& state = model.checkpoint.state;
  Json json{{"file", model.path},
            {"model", facts.model},
            {"step", state.step},
            {"epoch", facts.epoch},
            {"seed", state.seed},
            {"training_seconds", state.training_seconds},
            {"training_rows", facts.training_rows},
            {"feature_shape", facts.feature_shape},
            {"ranks_at_save", facts.ranks_at_save},
            {"tool_version", facts.tool_version},
            {"data_sha256", facts.data_sha256},
            {"parameters_hash", checkpoint::parameters_hash(state)},
            {"metrics", facts.metrics}};
  for (const ParameterShape& parameter : state.parameters.shapes())
    json["parameters"][parameter.name] = parameter.shape;
  return json;
}

}  // namespace

void tell_rejected(const trainer::TrainedModel& trained) {
  for (const std::string& reason : trained.rejected) tell_line("passed over: " + reason);
}

trainer::TrainedModel load_and_tell(const std::string& path) {
  trainer::TrainedModel loaded = trainer::load_model(path);
  tell_rejected(loaded);
  return loaded;
}

void require_same_checkpoint(const trainer::TrainedModel& trained, comm::Communicator& communicator) {
  comm::require_same(communicator, "the checkpoint",
                     fmt::format("{} at step {}", trained.path, trained.checkpoint.state.step));
}

void print_on_root(const std::string& text, const comm::Communicator& communicator) {
  if (communicator.rank() != 0) return;
  const bool is_told = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  if (!is_told) throw Error(ExitCode::cannot_write, "cannot write to the standard output");
}

void require_fit(const trainer::TrainedModel& trained, const data::DataFacts& facts, const char* key) {
  data::require_layout(facts, trained.settings.model->takes_counts(), key);
  data::DataFacts training;
  training.path = fmt::format("the data that {} was trained on", trained.path);
  training.feature_shape = trained.checkpoint.facts.feature_shape;
  training.vocabulary = trained.checkpoint.facts.vocabulary;
  data::require_same_columns(training, facts, key);
}

TopicModel& topic_model_of(const trainer::TrainedModel& trained) {
  auto* model = dynamic_cast<TopicModel*>(trained.model.get());
  if (model != nullptr) return *model;
  const bool has_latent = dynamic_cast<const LatentModel*>(trained.model.get()) != nullptr;
  throw Error(ExitCode::usage, "{} holds a model of type {}, which has no topics{}", trained.path,
              trained.checkpoint.facts.model, has_latent ? "; for its pictures use svi-infer sample" : "");
}

void declare_info(CLI::App& app) {
  CLI::App* command = app.add_subcommand("info", "what a checkpoint says of itself");
  const auto path = std::make_shared<std::string>();
  const auto is_json = std::make_shared<bool>(false);
  command->add_option("checkpoint", *path, "a checkpoint, or a run directory")->required();
  command->add_flag("--json", *is_json, "as one JSON object");
  command->footer("Example:\n  svi-infer info runs/lda-debian/checkpoints/best.h5");
  command->callback([path, is_json] {
    const Json json = info(load_and_tell(*path));
    if (*is_json) return fmt::print("{}\n", json.dump(2));
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, value] : json.items()) {
      if (!value.is_object())
        rows.push_back({name, value.is_string() ? value.get<std::string>() : value.dump()});
    }
    for (const auto& [name, value] : json["metrics"].items())
      rows.push_back({"metrics/" + name, value.dump()});
    for (const auto& [name, value] : json["parameters"].items())
      rows.push_back({"parameters/" + name, value.dump()});
    fmt::print("{}", table_text({{""}, {""}}, rows));
  });
}

int infer_main(int count, char** arguments) {
  const c10::InferenceMode no_autograd;
  const FlushDenormals for_speed;
  RanksAction on_ranks;
  const int code = run_program("svi-infer", "Uses a model that svi-train has trained.", count, arguments,
                               [&on_ranks](CLI::App& app) {
                                 app.require_subcommand(1);
                                 declare_info(app);
                                 declare_evaluate(app, on_ranks);
                                 declare_encode(app, on_ranks);
                                 declare_predict(app, on_ranks);
                                 declare_score(app, on_ranks);
                                 declare_topics(app);
                                 declare_transform(app, on_ranks);
                                 declare_similar(app);
                                 declare_compare(app);
                                 declare_export(app);
                                 declare_sample(app);
                                 declare_reconstruct(app);
                                 app.footer(examples);  // last: subcommands take over what is there before
                               });
  if (code != 0 || !on_ranks) return code;
  return run_on_ranks("svi-infer", trainer::CommunicationOptions{}.timeout_seconds, on_ranks);
}

}  // namespace svi::cli
