#include "trainer/run_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace svi::test {

namespace {

constexpr const char* lda_config = R"(
data: {{train: {0}, validation: {{fraction: 0.1}}, shards: 8}}
model: {{type: lda, topics: 4}}
optimizer: {{type: robbins_monro}}
train: {{batch: 40, steps: 6}}
checkpoint: {{every_steps: 2}}
run: {{directory: {1}, name: run, log_every_steps: 1}}
)";

constexpr const char* vae_config = R"(
data: {{train: {0}, validation: {{fraction: 0.1}}, shards: 8}}
model: {{type: vae, latent: 3, encoder: [20], decoder: [20], likelihood: bernoulli}}
optimizer: {{type: adam, learning_rate: 0.01}}
train: {{batch: 40, steps: 6}}
checkpoint: {{every_steps: 2}}
run: {{directory: {1}, name: run, log_every_steps: 1}}
)";

}  // namespace

std::string RunFolder::lda() {
  const std::string config = folder_ / "lda.yaml";
  if (std::filesystem::exists(config)) return config;
  write_documents(folder_ / "documents.h5", 400, 80, 1);
  put_bytes(config, fmt::format(lda_config, folder_ / "documents.h5", folder_.path().string()));
  return config;
}

std::string RunFolder::vae() {
  const std::string config = folder_ / "vae.yaml";
  if (std::filesystem::exists(config)) return config;
  write_images(folder_ / "images.h5", 400, 6, 1);
  put_bytes(config, fmt::format(vae_config, folder_ / "images.h5", folder_.path().string()));
  return config;
}

Outcome RunFolder::train(int ranks, const std::string& arguments, const std::string& variables) const {
  const std::string program = SVI_BINARY_DIR "/svi-train " + arguments;
  if (ranks == 0) return run(variables, program);
  return run(mpirun_variables + variables, fmt::format("{} -np {} {}", SVI_MPIEXEC, ranks, program));
}

Outcome RunFolder::infer(const std::string& arguments) const {
  return run("", SVI_BINARY_DIR "/svi-infer " + arguments);
}

void RunFolder::expect_refusal(const Outcome& outcome, ExitCode code,
                               const std::vector<std::string>& parts) const {
  EXPECT_EQ(outcome.exit_code, static_cast<int>(code)) << outcome.all();
  const std::string prefix = "svi-train: error: ";
  const std::size_t first = outcome.errors.find(prefix);
  ASSERT_NE(first, std::string::npos) << outcome.all();
  EXPECT_EQ(outcome.errors.find(prefix, first + 1), std::string::npos) << "told twice\n" << outcome.all();
  for (const std::string& part : parts) {
    EXPECT_NE(outcome.errors.find(part, first), std::string::npos) << "no \"" << part << "\" in\n"
                                                                   << outcome.all();
  }
}

std::string RunFolder::checkpoint_path(std::int64_t step, const std::string& run) const {
  return folder_ / fmt::format("{}/checkpoints/step-{:012}.h5", run, step);
}

std::vector<nlohmann::json> RunFolder::metrics(const std::string& run) const {
  std::ifstream file(folder_ / (run + "/metrics.jsonl"));
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

std::vector<std::pair<std::string, double>> differences(const ParameterSet& a, const ParameterSet& b) {
  EXPECT_TRUE(a.shapes() == b.shapes());
  std::vector<std::pair<std::string, double>> list;
  for (std::size_t i = 0; i < b.shapes().size(); ++i) {
    const auto* left = a.view(i).const_data_ptr<float>();
    const auto* right = b.view(i).const_data_ptr<float>();
    double difference = 0;
    double size = 0;
    for (std::int64_t j = 0; j < b.shapes()[i].elements(); ++j) {
      difference =
          std::max(difference, std::abs(static_cast<double>(left[j]) - static_cast<double>(right[j])));
      size = std::max(size, std::abs(static_cast<double>(right[j])));
    }
    list.emplace_back(b.shapes()[i].name, difference / size);
  }
  return list;
}

}  // namespace svi::test
