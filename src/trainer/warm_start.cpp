#include "warm_start.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>

#include "svi/base/error.hpp"
#include "svi/base/units.hpp"
#include "svi/data/match_words.hpp"

namespace svi::trainer {

namespace {

// "model.topics: was 4, is 7; …": why the models are not alike.
std::string model_changes(TrainedModel& source, Settings& settings) {
  const auto was = config::values(source.settings.sections());
  std::vector<std::string> changes;
  for (const auto& [name, value] : config::values(settings.sections())) {
    const auto found = was.find(name);
    if (!name.starts_with("model.") || (found != was.end() && found->second == value)) continue;
    changes.push_back(
        fmt::format("{}: was {}, is {}", name, found == was.end() ? "absent" : found->second, value));
  }
  if (!changes.empty()) return fmt::format("{}", fmt::join(changes, "; "));
  return fmt::format("rows had the shape [{}]", fmt::join(source.checkpoint.facts.feature_shape, ", "));
}

const ParameterShape* find(const std::vector<ParameterShape>& shapes, const std::string& name) {
  const auto found = std::ranges::find(shapes, name, &ParameterShape::name);
  return found == shapes.end() ? nullptr : &*found;
}

bool is_alike(const ParameterShape& ours, const ParameterShape& theirs) {
  if (!ours.is_lazy || !theirs.is_lazy) return ours == theirs;
  return ours.shape.at(1) == theirs.shape.at(1);  // rows are words
}

// Whether they have all that a model needs, learned priors aside.
bool cover(const std::vector<ParameterShape>& shapes, const Model& model) {
  return std::ranges::all_of(model.parameter_shapes(), [&](const ParameterShape& shape) {
    const ParameterShape* same = find(shapes, shape.name);
    return same == nullptr ? model.is_of_prior(shape.name) : is_alike(shape, *same);
  });
}

// "0", "1", … or "1", "2", …: what svi-data calls words without names.
bool are_numbers(const std::vector<std::string>& words) {
  const std::int64_t first = words.front() == "0" ? 0 : 1;
  for (std::int64_t i = 0; i < std::ssize(words); ++i) {
    if (words[static_cast<std::size_t>(i)] != std::to_string(first + i)) return false;
  }
  return true;
}

// The source's row of each word of the data, −1 where it has none.
std::vector<std::int32_t> rows_in_source(const TrainedModel& source, const data::DataFacts& data) {
  const std::vector<std::string>& theirs = source.checkpoint.facts.vocabulary;
  const std::vector<std::string>& ours = data.vocabulary;
  if (theirs.size() != static_cast<std::size_t>(source.checkpoint.facts.feature_shape.at(0))) {
    throw Error(ExitCode::bad_data, "{} names {} words of {}, so that they cannot be matched by name",
                source.path, theirs.size(), source.checkpoint.facts.feature_shape.at(0));
  }
  if (theirs != ours && (are_numbers(theirs) || are_numbers(ours))) {
    throw Error(ExitCode::bad_data,
                "{} knows {} words and {} has {}, but {} only numbers them, so that they cannot be matched "
                "by name; import it with its vocabulary",
                source.path, count_text(std::ssize(theirs)), data.path, count_text(std::ssize(ours)),
                are_numbers(ours) ? data.path : source.path);
  }
  std::vector<std::int32_t> rows = data::match_words(ours, theirs, data.path);
  if (std::ranges::any_of(rows, [](std::int32_t row) { return row >= 0; })) return rows;
  throw Error(ExitCode::bad_data,
              "none of the {} words of {} (\"{}\", …) is among the {} of {} (\"{}\", …); there is nothing "
              "to start from",
              count_text(std::ssize(ours)), data.path, ours.front(), count_text(std::ssize(theirs)),
              source.path, theirs.front());
}

void copy_rows(const Tensor& from, const std::vector<std::int32_t>& rows, const Tensor& to) {
  const Tensor source = from.to(to.scalar_type());
  const auto bytes = static_cast<std::size_t>(to.size(1) * to.element_size());
  const auto* first = static_cast<const std::byte*>(source.const_data_ptr());
  auto* out = static_cast<std::byte*>(to.mutable_data_ptr());
  for (const std::int32_t row : rows) {
    if (row >= 0)
      std::memcpy(out, first + static_cast<std::size_t>(row) * bytes, bytes);
    else
      std::memset(out, 0, bytes);
    out += bytes;
  }
}

std::string words_text(const TrainedModel& source, const std::vector<std::int32_t>& rows) {
  const std::int64_t shared = std::ssize(rows) - std::ranges::count(rows, -1);
  return fmt::format("{} of its {} words, {} of the data's are new", count_text(shared),
                     count_text(std::ssize(source.checkpoint.facts.vocabulary)),
                     count_text(std::ssize(rows) - shared));
}

// @return what to tell of the words
std::string take_lazy(const TrainedModel& source, const data::DataFacts& data, const std::string& name,
                      ParameterSet& parameters) {
  const std::vector<std::int32_t> rows = rows_in_source(source, data);
  const Tensor& from = source.parameters()[name];
  const Tensor& to = parameters[name];
  LazyScale& lazy = parameters.lazy(name);
  lazy = source.parameters().lazy(name);
  copy_rows(from, rows, to);
  // Sums kept from step to step differ in rounding from sums added up anew.
  const bool is_same =
      from.scalar_type() == to.scalar_type() && source.checkpoint.facts.vocabulary == data.vocabulary;
  if (!is_same) sum_rows(to, lazy);
  return words_text(source, rows);
}

}  // namespace

void require_fit_to_start_from(TrainedModel& source, Settings& settings, const Model& model,
                               const UpdateRule& rule) {
  const checkpoint::CheckpointFacts& facts = source.checkpoint.facts;
  if (facts.model != settings.model_entry->name) {
    throw Error(ExitCode::bad_config, "{} is of model.type {}, not {}", source.path, facts.model,
                settings.model_entry->name);
  }
  if (!cover(source.parameters().shapes(), model) || !cover(model.parameter_shapes(), *source.model)) {
    throw Error(ExitCode::bad_config,
                "{} has parameters of other names or shapes than this configuration makes; changed: {}; "
                "set that back",
                source.path, model_changes(source, settings));
  }
  if (rule.forgets_all(0)) {
    throw Error(ExitCode::bad_config,
                "the first step has rho = 1, which leaves nothing of {}; set optimizer.delay above 1 and "
                "optimizer.forgetting_rate above 0",
                source.path);
  }
}

std::string take_parameters(const TrainedModel& source, const data::DataFacts& data,
                            ParameterSet& parameters) {
  std::string words;
  std::vector<std::string> anew;
  for (const ParameterShape& shape : parameters.shapes()) {
    if (find(source.parameters().shapes(), shape.name) == nullptr) {
      anew.push_back(shape.name);
    } else if (shape.is_lazy) {
      words = ": " + take_lazy(source, data, shape.name, parameters);
    } else {
      parameters[shape.name].copy_(source.parameters()[shape.name]);
    }
  }
  return fmt::format("started from {} (step {}){}{}", source.path, source.checkpoint.state.step, words,
                     anew.empty() ? "" : fmt::format("; {} anew", fmt::join(anew, ", ")));
}

void require_same_words(const std::vector<std::string>& had, const std::vector<std::string>& has,
                        const std::string& run_directory, const std::string& path) {
  if (had == has) return;
  const std::set<std::string_view> before(had.begin(), had.end());
  const std::set<std::string_view> now(has.begin(), has.end());
  const auto only_in = [](const auto& words, const auto& others) {
    std::vector<std::string_view> list;
    std::ranges::set_difference(words, others, std::back_inserter(list));
    return list.empty()
               ? std::string("none")
               : fmt::format("{} (\"{}\"{})", list.size(), list.front(), list.size() > 1 ? ", …" : "");
  };
  throw Error(
      ExitCode::bad_config,
      "{0} holds a run on {1} words, but {2} has {3}: new {4}, gone {5}{6}; a run keeps its words. To go "
      "on with others start a new run from it: another run.name or --run-dir, and run.warm_start: {0}",
      run_directory, had.size(), path, has.size(), only_in(now, before), only_in(before, now),
      before == now ? ", but in another order" : "");
}

}  // namespace svi::trainer
