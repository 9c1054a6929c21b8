#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "svi/config/document.hpp"
#include "svi/trainer/settings.hpp"

// The tables of configs/README.md are made from the code; the text above the first heading is written by hand.
//   SVI_UPDATE=1 build/tests/test_configs_readme     writes them anew
namespace svi {
namespace {

const std::string path = SVI_SOURCE_DIR "/configs/README.md";

std::string contents_of(const std::string& file) {
  std::stringstream contents;
  contents << std::ifstream(file).rdbuf();
  return contents.str();
}

// One section of a configuration with that model and rule ("": the model's first); "" where it has no keys.
std::string table(const std::string& section_name, const std::string& model, const std::string& rule,
                  const std::string& heading) {
  trainer::Settings settings = trainer::default_settings(model, rule);
  for (const config::Section& section : settings.sections()) {
    if (section.name == section_name) return config::to_markdown(section, heading) + "\n";
  }
  return "";
}

std::string model_tables() {
  std::string text;
  for (const ModelEntry& model : models()) {
    text += table("model", model.name, "", "model, with `type: " + model.name + "`: " + model.summary);
    text += table("objective", model.name, "", "objective of `" + model.name + "`");
  }
  return text;
}

std::string optimizer_tables() {
  std::string text;
  for (const std::string rule : {"adam", "sgd", "robbins_monro"}) {
    text += table("optimizer", models().front().name, rule, "optimizer, with `type: " + rule + "`");
  }
  return text;
}

std::string tables() {
  const std::string any_model = models().front().name;
  std::string text = table("run", any_model, "", "run") + table("data", any_model, "", "data");
  text += model_tables() + optimizer_tables();
  for (const std::string section : {"train", "evaluation", "checkpoint", "communication", "device"}) {
    text += table(section, any_model, "", section);
  }
  text.pop_back();  // one end of line at the end of the file
  return text;
}

TEST(ConfigsReadme, TablesAreThoseOfTheCode) {
  const std::string found = contents_of(path);
  const std::size_t first = found.find("## ");
  ASSERT_NE(first, std::string::npos) << path << " has no heading";
  if (std::getenv("SVI_UPDATE") != nullptr) {
    std::ofstream(path) << found.substr(0, first) << tables();
    return;
  }
  EXPECT_EQ(found.substr(first), tables()) << "write them anew: SVI_UPDATE=1 build/tests/test_configs_readme";
}

// Every section and every update rule has its table, also those that are added one day.
TEST(ConfigsReadme, NoKeyIsLeftOut) {
  const std::string text = tables();
  for (const ModelEntry& model : models()) {
    for (const std::string& rule : model.update_rules) {
      trainer::Settings settings = trainer::default_settings(model.name, rule);
      for (const auto& [key, value] : config::values(settings.sections())) {
        EXPECT_NE(text.find("| `" + key + "` |"), std::string::npos) << key;
      }
      EXPECT_NE(text.find("`type: " + rule + "`"), std::string::npos) << rule;
    }
  }
}

}  // namespace
}  // namespace svi
