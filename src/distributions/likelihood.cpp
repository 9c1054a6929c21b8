#include "svi/distributions/likelihood.hpp"

#include <fmt/ranges.h>

#include "bernoulli.hpp"
#include "categorical.hpp"
#include "continuous_bernoulli.hpp"
#include "discretised_logistic.hpp"
#include "gaussian.hpp"
#include "negative_binomial.hpp"
#include "poisson.hpp"
#include "svi/base/error.hpp"

namespace svi {

std::vector<std::string> likelihood_names() {
  return {"bernoulli",         "continuous_bernoulli",           "gaussian",
          "categorical",       "discretised_logistic",           "poisson",
          "negative_binomial", "zero_inflated_negative_binomial"};
}

void LikelihoodOptions::describe(OptionSet& options) {
  options.choice("likelihood", likelihood, likelihood_names(), "p(x|z): what the decoder's output means");
  options.real_or_choice("variance", variance, Range::above(0), {"learned", "learned_per_feature", "decoded"},
                         "the gaussian likelihood's: a fixed number, one learned, one learned for each "
                         "feature, or given by the decoder for each row and feature");
  options.integer("levels", levels, Range::between(2, 1 << 20), "levels",
                  "the categorical likelihood's: features are the whole numbers below it, bytes as they are");
}

std::unique_ptr<Likelihood> make_likelihood(const LikelihoodOptions& options) {
  if (options.likelihood == "bernoulli") return std::make_unique<Bernoulli>();
  if (options.likelihood == "gaussian") return std::make_unique<Gaussian>(options.variance);
  if (options.likelihood == "continuous_bernoulli") return std::make_unique<ContinuousBernoulli>();
  if (options.likelihood == "categorical") return std::make_unique<Categorical>(options.levels);
  if (options.likelihood == "discretised_logistic") return std::make_unique<DiscretisedLogistic>();
  if (options.likelihood == "poisson") return std::make_unique<Poisson>();
  if (options.likelihood == "negative_binomial") return std::make_unique<NegativeBinomial>(false);
  if (options.likelihood == "zero_inflated_negative_binomial")
    return std::make_unique<NegativeBinomial>(true);
  throw Error(ExitCode::bad_config, "model.likelihood is {}; expected one of {}", options.likelihood,
              fmt::join(likelihood_names(), ", "));
}

}  // namespace svi
