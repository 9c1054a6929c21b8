#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "svi/models/model.hpp"

namespace svi {

/// A file of words' priors that a model asks for.
struct PriorFile {
  std::string path;
  std::int64_t topics = 0;  ///< K
};

/// A model's options: where their keys stand, and the model they make.
class ModelOptions {
 public:
  virtual ~ModelOptions() = default;
  /// Declares the keys of the sections `model` (besides `type`) and `objective`.
  virtual void describe(OptionSet& model, OptionSet& objective) = 0;
  /// Whether rows are word counts, with these options; else they are dense.
  virtual bool takes_counts() const { return false; }
  /// Whether matrix products may be in bfloat16, with these options.
  virtual bool takes_bfloat16() const { return false; }
  /// Has them so, beside parameters in float32; before `build`.
  virtual void use_bfloat16() {}
  /// Whether LibTorch's threads do most of the work, and not those of svi/core/parallel.hpp. Idle threads of
  /// the former wait by spinning, so that both together would be in each other's way.
  virtual bool works_on_libtorch_threads() const { return false; }
  /// Whether the rows' labels are learned from; else nothing reads them.
  virtual bool learns_labels() const { return false; }
  /// What DataShape::word_priors are to be read from; none for most models.
  virtual std::optional<PriorFile> prior_file() const { return std::nullopt; }
  /// @throws Error (bad_config, bad_data) when options and data do not go together
  virtual std::unique_ptr<Model> build(const DataShape& shape) const = 0;
};

/// One model of the registry.
struct ModelEntry {
  std::string name;                       ///< the value of `model.type`
  std::string summary;                    ///< one line for `--help` and the documentation
  bool needs_counts = false;              ///< a model of words: of counts whatever its options
  std::vector<std::string> update_rules;  ///< the values of `optimizer.type` that fit, the usual one first
  std::string update_rule_reason;         ///< why others do not, for the message
  std::vector<std::string> small;         ///< "key=value" of section `model`: a small instance for tests
  std::function<std::unique_ptr<ModelOptions>()> options;
};

/// All models, by name. **Local.**
const std::vector<ModelEntry>& models();

/// @throws Error (bad_config) naming the known ones
const ModelEntry& find_model(const std::string& name);

/// Adds a model when the program starts: the last line of its source file.
struct RegisterModel {
  explicit RegisterModel(ModelEntry entry);
};

}  // namespace svi
