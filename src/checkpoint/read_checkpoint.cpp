#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "layout.hpp"
#include "seal.hpp"
#include "stored_set.hpp"
#include "svi/base/error.hpp"
#include "svi/base/sha256.hpp"
#include "svi/checkpoint/checkpoint_store.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::checkpoint {

namespace {

using io::ElementType;
using io::Hdf5Dataset;
using io::Hdf5File;
using io::Hdf5Group;

using Names = std::vector<std::string>;

void require_names(const Hdf5Group& group, const Names& allowed) {
  for (const std::string& name : group.names()) {
    if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) continue;
    throw Error(ExitCode::bad_data, "{} holds \"{}\", which no checkpoint has; allowed: {}", group.where(),
                name, allowed.empty() ? "nothing" : fmt::format("{}", fmt::join(allowed, ", ")));
  }
}

template <typename Value>
void require_equal(const io::Hdf5Node& node, const char* name, const Value& found, const Value& expected) {
  if (found == expected) return;
  throw Error(ExitCode::bad_data, "{} has {} {}; expected {}", node.where(), name, found, expected);
}

std::int64_t read_count(const io::Hdf5Node& node, const char* name, std::int64_t lowest) {
  const std::int64_t value = node.integer_attribute(name);
  if (value >= lowest) return value;
  throw Error(ExitCode::bad_data, "{} has {} {}; expected at least {}", node.where(), name, value, lowest);
}

Hdf5Dataset read_list(const Hdf5Group& group, const std::string& name, ElementType::Kind kind) {
  Hdf5Dataset dataset = group.dataset(name);
  const ElementType& type = dataset.type();
  const char* expected = kind == ElementType::Kind::text   ? "texts of fixed length"
                         : kind == ElementType::Kind::real ? "real numbers"
                                                           : "integers";
  if (type.kind != kind || type.is_variable || dataset.shape().size() != 1 || dataset.is_compressed()) {
    throw Error(ExitCode::bad_data, "{} should be an uncompressed list of {}; found {} in {} dimensions",
                dataset.where(), expected, type.text(), dataset.shape().size());
  }
  return dataset;
}

void require_schema(const Hdf5File& file) {
  require_equal<std::string>(file, "format", file.text_attribute("format"), layout::format);
  const std::int64_t major = file.integer_attribute("schema_major");
  if (major > layout::schema_major) {
    throw Error(ExitCode::bad_data,
                "{} has schema_major {}, newer than the {} known here; use the svi-train {} that wrote it",
                file.where(), major, layout::schema_major, file.text_attribute("tool_version"));
  }
  require_equal(file, "schema_major", major, layout::schema_major);
  require_names(file, {"parameters", "column_sums", "optimizer", "previous_means", "watched", "pending_terms", "metrics",
                       "sampler", "schedule", "config", "data"});
}

// Figures have names of the model's own, so that they are attributes of a group that holds nothing else.
std::map<std::string, double> read_numbers(const Hdf5Group& group) {
  require_names(group, {});
  std::map<std::string, double> numbers;
  for (const std::string& name : group.attribute_names()) numbers[name] = group.real_attribute(name);
  return numbers;
}

std::map<std::string, std::vector<double>> read_means(const Hdf5Group& group) {
  std::map<std::string, std::vector<double>> means;
  for (const std::string& name : group.attribute_names()) means[name] = {group.real_attribute(name)};
  for (const std::string& name : group.names())  // since schema 1.3
    means[name] = read_list(group, name, ElementType::Kind::real).read<double>();
  return means;
}

void read_state_numbers(const Hdf5File& file, TrainingState& state) {
  state.step = read_count(file, "step", 0);
  state.seed = static_cast<std::uint64_t>(file.integer_attribute("seed"));
  state.training_seconds = file.real_attribute("training_seconds");
  state.best_value = file.real_attribute("best_value");
  state.best_step = read_count(file, "best_step", -1);
  state.previous_means = read_means(file.group("previous_means"));
  if (file.has_attribute("skipped_steps"))  // since schema 1.4, as is "watched"
    state.skipped_steps = read_count(file, "skipped_steps", 0);
  if (file.has_group("watched")) state.watched = read_means(file.group("watched"));
  if (file.has_group("pending_terms"))  // since schema 1.5
    state.pending_terms = read_means(file.group("pending_terms"));
  const Hdf5Group sampler = file.group("sampler");
  const Hdf5Group schedule = file.group("schedule");
  require_names(sampler, {});
  require_names(schedule, {});
  require_equal(sampler, "step", sampler.integer_attribute("step"), state.step);
  require_equal(sampler, "seed", static_cast<std::uint64_t>(sampler.integer_attribute("seed")), state.seed);
  require_equal(schedule, "step", schedule.integer_attribute("step"), state.step);
}

