// The collapse monitor in whole runs: told once where the posterior is made to collapse, never on a healthy
// run; the same on any number of ranks and after a resume.
#include <fmt/format.h>

#include <algorithm>

#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

class Collapse : public RunFolder {
 protected:
  std::string config(const std::string& name, std::int64_t steps, const std::string& more) {
    return fmt::format(
        "{} --set run.name={} --set train.steps={} --set run.log_every_steps=50 "
        "--set checkpoint.every_steps=50 {}",
        vae(), name, steps, more);
  }
  Outcome run(const std::string& name, std::int64_t steps, const std::string& more, int ranks = 0) {
    Outcome outcome = train(ranks, config(name, steps, more));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
    return outcome;
  }
  // On pictures of 12 × 12, whose five places are worth three dimensions at most.
  std::string larger(int latent) {
    write_images(folder_ / "larger.h5", 400, 12, 1);
    return fmt::format("--set data.train={} --set model.latent={}", folder_ / "larger.h5", latent);
  }
  std::vector<nlohmann::json> events(const std::string& name) const {
    std::vector<nlohmann::json> lines = metrics(name);
    std::erase_if(lines, [](const auto& line) { return line.value("event", "") != "posterior_collapse"; });
    return lines;
  }
  std::vector<double> last_kl(const std::string& name) const {
    std::vector<double> kl;
    for (const auto& line : metrics(name)) {
      if (line["kind"] == "evaluation") kl = line["kl_per_dimension"].get<std::vector<double>>();
    }
    return kl;
  }
};

constexpr const char* heavy = "--set objective.kl.weight=100";  // the prior at any price

TEST_F(Collapse, OfAllIsToldOnce) {
  const Outcome outcome = run("heavy", 500, heavy);
  const auto lines = events("heavy");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["step"], 200);  // windows of 100 steps, the first one not judged
  const std::string text = lines[0]["text"];
  for (const char* part : {"3 of 3 latent dimensions (0-2", "steps 101 to 200",
                           "lower objective.kl.weight, which is 100", "objective.kl.free_bits"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
  EXPECT_TRUE(outcome.says(text)) << outcome.all();
  const std::vector<double> kl = last_kl("heavy");
  EXPECT_LT(*std::ranges::max_element(kl), 0.01);
}

TEST_F(Collapse, IsToldAlikeOnAnyNumberOfRanksAndAfterAResume) {
  run("whole", 300, heavy);
  for (const int ranks : {1, 2, 3}) {
    const std::string name = fmt::format("ranks-{}", ranks);
    run(name, 150, heavy, ranks);  // half a window
    EXPECT_TRUE(events(name).empty());
    run(name, 300, heavy, ranks % 3 + 1);
    const auto lines = events(name);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0]["step"], 200);
    EXPECT_EQ(lines[0]["text"], events("whole")[0]["text"]);
  }
  run("ranks-1", 500, heavy);  // what was told stays told
  EXPECT_EQ(events("ranks-1").size(), 1U);
}

TEST_F(Collapse, IsNotToldOfAHealthyRun) {
  run("healthy", 500, larger(2));
  EXPECT_TRUE(events("healthy").empty()) << events("healthy")[0];
  const std::vector<double> kl = last_kl("healthy");
  EXPECT_GT(*std::ranges::min_element(kl), 0.01);
}

TEST_F(Collapse, OfSomeNamesThem) {
  run("some", 1000, larger(8));
  const std::vector<double> kl = last_kl("some");
  const auto alive = std::ranges::count_if(kl, [](double value) { return value > 0.1; });
  EXPECT_GE(alive, 2);
  EXPECT_LE(alive, 4);
  const auto lines = events("some");
  ASSERT_FALSE(lines.empty());
  EXPECT_LE(lines.size(), 4U);  // log₂ 8 + 1
  for (const auto& line : lines) {
    const std::string text = line["text"];
    std::size_t named = 0;
    for (std::size_t j = 0; j < kl.size(); ++j) {  // none that is alive
      const std::size_t first = text.find('(');
      const bool is_named =
          text.substr(first, text.find(", counted") - first).find(std::to_string(j)) != std::string::npos;
      if (!is_named) continue;
      EXPECT_LT(kl[j], 0.02) << text;
      ++named;
    }
    EXPECT_GE(named, 1U) << text;
    EXPECT_NE(text.find("of 8 latent dimensions ("), std::string::npos) << text;
    EXPECT_NE(text.find("model.latent: "), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace svi::test
