// What is told of a VAE on held-out rows: the ELBO's parts, the KL by dimension, and how many of the latent's
// units are active (Burda, Grosse and Salakhutdinov 2016, section 5.2: the variance of E[z|x] over the data
// exceeds 0.01).

#include <ATen/ATen.h>

#include "vae.hpp"

namespace svi::vae {

namespace {

class VaeEvaluation : public Evaluation {
 public:
  VaeEvaluation(Vae& vae, const ParameterSet& parameters, std::uint64_t seed)
      : vae_(vae), parameters_(parameters), noise_(seed) {}

  SumLayout layout() const override {
    const std::int64_t latent = vae_.options().latent;
    SumLayout layout{
        {"rows", 1}, {"reconstruction", 1}, {"kl", latent}, {"mean", latent}, {"squared_mean", latent}};
    if (vae_.tells_objective()) layout.emplace_back("objective", 1);
    return layout;
  }

  void add(const Minibatch& rows, Sums& sums) override {
    if (rows.size() == 0) return;
    const Pass pass = vae_.forward(parameters_, rows, noise_);
    sums.scalar("rows") += static_cast<double>(rows.size());
    const Tensor log_likelihood = vae_.likelihood().log_likelihood(pass.targets, pass.output, parameters_);
    sums.scalar("reconstruction") +=
        log_likelihood.sum().item<double>() / static_cast<double>(vae_.options().samples);
    if (vae_.tells_objective()) sums.scalar("objective") += vae_.objective(pass, log_likelihood);
    vae_.add_kl(pass, sums["kl"]);
    const Tensor mean = pass.posterior.narrow(1, 0, vae_.options().latent).to(at::kDouble);
    add(mean.sum(0), sums["mean"]);
    add((mean * mean).sum(0), sums["squared_mean"]);
  }

  Metrics finish(const Sums& totals) const override {
    const double rows = totals.scalar("rows");
    const std::span<const double> kl = totals["kl"];
    Metrics metrics = vae_.elbo_metrics(totals);
    double active = 0;
    for (std::size_t j = 0; j < kl.size(); ++j) {
      const double mean = totals["mean"][j] / rows;
      if (totals["squared_mean"][j] / rows - mean * mean > 0.01) active += 1;
      metrics.vectors["kl_per_dimension"].push_back(kl[j] / rows);
    }
    metrics.values["active_units"] = active;
    return metrics;
  }

 private:
  static void add(const Tensor& values, std::span<double> sums) {
    const Tensor host = values.to(at::kCPU).contiguous();
    for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += host.data_ptr<double>()[j];
  }

  Vae& vae_;
  const ParameterSet& parameters_;
  Philox noise_;
};

}  // namespace

std::unique_ptr<Evaluation> evaluation_of(Vae& vae, const ParameterSet& parameters, std::uint64_t seed) {
  return std::make_unique<VaeEvaluation>(vae, parameters, seed);
}

}  // namespace svi::vae