void read_tensors(const Hdf5File& file, std::int64_t budget_bytes, TrainingState& state) {
  state.parameters = read_set(file.group("parameters"), budget_bytes);
  if (file.has_group("column_sums"))  // since schema 1.1
    read_column_sums(file.group("column_sums"), budget_bytes, state.parameters);
  const Hdf5Group optimizer = file.group("optimizer");
  for (const std::string& name : optimizer.names()) {
    state.optimizer[name] = read_set(optimizer.group(name), budget_bytes);
  }
  require_equal(file, "parameters_hash", file.text_attribute("parameters_hash"), parameters_hash(state));
}

std::vector<WordPrior> read_word_priors(const Hdf5Group& group) {
  require_names(group, {"words", "topics", "weights"});
  const auto words = read_list(group, "words", ElementType::Kind::integer).read<std::int64_t>();
  const auto topics = read_list(group, "topics", ElementType::Kind::integer).read<std::int64_t>();
  const auto weights = read_list(group, "weights", ElementType::Kind::real).read<double>();
  require_equal(group, "topics", topics.size(), words.size());
  require_equal(group, "weights", weights.size(), words.size());
  std::vector<WordPrior> priors;
  for (std::size_t i = 0; i < words.size(); ++i) {
    // What does not fit is no word and no topic, which the model will say.
    constexpr std::int64_t largest = std::numeric_limits<std::int32_t>::max();
    priors.push_back({static_cast<std::int32_t>(std::clamp(words[i], std::int64_t{-1}, largest)),
                      static_cast<std::int32_t>(std::clamp(topics[i], std::int64_t{-2}, largest)),
                      weights[i]});
  }
  return priors;
}

CheckpointFacts read_facts(const Hdf5File& file) {
  CheckpointFacts facts{.model = file.text_attribute("model"),
                        .tool_version = file.text_attribute("tool_version"),
                        .data_sha256 = file.text_attribute("data_sha256"),
                        .ranks_at_save = read_count(file, "ranks_at_save", 1),
                        .epoch = file.real_attribute("epoch"),
                        .metrics = read_numbers(file.group("metrics"))};
  const Hdf5Group config = file.group("config");
  require_names(config, {"yaml"});
  const Names yaml = read_list(config, "yaml", ElementType::Kind::text).read_texts();
  require_equal<std::size_t>(config, "texts in yaml", yaml.size(), 1);
  facts.config_yaml = yaml.front();
  require_equal(file, "config_sha256", file.text_attribute("config_sha256"),
                Sha256().add(std::as_bytes(std::span(facts.config_yaml))).finish_hex());
  const Hdf5Group data = file.group("data");
  require_names(data, {"feature_shape", "vocabulary", "word_priors"});
  facts.training_rows = read_count(data, "training_rows", 0);
  facts.feature_shape = read_list(data, "feature_shape", ElementType::Kind::integer).read<std::int64_t>();
  facts.vocabulary = read_list(data, "vocabulary", ElementType::Kind::text).read_texts();
  if (data.has_group("word_priors"))  // since schema 1.2
    facts.word_priors = read_word_priors(data.group("word_priors"));
  return facts;
}

}  // namespace

Checkpoint read_checkpoint(const std::string& path) {
  require_sealed(path);
  const Hdf5File file = Hdf5File::open(path);
  require_schema(file);
  Checkpoint checkpoint{read_facts(file), {}};
  read_state_numbers(file, checkpoint.state);
  read_tensors(file, static_cast<std::int64_t>(std::filesystem::file_size(path)), checkpoint.state);
  return checkpoint;
}

}  // namespace svi::checkpoint
