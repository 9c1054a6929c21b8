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
#include "svi/io/atomic_file.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::checkpoint {

namespace {

using io::Hdf5File;
using io::Hdf5Group;
using io::Storage;
using io::TextForm;

void write_numbers(Hdf5Group group, const std::map<std::string, double>& numbers) {
  for (const auto& [name, value] : numbers) group.set_attribute(name, value);
}

// Numbers are attributes, and lists, which may be long, are data sets.
void write_means(Hdf5Group group, const std::map<std::string, std::vector<double>>& means) {
  for (const auto& [name, values] : means) {
    if (values.size() == 1) {
      group.set_attribute(name, values.front());
    } else {
      group.create_dataset<double>(name, {std::ssize(values)}, Storage::checksummed)
          .write(std::span<const double>(values));
    }
  }
}

void write_head(Hdf5Group& root, const Checkpoint& checkpoint) {
  const CheckpointFacts& facts = checkpoint.facts;
  const TrainingState& state = checkpoint.state;
  root.set_attribute("format", layout::format, TextForm::fixed);
  root.set_attribute("schema_major", layout::schema_major);
  root.set_attribute("schema_minor", layout::schema_minor);
  root.set_attribute("tool_version", facts.tool_version, TextForm::fixed);
  root.set_attribute("model", facts.model, TextForm::fixed);
  root.set_attribute("step", state.step);
  root.set_attribute("epoch", facts.epoch);
  root.set_attribute("seed", static_cast<std::int64_t>(state.seed));
  root.set_attribute("ranks_at_save", facts.ranks_at_save);
  root.set_attribute("config_sha256", Sha256().add(std::as_bytes(std::span(facts.config_yaml))).finish_hex(),
                     TextForm::fixed);
  root.set_attribute("data_sha256", facts.data_sha256, TextForm::fixed);
  root.set_attribute("parameters_hash", parameters_hash(state), TextForm::fixed);
  root.set_attribute("training_seconds", state.training_seconds);
  root.set_attribute("best_value", state.best_value);
  root.set_attribute("best_step", state.best_step);
  root.set_attribute("skipped_steps", state.skipped_steps);
}

template <typename Value, typename Member>
void write_column(Hdf5Group& group, const std::string& name, const std::vector<WordPrior>& priors,
                  Member WordPrior::*member) {
  std::vector<Value> column;
  for (const WordPrior& prior : priors) column.push_back(prior.*member);
  group.create_dataset<Value>(name, {std::ssize(column)}, Storage::checksummed)
      .write(std::span<const Value>(column));
}

void write_word_priors(Hdf5Group group, const std::vector<WordPrior>& priors) {
  write_column<std::int64_t>(group, "words", priors, &WordPrior::word);
  write_column<std::int64_t>(group, "topics", priors, &WordPrior::topic);
  write_column<double>(group, "weights", priors, &WordPrior::weight);
}

void write_contents(Hdf5Group& root, const Checkpoint& checkpoint) {
  const CheckpointFacts& facts = checkpoint.facts;
  const TrainingState& state = checkpoint.state;
  write_head(root, checkpoint);
  write_set(root.create_group("parameters"), state.parameters);
  write_column_sums(root.create_group("column_sums"), state.parameters);
  Hdf5Group optimizer = root.create_group("optimizer");
  for (const auto& [name, set] : state.optimizer) write_set(optimizer.create_group(name), set);
  write_means(root.create_group("previous_means"), state.previous_means);
  write_means(root.create_group("watched"), state.watched);
  if (!state.pending_terms.empty()) write_means(root.create_group("pending_terms"), state.pending_terms);
  write_numbers(root.create_group("metrics"), facts.metrics);

  // All that the sampler and the schedule of step sizes are functions of.
  Hdf5Group sampler = root.create_group("sampler");
  sampler.set_attribute("step", state.step);
  sampler.set_attribute("seed", static_cast<std::int64_t>(state.seed));
  root.create_group("schedule").set_attribute("step", state.step);

  root.create_group("config").create_texts("yaml", {facts.config_yaml}, TextForm::fixed);
  Hdf5Group data = root.create_group("data");
  data.set_attribute("training_rows", facts.training_rows);
  const auto rank = static_cast<std::int64_t>(facts.feature_shape.size());
  data.create_dataset<std::int64_t>("feature_shape", {rank}, Storage::checksummed)
      .write(std::span<const std::int64_t>(facts.feature_shape));
  data.create_texts("vocabulary", facts.vocabulary, TextForm::fixed);
  if (!facts.word_priors.empty()) write_word_priors(data.create_group("word_priors"), facts.word_priors);
}

std::string without(std::string text, const std::string& part) {
  const std::size_t place = text.find(part);
  return place == std::string::npos ? text : text.erase(place, part.size());
}

}  // namespace

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  io::AtomicFile file(path);
  try {
    Hdf5File contents = Hdf5File::create(file.temporary_path(), seal_bytes);
    write_contents(contents, checkpoint);
    contents.close();
    write_seal(file.temporary_path());
  } catch (const Error& error) {
    throw Error(error.code(), "cannot save {}: {}", path,
                without(error.what(), file.temporary_path() + ": "));
  }
  file.commit();
}

}  // namespace svi::checkpoint
