#pragma once

#include <string>

#include "svi/data/data_file.hpp"
#include "svi/trainer/trained_model.hpp"

namespace CLI {
class App;
}

namespace svi::cli {

/// `svi-infer COMMAND CHECKPOINT`: uses a trained model; returns the documented exit code.
int infer_main(int count, char** arguments);

/// `trainer::load_model`, telling on standard error which checkpoints were passed over and why.
trainer::TrainedModel load_and_tell(const std::string& path);

/// @throws Error (bad_data) when the file's rows are not like those that the model was trained on
void require_fit(const trainer::TrainedModel& trained, const data::DataFacts& facts, const char* key);

// One function a subcommand: declares its options; its callback does the work.
void declare_info(CLI::App& app);
void declare_evaluate(CLI::App& app);
void declare_topics(CLI::App& app);
void declare_sample(CLI::App& app);
void declare_reconstruct(CLI::App& app);

}  // namespace svi::cli
