#include "svi/cli/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "svi/base/units.hpp"

namespace svi::cli {

namespace {

constexpr double program_bytes = 300e6;

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

// "node1 × 2, node2 × 2"
std::string hosts_text(comm::Communicator& communicator) {
  std::map<std::string, int> hosts;
  for (const std::string& host : comm::all_gather_text(communicator, host_name(), "hosts")) ++hosts[host];
  std::vector<std::string> parts;
  for (const auto& [host, ranks] : hosts) parts.push_back(fmt::format("{} × {}", host, ranks));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string rows_per_rank(const trainer::TrainingData& data, int ranks) {
  std::int64_t fewest = data.rows();
  std::int64_t most = 0;
  for (int rank = 0; rank < ranks; ++rank) {
    const std::int64_t rows = data.rows_of(rank);
    fewest = std::min(fewest, rows);
    most = std::max(most, rows);
  }
  return fewest == most ? count_text(most) : fmt::format("{} to {}", count_text(fewest), count_text(most));
}

std::string free_space_text(const std::string& directory) {
  std::filesystem::path place(directory);
  std::error_code problem;
  while (!std::filesystem::exists(place, problem) && place.has_parent_path() && place != place.parent_path())
    place = place.parent_path();
  const auto space = std::filesystem::space(place, problem);
  return problem ? "unknown" : bytes_text(static_cast<double>(space.available));
}

std::string rows_in_memory(const trainer::TrainingData& data, const trainer::Settings& settings) {
  const std::string bytes = bytes_text(static_cast<double>(data.training_bytes()));
  if (!data.is_streamed()) return fmt::format("all: {} on this rank", bytes);
  return fmt::format("at most {} on this rank, streamed from the file under data.memory_limit: {}", bytes,
                     settings.data.memory_limit);
}

// Numbers that each row of the file has in memory whether it streams or not: where it starts, whose it is,
// its place in the order of the epoch.
constexpr double index_bytes_per_row = 32;

// Of a lazy matrix the direction has a minibatch's rows only, but a checkpoint and an evaluation hold a copy.
std::string memory_text(const trainer::TrainingData& data, double of_parameters, double working,
                        bool is_lazy) {
  const double rows = static_cast<double>(data.training_bytes()) +
                      index_bytes_per_row * static_cast<double>(data.facts().rows);
  return fmt::format("about {}: {} of parameters{}, {} of rows, {} of work, {} of the program itself",
                     bytes_text(of_parameters + rows + working + program_bytes), bytes_text(of_parameters),
                     is_lazy ? " (2 K V numbers at most, and one minibatch's rows of them)" : "",
                     bytes_text(rows), bytes_text(working), bytes_text(program_bytes));
}

// Ranks that share work hold a lazy matrix, and the sums of its rows, in common memory. Collective.
std::string all_reduce_text(const trainer::Settings& settings, comm::Communicator& communicator, bool is_lazy,
                            double of_parameters) {
  if (communicator.size() == 1) return bytes_text(0);
  if (!is_lazy) return bytes_text(of_parameters);
  if (settings.communication.shares_memory() && communicator.shared_memory(1, "plan"))
    return "hardly any: the ranks add up the words that occur in memory that they share";
  return "rows of the words that occur, at most " + bytes_text(of_parameters);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> plan(trainer::Experiment& experiment,
                                                      comm::Communicator& communicator) {
  const trainer::Settings& settings = experiment.settings();
  const trainer::TrainingData& data = experiment.data();
  const data::DataFacts& facts = data.facts();
  const ParameterSet& parameters = experiment.state().parameters;
  const int ranks = communicator.size();

  const auto of_parameters = static_cast<double>(parameters.elements() * parameters.flat().element_size());
  const auto pending = static_cast<double>(settings.communication.staleness);
  const double tensors = 1 + static_cast<double>(experiment.rule().state_names().size()) + pending;
  const bool is_lazy = std::ranges::any_of(parameters.shapes(), &ParameterShape::is_lazy);
  const std::int64_t local_batch = data.local_batch(settings.train, ranks);
  const double working = static_cast<double>(experiment.model().workspace_bytes(local_batch));

  std::vector<std::pair<std::string, std::string>> lines;
  const auto add = [&](const char* name, std::string text) { lines.emplace_back(name, std::move(text)); };
  add("model", fmt::format("{}: {}", settings.model_entry->name, settings.model_entry->summary));
  add("data",
      fmt::format("{}: {} × {}, {}", facts.path, count_text(facts.rows), count_text(facts.columns),
                  facts.layout == data::Layout::counts ? fmt::format("{} nonzeros", count_text(facts.entries))
                  : facts.is_uint8                     ? "uint8"
                                                       : "float32"));
  add("training rows", fmt::format("{} ({} per rank)", count_text(data.rows()), rows_per_rank(data, ranks)));
  if (data.labelled_rows() > 0) add("labels", fmt::format("of {} of them", count_text(data.labelled_rows())));
  add("rows in memory", rows_in_memory(data, settings));
  if (data.empty_rows() > 0) add("empty documents", count_text(data.empty_rows()));
  if (data.validation_rows() > 0) add("validation rows", count_text(data.validation_rows()));
  if (data.test_rows() > 0) add("test rows", count_text(data.test_rows()));
  add("ranks", fmt::format("{} ({}), {}", ranks, communicator.name(), hosts_text(communicator)));
  add("device", fmt::format("cpu, {} thread{} per rank, {}", settings.device.threads,
                            settings.device.threads > 1 ? "s" : "", settings.device.precision));
  add("parameters", fmt::format("{} ({})", count_text(parameters.elements()), bytes_text(of_parameters)));
  add("steps", fmt::format("{} of {} rows, {} per epoch", count_text(experiment.total_steps()),
                           count_text(data.batch(settings.train)), count_text(data.steps_per_epoch())));
  add("all-reduce per step", all_reduce_text(settings, communicator, is_lazy, of_parameters));
  add("checkpoint", fmt::format("{} each, {} free", bytes_text(tensors * of_parameters + 65536),
                                free_space_text(experiment.run_directory())));
  add("memory per rank", memory_text(data, (tensors + 1 + pending) * of_parameters, working, is_lazy));
  const std::int64_t done = experiment.state().step;
  add("run directory",
      experiment.run_directory() + (done > 0 ? fmt::format(", resumed at step {}", count_text(done)) : ""));
  return lines;
}

std::string plan_text(const std::vector<std::pair<std::string, std::string>>& plan) {
  std::size_t width = 0;
  for (const auto& [name, text] : plan) width = std::max(width, name.size());
  std::string lines;
  for (const auto& [name, text] : plan) lines += fmt::format("  {:<{}}  {}\n", name, width, text);
  return lines;
}

}  // namespace svi::cli
