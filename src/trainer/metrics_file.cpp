#include "svi/trainer/metrics_file.hpp"

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "svi/base/error.hpp"
#include "svi/io/atomic_file.hpp"

namespace svi::trainer {

namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json head(const char* kind, const Progress& progress) {
  return {{"kind", kind},
          {"step", progress.step},
          {"epoch", number(progress.epoch)},
          {"seconds", number(progress.seconds)}};
}

void add_metrics(Json& line, const Metrics& metrics) {
  for (const auto& [name, value] : metrics.values) line[name] = number(value);
  for (const auto& [name, values] : metrics.vectors) {
    line[name] = Json::array();
    for (const double value : values) line[name].push_back(number(value));
  }
}

// The lines that a run continues from, each of them whole.
std::string lines_before(const std::string& path, const Progress& start) {
  std::ifstream file(path);
  std::string kept;
  std::string line;
  while (std::getline(file, line)) {
    const Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object() || !object.contains("step") || !object["step"].is_number_integer()) break;
    const auto step = object["step"].get<std::int64_t>();
    if (step > start.step) break;
    if (step == start.step && object.value("split", Json()) == "test") continue;  // comes again at the end
    kept += line + '\n';
  }
  return kept;
}

}  // namespace

MetricsFile::MetricsFile(const std::string& path, const Progress& start) : path_(path) {
  const bool continues = start.step > 0 && std::filesystem::exists(path);
  io::write_text(path, continues ? lines_before(path, start) : std::string());
  file_.open(path, std::ios::app);
  if (!file_) throw Error(ExitCode::cannot_write, "cannot write {}", path);
}

void MetricsFile::write(const std::string& line) {
  file_ << line << '\n' << std::flush;
  if (!file_)
    throw Error(ExitCode::cannot_write, "cannot write {}: {}; free some space and start again to resume",
                path_, std::generic_category().message(errno));
}

void MetricsFile::on_training(const TrainingRecord& record) {
  Json line = head("train", record.progress);
  add_metrics(line, record.metrics);
  line[record.rate_name] = number(record.rate);
  line["samples_per_second"] = number(record.samples_per_second);
  line["communication_fraction"] = number(record.communication_fraction);
  write(line.dump());
}

void MetricsFile::on_evaluation(const EvaluationRecord& record) {
  Json line = head("evaluation", record.progress);
  line["split"] = record.split;
  add_metrics(line, record.metrics);
  write(line.dump());
}

void MetricsFile::on_event(const Event& event) {
  Json line = head("event", event.progress);
  line["event"] = event.name;
  line["text"] = event.text;
  write(line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace svi::trainer
