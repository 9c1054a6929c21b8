#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "svi/base/random.hpp"
#include "svi/core/parameter_set.hpp"
#include "svi/distributions/likelihood.hpp"

namespace svi::test {

/// Keyed numbers in [0, 1), float64.
inline Tensor uniform(std::uint64_t datum, std::int64_t rows, std::int64_t columns) {
  Tensor values = at::empty({rows, columns}, at::kFloat);
  Philox(5).fill_uniform(std::span(values.data_ptr<float>(), static_cast<std::size_t>(rows * columns)),
                         Purpose::test_data, 0, datum);
  return values.to(at::kDouble);
}

/// A likelihood and how features for it come from uniform numbers.
struct LikelihoodCase {
  std::string name;
  LikelihoodOptions options;
  std::function<Tensor(const Tensor&)> features;
};

inline void PrintTo(const LikelihoodCase& likelihood, std::ostream* out) { *out << likelihood.name; }

inline std::unique_ptr<Likelihood> make(const std::string& name, NumberOrWord variance = {.number = 0.37},
                                        std::int64_t classes = 5) {
  LikelihoodOptions options;
  options.likelihood = name;
  options.variance = std::move(variance);
  options.levels = classes;
  return make_likelihood(options);
}

/// Every likelihood with each of its settings.
inline std::vector<LikelihoodCase> every_likelihood() {
  const auto as_they_are = [](const Tensor& u) { return u; };
  const auto counts = [](const Tensor& u) { return at::floor(at::pow(u, 4) * 40); };  // nearly half are zero
  std::vector<LikelihoodCase> cases;
  for (const std::string& name : likelihood_names()) {
    LikelihoodOptions options;
    options.likelihood = name;
    options.levels = 5;
    options.variance.number = 0.37;
    if (name == "categorical") {
      cases.push_back({name, options, [](const Tensor& u) { return at::floor(u * 5); }});
    } else if (name == "discretised_logistic") {
      cases.push_back({name, options,
                       [](const Tensor& u) { return at::round((u * 1.4 - 0.2).clamp(0, 1) * 255) / 255; }});
    } else if (make(name)->feature_kind() == FeatureKind::counts) {
      cases.push_back({name, options, counts});
    } else {
      cases.push_back({name, options, as_they_are});
    }
    if (name != "gaussian") continue;
    for (const char* word : {"learned", "learned_per_feature", "decoded"}) {
      options.variance.word = word;
      cases.push_back({name + "_" + word, options, as_they_are});
    }
  }
  return cases;
}

}  // namespace svi::test
