// Bounds by several weighted draws and the estimators of their gradients.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "models/differences.hpp"
#include "models/ppca.hpp"

namespace {

using svi::Contribution;
using svi::Minibatch;
using svi::Tensor;
using svi::test::expect_vae_refused;
using svi::test::Instance;
using svi::test::Ppca;
using svi::test::synthetic;

constexpr std::int64_t width = Ppca::width;
const svi::DataShape shape{.training_rows = 24, .feature_shape = {width}};

const std::vector<std::string> networks{"latent=2", "encoder=[5]", "decoder=[4]", "activation=tanh"};
// With a parameter that is learned beside the networks.
const std::vector<std::string> learned{"latent=2",        "encoder=[5]",         "decoder=[4]",
                                       "activation=tanh", "likelihood=gaussian", "variance=learned"};

// A deep network and one bound: "bound=iwae", "samples=5", …
Instance instance_of(const std::vector<std::string>& objective, at::ScalarType type = at::kDouble,
                     std::vector<std::string> settings = networks) {
  for (const std::string& option : objective) settings.push_back("objective." + option);
  return Instance("vae", settings, shape, type);
}

const std::vector<std::vector<std::string>> bounds{
    {"bound=iwae", "samples=5"},
    {"bound=iwae", "samples=5", "kl.weight=0.6"},
    {"bound=miwae", "samples=6", "groups=3"},
    {"bound=ciwae", "samples=4", "ciwae_weight=0.3"},
    {"bound=renyi", "samples=4", "renyi_alpha=0.5"},
    {"bound=renyi", "samples=4", "renyi_alpha=-1"},
};

std::string text(const std::vector<std::string>& options) {
  return fmt::format("{}", fmt::join(options, " "));
}

std::vector<std::string> with(std::vector<std::string> options, const std::string& another) {
  options.push_back(another);
  return options;
}

TEST(VaeBounds, PlainGradientIsTheSampledBounds) {
  for (const auto& options : bounds) {
    SCOPED_TRACE(text(options));
    for (const auto& settings : {networks, learned}) {
      Instance model = instance_of(options, at::kDouble, settings);
      expect_gradient_of(model, "objective", synthetic(false, width, 0, 8));
      if (settings == networks) continue;
      const std::int64_t place =
          model.state.parameters.view(model.state.parameters.shapes().size() - 1).storage_offset();
      expect_gradient_of(model, "objective", synthetic(false, width, 0, 8), place, place + 1);
    }
  }
}

std::int64_t decoder_first(const Instance& model) {
  return model.state.parameters["decoder.0/weight"].storage_offset();
}

void expect_same(const Tensor& a, const Tensor& b) {
  EXPECT_LE((a - b).abs().max().item<double>(), 1e-12 * b.abs().max().item<double>());
  EXPECT_GT(b.abs().max().item<double>(), 0);
}

// piwae: the decoder climbs the iwae and the encoder the miwae, with the same draws.
TEST(VaeBounds, PiwaePartsTheNetworks) {
  for (const std::string gradient : {"gradient=plain", "gradient=dreg"}) {
    const Minibatch rows = synthetic(false, width, 0, 8);
    const auto gradient_of = [&](const std::vector<std::string>& options) {
      return instance_of(with(with(options, "samples=6"), gradient), at::kDouble, learned).accumulate(rows);
    };
    const Contribution both = gradient_of({"bound=piwae", "groups=3"});
    const Contribution iwae = gradient_of({"bound=iwae"});
    const Contribution miwae = gradient_of({"bound=miwae", "groups=3"});
    const std::int64_t first = decoder_first(instance_of({}, at::kDouble, learned));
    expect_same(both.statistics.flat().slice(0, first), iwae.statistics.flat().slice(0, first));
    expect_same(both.statistics.flat().slice(0, 0, first), miwae.statistics.flat().slice(0, 0, first));
    EXPECT_EQ(both.terms.scalar("objective"), iwae.terms.scalar("objective"));
  }
}

TEST(VaeBounds, MeetAtTheirEnds) {
  const Minibatch rows = synthetic(false, width, 0, 8);
  const auto expect_equal = [&](const std::vector<std::string>& a, const std::vector<std::string>& b) {
    SCOPED_TRACE(text(a) + " and " + text(b));
    expect_same(instance_of(a).accumulate(rows).statistics.flat(),
                instance_of(b).accumulate(rows).statistics.flat());
  };
  const std::vector<std::string> elbo{"samples=4", "elbo=sampled"};
  expect_equal({"bound=miwae", "samples=4", "groups=4"}, elbo);
  expect_equal({"bound=ciwae", "samples=4", "ciwae_weight=1"}, elbo);
  expect_equal({"bound=iwae", "samples=1"}, {"samples=1", "elbo=sampled"});
  const std::vector<std::string> iwae{"bound=iwae", "samples=4"};
  expect_equal({"bound=miwae", "samples=4", "groups=1"}, iwae);
  expect_equal({"bound=piwae", "samples=4", "groups=1"}, iwae);
  expect_equal({"bound=ciwae", "samples=4", "ciwae_weight=0"}, iwae);
  expect_equal({"bound=renyi", "samples=4", "renyi_alpha=0"}, iwae);
  expect_equal({"bound=iwae", "samples=1", "gradient=dreg"}, {"bound=iwae", "samples=1", "gradient=stl"});
  expect_equal(with(elbo, "gradient=dreg"), with(elbo, "gradient=stl"));
}

// Power means grow with their exponent, whatever the draws.
TEST(VaeBounds, AreOrderedForTheSameDraws) {
  const Minibatch rows = synthetic(false, width, 0, 8);
  const auto value = [&](const std::vector<std::string>& options) {
    return instance_of(with(options, "samples=6")).figure("objective", rows);
  };
  const double elbo = instance_of({"samples=6", "elbo=sampled"}).elbo(rows);
  const double iwae = value({"bound=iwae"});
  EXPECT_LT(elbo, value({"bound=renyi", "renyi_alpha=0.5"}));
  EXPECT_LT(value({"bound=renyi", "renyi_alpha=0.5"}), iwae);
  EXPECT_LT(iwae, value({"bound=renyi", "renyi_alpha=-1"}));
  EXPECT_LT(elbo, value({"bound=miwae", "groups=3"}));
  EXPECT_LT(value({"bound=miwae", "groups=3"}), iwae);
  EXPECT_NEAR(value({"bound=ciwae", "ciwae_weight=0.3"}), 0.3 * elbo + 0.7 * iwae, 1e-12);
}

struct Estimate {
  double mean = 0;
  double error = 0;  // of the mean
};

// Of a figure over steps with noise of their own.
Estimate estimate(Ppca& ppca, const std::string& figure, std::int64_t steps) {
  double sum = 0;
  double squares = 0;
  for (std::int64_t step = 0; step < steps; ++step) {
    const double value = ppca.model.figure(figure, synthetic(false, width, 0, 20, step));
    sum += value;
    squares += value * value;
  }
  const auto count = static_cast<double>(steps);
  const double mean = sum / count;
  return {mean, std::sqrt((squares / count - mean * mean) / (count - 1))};
}

// ELBO ≤ IWAE_k ≤ IWAE_k+1 ≤ ln p(x), each gap over five standard errors, with a q that is too wide.
TEST(VaeBounds, RiseWithTheDrawsTowardsTheEvidence) {
  const Tensor x = std::get<svi::DenseRows>(synthetic(false, width, 0, 20).rows).features;
  Ppca plain({"objective.elbo=sampled"});
  plain.widen(1.0);
  Estimate before = estimate(plain, "elbo", 1000);
  for (const char* samples : {"2", "3", "5", "20"}) {
    Ppca ppca({"objective.bound=iwae", std::string("objective.samples=") + samples});
    ppca.widen(1.0);
    const Estimate now = estimate(ppca, "objective", 1000);
    EXPECT_GT(now.mean - before.mean, 5 * std::hypot(now.error, before.error)) << samples;
    before = now;
  }
  EXPECT_GT(plain.log_p(x) / 20 - before.mean, 5 * before.error);
  EXPECT_NEAR(plain.log_p(x) / 20, before.mean, 0.02);
}

// With the exact posterior every weight is ln p(x): every bound is too, for any draws.
TEST(VaeBounds, AreTheEvidenceWithTheExactPosterior) {
  const Minibatch rows = synthetic(false, width, 0, 20);
  for (const auto& options : bounds) {
    if (options.back() == "kl.weight=0.6") continue;
    std::vector<std::string> settings;
    for (const std::string& option : options) settings.push_back("objective." + option);
    Ppca ppca(settings);
    EXPECT_NEAR(ppca.model.figure("objective", rows),
                ppca.log_p(std::get<svi::DenseRows>(rows.rows).features) / 20, 1e-10)
        << text(options);
  }
}

// Of two estimators with the same draws: the mean difference of each of the encoder's parameters in its
// standard errors, the largest of them.
double largest_discrepancy(const std::string& gradient, const std::vector<std::string>& options,
                           std::int64_t steps) {
  Instance plain = instance_of(options);
  Instance other = instance_of(with(options, "gradient=" + gradient));
  const std::int64_t last = decoder_first(plain);
  Tensor sum = at::zeros({last}, at::kDouble);
  Tensor squares = at::zeros({last}, at::kDouble);
  for (std::int64_t step = 0; step < steps; ++step) {
    const Minibatch rows = synthetic(false, width, 0, 8, step);
    const Contribution a = plain.accumulate(rows);
    const Contribution b = other.accumulate(rows);
    EXPECT_TRUE(at::equal(a.statistics.flat().slice(0, last), b.statistics.flat().slice(0, last)));
    const Tensor difference = a.statistics.flat().slice(0, 0, last) - b.statistics.flat().slice(0, 0, last);
    sum += difference;
    squares += difference * difference;
  }
  const auto count = static_cast<double>(steps);
  const Tensor mean = sum / count;
  const Tensor error = at::sqrt((squares / count - mean * mean) / (count - 1));
  EXPECT_GT(error.max().item<double>(), 0) << "both are the same estimator";
  return at::where(error > 0, mean.abs() / error, 0.0).max().item<double>();
}

// Five standard errors of one of the encoder's 59 parameters are passed by chance in 34 of a million
// correlated sets of keys at most.
TEST(VaeBounds, DregAgreesWithThePlainGradientInMean) {
  for (const char* samples : {"samples=1", "samples=5", "samples=50"}) {
    EXPECT_LT(largest_discrepancy("dreg", {"bound=iwae", samples}, 600), 5) << samples;
  }
  EXPECT_LT(largest_discrepancy("dreg", {"bound=iwae", "samples=5", "kl.weight=0.5"}, 600), 5);
  EXPECT_LT(largest_discrepancy("dreg", {"bound=miwae", "samples=6", "groups=2"}, 600), 5);
  EXPECT_LT(largest_discrepancy("dreg", {"bound=ciwae", "samples=5", "ciwae_weight=0.4"}, 600), 5);
  EXPECT_LT(largest_discrepancy("dreg", {"bound=renyi", "samples=5", "renyi_alpha=0.4"}, 600), 5);
}

TEST(VaeBounds, StlAgreesWithOneDrawAndIsBiasedWithSeveral) {
  EXPECT_LT(largest_discrepancy("stl", {"bound=iwae", "samples=1"}, 600), 5);
  EXPECT_LT(largest_discrepancy("stl", {"samples=5", "elbo=sampled"}, 600), 5);
  EXPECT_GT(largest_discrepancy("stl", {"bound=iwae", "samples=5"}, 600), 5);
}

// At the optimum of q the path's gradient has no noise, which the plain one has.
TEST(VaeBounds, GradientsWithoutTheScoreVanishAtTheExactPosterior) {
  const Minibatch rows = synthetic(false, width, 0, 20);
  const auto encoder_gradient = [&](const std::string& gradient) {
    Ppca ppca({"objective.bound=iwae", "objective.samples=5", "objective.gradient=" + gradient});
    return ppca.model.accumulate(rows).statistics["encoder.0/weight"].abs().max().item<double>();
  };
  EXPECT_LT(encoder_gradient("stl"), 1e-10);
  EXPECT_LT(encoder_gradient("dreg"), 1e-10);
  EXPECT_GT(encoder_gradient("plain"), 1e-2);
}

TEST(VaeBounds, RanksAddUp) {
  for (const char* gradient : {"plain", "stl", "dreg"}) {
    for (const auto& options : bounds) {
      SCOPED_TRACE(text(options) + ' ' + gradient);
      Instance model = instance_of(with(options, std::string("gradient=") + gradient));
      svi::test::expect_ranks_add_up(model, width);
    }
  }
  Instance piwae = instance_of({"bound=piwae", "samples=6", "groups=2", "gradient=dreg"});
  svi::test::expect_ranks_add_up(piwae, width);
}

TEST(VaeBounds, TheElboStaysTheElbo) {
  const Minibatch rows = synthetic(false, width, 0, 8);
  Instance plain = instance_of({"samples=5"});
  Instance iwae = instance_of({"bound=iwae", "samples=5", "gradient=dreg"});
  EXPECT_NEAR(iwae.elbo(rows), plain.elbo(rows), 1e-12);
  EXPECT_GT(iwae.figure("objective", rows), iwae.elbo(rows));
}

TEST(VaeBounds, EvaluationsTellTheBound) {
  Ppca ppca({"objective.bound=iwae", "objective.samples=5"});
  const auto evaluation =
      ppca.model.model->evaluation(ppca.model.state.parameters, svi::EvaluationRows::held_out, 1);
  svi::Sums sums(evaluation->layout());
  const Minibatch rows = synthetic(false, width, 0, 20);
  evaluation->add(rows, sums);
  EXPECT_NEAR(evaluation->finish(sums).values.at("objective"),
              ppca.log_p(std::get<svi::DenseRows>(rows.rows).features) / 20, 1e-10);
}

TEST(VaeBounds, FloatAgreesWithDouble) {
  const Minibatch rows = synthetic(false, width, 0, 8);
  const std::vector<std::string> options{"bound=iwae", "samples=5", "gradient=dreg"};
  Instance exact = instance_of(options);
  Instance single = instance_of(options, at::kFloat);
  // ln w of a few nats, right to some 1e-6, shifts a weight by as much of itself.
  EXPECT_NEAR(single.figure("objective", rows), exact.figure("objective", rows), 1e-5);
  const Tensor expected = exact.accumulate(rows).statistics.flat();
  EXPECT_LT((expected - single.accumulate(rows).statistics.flat()).abs().max().item<double>(),
            1e-5 * expected.abs().max().item<double>());
}

TEST(VaeBounds, WarnsThatOneDrawHasNoWeight) {
  const auto warnings = [](const std::string& bound, const std::string& samples) {
    const std::vector<std::string> settings{"latent=2", "objective.bound=" + bound,
                                            "objective.samples=" + samples};
    return svi::test::make_model("vae", settings, shape)->warnings();
  };
  for (const char* bound : {"iwae", "miwae", "ciwae", "piwae", "renyi"}) {
    ASSERT_EQ(warnings(bound, "1").size(), 1U) << bound;
    EXPECT_NE(warnings(bound, "1")[0].find(std::string("objective.bound is ") + bound), std::string::npos);
    EXPECT_TRUE(warnings(bound, "2").empty()) << bound;
  }
  EXPECT_TRUE(warnings("elbo", "1").empty());
}

TEST(VaeBounds, RefusesWhatDoesNotGoTogether) {
  const std::string o = "objective.";
  expect_vae_refused({o + "groups=2", o + "samples=4", o + "bound=iwae"}, {"groups is 2", "iwae", "miwae"});
  expect_vae_refused({o + "groups=3", o + "samples=4", o + "bound=miwae"}, {"samples is 4", "groups 3"});
  expect_vae_refused({o + "bound=renyi", o + "renyi_alpha=1"}, {"renyi_alpha is 1", "bound: elbo"});
  for (const char* gradient : {"stl", "dreg"}) {
    expect_vae_refused({o + "gradient=" + gradient}, {gradient, "objective.elbo: sampled"});
  }
  for (const char* option : {"free_bits=0.5", "capacity=3"}) {
    expect_vae_refused({o + "bound=iwae", o + "samples=3", o + "kl." + option},
                       {"free_bits", "capacity", "iwae"});
  }
  expect_vae_refused({o + "elbo=sampled", o + "gradient=stl", o + "kl.free_bits=1"}, {"free_bits", "stl"});
}

}  // namespace
