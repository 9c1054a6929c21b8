#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "svi/config/document.hpp"
#include "svi/core/contribution.hpp"
#include "svi/core/word_set.hpp"
#include "svi/models/registry.hpp"
#include "svi/optim/update_rule.hpp"

namespace svi::test {

/// Tests run side by side on few cores, where a pool of threads costs more than these small products.
inline const bool uses_one_thread = (at::set_num_threads(1), true);

/// A model from its registry entry and settings "key=value" of section model or "objective.key=value".
inline std::unique_ptr<Model> make_model(const std::string& name, const std::vector<std::string>& settings,
                                         const DataShape& shape) {
  std::string type;
  config::Document document = config::Document::parse("model: {type: " + name + "}", "a test");
  for (const std::string& setting : settings) {
    document.set(setting.starts_with("objective.") ? setting : "model." + setting);
  }
  const auto options = find_model(name).options();
  OptionSet model;
  OptionSet objective;
  model.text("type", type, "");
  options->describe(model, objective);
  document.fill("model", model);
  document.fill("objective", objective);
  document.refuse_unknown();
  return options->build(shape);
}

inline float keyed_uniform(std::int64_t row, std::int64_t place) {
  return static_cast<float>(Philox(99).uniform(Purpose::test_data, 0, static_cast<std::uint64_t>(row),
                                               static_cast<std::uint64_t>(place)));
}

/// Row `id` depends on its number alone: words v with probability 0.6, counts 1 … 4; or features in [0, 1).
inline Minibatch synthetic(bool counts, std::int64_t width, std::int64_t first, std::int64_t last,
                           std::int64_t step = 0) {
  Minibatch minibatch{.step = step};
  CountRows sparse;
  DenseRows dense;
  dense.features = at::empty({last - first, width}, at::kFloat);
  for (std::int64_t id = first; id < last; ++id) {
    minibatch.ids.push_back(id);
    for (std::int64_t v = 0; v < width; ++v) {
      const float u = keyed_uniform(id, v);
      dense.features[id - first][v] = u;
      if (u > 0.6F) continue;
      sparse.words.push_back(static_cast<std::int32_t>(v));
      sparse.counts.push_back(1 + std::floor(4 * keyed_uniform(id, width + v)));
    }
    sparse.starts.push_back(std::ssize(sparse.words));
  }
  if (counts) {
    minibatch.rows = std::move(sparse);
  } else {
    minibatch.rows = std::move(dense);
  }
  return minibatch;
}

/// A model with parameters and everything a step needs.
class Instance {
 public:
  Instance(const std::string& name, const std::vector<std::string>& settings, const DataShape& shape,
           at::ScalarType type = at::kFloat)
      : shape_(shape), model(make_model(name, settings, shape)), noise(7) {
    state.parameters = ParameterSet(model->parameter_shapes(), type);
    model->initialize(state.parameters, noise);
  }

  /// All words, so that contributions of different rows have the same layout.
  std::vector<std::int32_t> all_words() const {
    std::vector<std::int32_t> words(static_cast<std::size_t>(shape_.width()));
    std::iota(words.begin(), words.end(), 0);
    return words;
  }

  Contribution accumulate(const Minibatch& minibatch) {
    Contribution contribution(model->parameter_shapes(), state.parameters.flat().scalar_type(),
                              model->terms());
    contribution.clear(all_words());
    // A model writes every element of these.
    for (std::size_t i = 0; i < contribution.statistics.shapes().size(); ++i)
      contribution.statistics.view(i).fill_(NAN);
    if (contribution.rows.size() > 0) contribution.rows.values.fill_(NAN);
    model->accumulate(state.parameters, minibatch, {noise, state.previous_means}, contribution);
    return contribution;
  }

  /// Of a training line.
  double figure(const std::string& name, const Minibatch& minibatch) {
    return model->training_metrics(state.parameters, accumulate(minibatch).terms).values.at(name);
  }
  double elbo(const Minibatch& minibatch) { return figure("elbo", minibatch); }

  void step(const UpdateRule& rule, const Minibatch& minibatch) {
    prepare_state(rule, state);
    Contribution total = accumulate(minibatch);
    model->to_direction(state.parameters, total);
    total.measure();
    rule.update(state, total);
    state.step += 1;
    model->derive(state.parameters, state.step);
  }

 private:
  DataShape shape_;

 public:
  std::unique_ptr<Model> model;
  Philox noise;
  TrainingState state;
};

}  // namespace svi::test
