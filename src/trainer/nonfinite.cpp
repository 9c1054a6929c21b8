#include "nonfinite.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "svi/io/atomic_file.hpp"
#include "svi/trainer/nonfinite_files.hpp"

namespace svi::trainer {

namespace {

constexpr std::int64_t most_ids = 100'000;

using Json = nlohmann::ordered_json;

// Numbers that are not finite are null, as in metrics.jsonl.
Json terms_of(const Sums& terms) {
  Json json = Json::object();
  for (const auto& [name, length] : terms.layout()) {
    Json values = Json::array();
    for (const double value : terms[name])
      values.push_back(std::isfinite(value) ? Json(value) : Json(nullptr));
    json[name] = length == 1 ? values.front() : values;
  }
  return json;
}

}  // namespace

const char* nonfinite_terms(const Contribution& total) {
  const auto is_finite = [](double term) { return std::isfinite(term); };
  return std::ranges::all_of(total.terms.flat(), is_finite) ? nullptr : "the ELBO is";
}

const char* nonfinite_direction(const Contribution& total) {
  const double largest = total.statistics.flat().scalar_type() == at::kDouble
                             ? std::numeric_limits<double>::max()
                             : static_cast<double>(std::numeric_limits<float>::max());
  return total.squared_norm <= largest ? nullptr : "the gradient is";  // NaN: not
}

std::vector<std::int64_t> rows_of_all_ranks(comm::Communicator& communicator,
                                            std::span<const std::int64_t> ids) {
  const std::int64_t ranks = communicator.size();
  std::vector<std::int64_t> mine(static_cast<std::size_t>((most_ids + ranks - 1) / ranks), -1);
  std::ranges::copy(ids.first(std::min(ids.size(), mine.size())), mine.begin());
  std::vector<std::int64_t> all(mine.size() * static_cast<std::size_t>(ranks));
  communicator.control()
      .all_gather(comm::buffer_of(std::span(mine)), comm::buffer_of(std::span(all)), "rows of a minibatch")
      ->wait();
  std::erase(all, -1);
  std::ranges::sort(all);  // in rank order, each stratum's rows would stand by rank
  return all;
}

std::string nonfinite_file(std::int64_t step) { return fmt::format("nonfinite-step-{}.json", step); }

std::string skips_text(std::int64_t skipped) {
  if (skipped == 0) return "";
  return fmt::format("; skipped before: {}, as many steps as train.nonfinite_steps allows", skipped);
}

void NonfiniteFiles::on_nonfinite(const NonfiniteRecord& record) {
  const Json json{{"step", record.progress.step},
                  {"epoch", record.progress.epoch},
                  {"not_finite", record.fault.substr(0, record.fault.rfind(' '))},
                  {"terms", terms_of(record.terms)},
                  {"rows", record.ids}};
  io::write_text(run_directory_ + "/" + nonfinite_file(record.progress.step), json.dump() + "\n");
}

}  // namespace svi::trainer
