// What is told of M2 on held-out rows, and what a trained one is used for.

#include <ATen/ATen.h>

#include <limits>

#include "m2.hpp"
#include "vae_features.hpp"

namespace svi::m2 {

namespace {

// The bound is −U(x), of ln p(x), whether or not a row has a label; the classifier is held against the labels
// there are.
class M2Evaluation : public Evaluation {
 public:
  M2Evaluation(M2& model, const ParameterSet& parameters, std::uint64_t seed)
      : model_(model), parameters_(parameters), noise_(seed) {}

  SumLayout layout() const override {
    return {{"rows", 1}, {"bound", 1}, {"reconstruction", 1}, {"kl", 1}, {"labelled", 1}, {"right", 1}};
  }

  void add(const Minibatch& rows, Sums& sums) override {
    if (rows.size() == 0) return;
    const Pass pass = model_.forward(parameters_, rows, at::full({rows.size()}, -1, at::kLong), noise_);
    const PairBounds parts = model_.bounds(parameters_, pass);
    const Tensor shares = model_.shares(pass);
    const double reconstruction = (shares * parts.reconstruction).sum().item<double>();
    const double kl = (shares * parts.kl).sum().item<double>();
    const auto count = static_cast<double>(rows.size());
    sums.scalar("rows") += count;
    sums.scalar("reconstruction") += reconstruction;
    sums.scalar("kl") += kl;
    sums.scalar("bound") += reconstruction - kl -
                            (pass.log_class * pass.log_class.exp()).sum().item<double>() -
                            count * std::log(static_cast<double>(model_.classes()));
    const Tensor& labels = std::get<DenseRows>(rows.rows).labels;
    if (!labels.defined()) return;
    sums.scalar("labelled") += (labels >= 0).sum().item<double>();
    sums.scalar("right") += (pass.log_class.argmax(1) == labels).sum().item<double>();
  }

  Metrics finish(const Sums& totals) const override {
    const double rows = totals.scalar("rows");
    Metrics metrics;
    metrics.values["elbo"] = totals.scalar("bound") / rows;
    metrics.values["reconstruction"] = totals.scalar("reconstruction") / rows;
    metrics.values["kl"] = totals.scalar("kl") / rows;
    const double labelled = totals.scalar("labelled");
    const double accuracy =
        labelled > 0 ? totals.scalar("right") / labelled : std::numeric_limits<double>::quiet_NaN();
    metrics.values["accuracy"] = accuracy;
    metrics.values["error"] = 1 - accuracy;
    return metrics;
  }

 private:
  M2& model_;
  const ParameterSet& parameters_;
  Philox noise_;
};

}  // namespace

std::unique_ptr<Evaluation> evaluation_of(M2& model, const ParameterSet& parameters, std::uint64_t seed) {
  return std::make_unique<M2Evaluation>(model, parameters, seed);
}

Tensor M2::class_probabilities(const ParameterSet& parameters, const Minibatch& rows, const Philox& noise) {
  const Tensor x = x_of(rows, noise, parameters.flat().scalar_type());
  return at::softmax(classifier_.forward(parameters, likelihood_->encoder_input(x)), 1);
}

Tensor M2::latent_draws(const ParameterSet& parameters, std::int64_t count, const Philox& noise) {
  return prior_noise(count, options_.latent, noise, parameters.flat().scalar_type());
}

Tensor M2::decode(const ParameterSet& parameters, const Tensor& z, const Tensor& labels) {
  const Tensor& output = decoder_->forward(parameters, with_class(z, labels));
  return likelihood_->mean(output) / likelihood_->white();
}

}  // namespace svi::m2
