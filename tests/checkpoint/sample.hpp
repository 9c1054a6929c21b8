#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "svi/base/error.hpp"
#include "svi/checkpoint/checkpoint_store.hpp"

namespace svi::checkpoint::test {

/// A folder of this test's own, removed with all in it.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "svi-checkpoint-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw Error(ExitCode::cannot_write, "cannot make {}", pattern);
    path_ = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Distinct values in every place, exact in float32.
inline void fill(ParameterSet& set, double first) {
  for (std::size_t i = 0; i < set.shapes().size(); ++i) {
    const Tensor values = set.view(i);
    for (std::int64_t j = 0; j < set.shapes()[i].elements(); ++j) {
      const double value = first + static_cast<double>(i) + static_cast<double>(j) / 1024;
      if (values.scalar_type() == at::kDouble)
        values.mutable_data_ptr<double>()[j] = value;
      else
        values.mutable_data_ptr<float>()[j] = static_cast<float>(value);
    }
  }
}

/// A checkpoint of a small network: names of several parts, in an order that is not the alphabet's.
inline Checkpoint sample_checkpoint(std::int64_t step = 7, at::ScalarType type = at::kFloat) {
  Checkpoint checkpoint;
  checkpoint.facts = {.model = "vae",
                      .tool_version = "0.1.0",
                      .config_yaml = "run: {name: sample}  # ψ\n",
                      .data_sha256 = std::string(64, 'd'),
                      .training_rows = 60000,
                      .ranks_at_save = 3,
                      .epoch = 0.875,
                      .metrics = {{"elbo", -103.25}, {"kl", 25.5}},
                      .feature_shape = {28, 28},
                      .vocabulary = {"apple", "Übergröße", "z"}};
  TrainingState& state = checkpoint.state;
  state.step = step;
  state.seed = 9000000000000000U;
  state.parameters = ParameterSet(
      {{"encoder.0/weight", {5, 3}}, {"encoder.0/bias", {5}}, {"decoder/weight", {2, 3, 4}}, {"alpha", {7}}},
      type);
  fill(state.parameters, static_cast<double>(step));
  for (const char* name : {"first_moment", "second_moment"}) {
    state.optimizer[name] = state.parameters.zeros_like();
    fill(state.optimizer[name], static_cast<double>(step) + 0.5);
  }
  state.previous_means = {{"kl", {24.0625, -0.5, 1e-300}}, {"reconstruction", {-80.5}}};
  state.training_seconds = 12.5;
  return checkpoint;
}

inline std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// The Error that `action` throws, none when it throws none.
template <typename Action>
std::optional<Error> error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

/// That `path` is refused with an exit code and a message that names the file and `says`.
inline void expect_refused(const std::string& path, const std::string& says,
                           ExitCode code = ExitCode::bad_data) {
  const auto error = error_of([&] { read_checkpoint(path); });
  ASSERT_TRUE(error) << path << " was read, though: " << says;
  EXPECT_EQ(error->code(), code) << error->what();
  EXPECT_NE(std::string(error->what()).find(path), std::string::npos) << error->what();
  EXPECT_NE(std::string(error->what()).find(says), std::string::npos) << error->what();
}

}  // namespace svi::checkpoint::test
