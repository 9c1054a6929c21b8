#pragma once

#include <functional>
#include <string>

#include "svi/base/error.hpp"
#include "svi/comm/communicator.hpp"
#include "svi/data/data_file.hpp"
#include "svi/trainer/trained_model.hpp"

namespace CLI {
class App;
}

namespace svi {
class LabelModel;
}

namespace svi::cli {

/// `svi-infer COMMAND CHECKPOINT`: uses a trained model; returns the documented exit code.
int infer_main(int count, char** arguments);

/// `trainer::load_model`, telling on standard error which checkpoints were passed over and why.
trainer::TrainedModel load_and_tell(const std::string& path);

/// Tells on standard error which checkpoints were passed over and why.
void tell_rejected(const trainer::TrainedModel& trained);

/// @throws Error (bad_data) when the file's rows are not like those that the model was trained on
void require_fit(const trainer::TrainedModel& trained, const data::DataFacts& facts, const char* key);

/// @throws Error (usage) when the model has no topics
TopicModel& topic_model_of(const trainer::TrainedModel& trained);

/// @param command what needs it, for the message @throws Error (usage) when the model has no classes
LabelModel& label_model_of(const trainer::TrainedModel& trained, const char* command);

/// What a command line leaves to be done on all ranks.
using RanksAction = std::function<ExitCode(comm::Communicator&)>;

/// Refuses ranks that have found different checkpoints. **Collective.**
void require_same_checkpoint(const trainer::TrainedModel& trained, comm::Communicator& communicator);
/// Writes the text to standard output, on rank 0. **Local.** @throws Error (cannot_write)
void print_on_root(const std::string& text, const comm::Communicator& communicator);

// One function a subcommand: declares its options; its callback does the work.
void declare_info(CLI::App& app);
void declare_evaluate(CLI::App& app, RanksAction& action);
void declare_encode(CLI::App& app, RanksAction& action);
void declare_predict(CLI::App& app, RanksAction& action);
void declare_score(CLI::App& app, RanksAction& action);
void declare_topics(CLI::App& app);
void declare_transform(CLI::App& app, RanksAction& action);
void declare_similar(CLI::App& app);
void declare_compare(CLI::App& app);
void declare_export(CLI::App& app);
void declare_sample(CLI::App& app);
void declare_reconstruct(CLI::App& app);

}  // namespace svi::cli
