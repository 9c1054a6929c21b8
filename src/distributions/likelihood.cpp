#include "svi/distributions/likelihood.hpp"

#include <fmt/ranges.h>

#include "bernoulli.hpp"
#include "gaussian.hpp"
#include "svi/base/error.hpp"

namespace svi {

std::vector<std::string> likelihood_names() { return {"bernoulli", "gaussian"}; }

void LikelihoodOptions::describe(OptionSet& options) {
  options.choice("likelihood", likelihood, likelihood_names(), "p(x|z): what the decoder's output means");
  options.real("variance", variance, Range::above(0), "", "the gaussian likelihood's fixed variance");
}

std::unique_ptr<Likelihood> make_likelihood(const LikelihoodOptions& options) {
  if (options.likelihood == "bernoulli") return std::make_unique<Bernoulli>();
  if (options.likelihood == "gaussian") return std::make_unique<Gaussian>(options.variance);
  throw Error(ExitCode::bad_config, "model.likelihood is {}; expected one of {}", options.likelihood,
              fmt::join(likelihood_names(), ", "));
}

}  // namespace svi
