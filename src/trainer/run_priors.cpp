#include "svi/trainer/run_priors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

#include "svi/base/error.hpp"
#include "svi/base/sha256.hpp"
#include "svi/data/word_priors.hpp"

namespace svi::trainer {

namespace {

std::string warning_of(const std::vector<std::string>& unknown, const std::string& vocabulary) {
  constexpr std::size_t most = 5;
  if (unknown.empty()) return "";
  const std::span few = std::span(unknown).first(std::min(unknown.size(), most));
  return fmt::format("model.prior_file: {} not in the vocabulary of {} and left out: {}{}",
                     unknown.size() == 1 ? "1 word is" : fmt::format("{} words are", unknown.size()),
                     vocabulary, fmt::join(few, ", "), unknown.size() > most ? ", …" : "");
}

}  // namespace

std::string RunPriors::digest() const {
  Sha256 digest;
  for (const WordPrior& prior : list) {
    digest.add_integer(static_cast<std::uint64_t>(prior.word));
    digest.add_integer(static_cast<std::uint64_t>(prior.topic));
    digest.add_integer(std::bit_cast<std::uint64_t>(prior.weight));
  }
  return digest.finish_hex();
}

RunPriors read_priors(const ModelOptions& options, const data::DataFacts& training) try {
  const std::optional<PriorFile> file = options.prior_file();
  if (!file) return {};
  data::WordPriorFile found = data::read_word_priors(file->path, training.vocabulary, file->topics);
  return {std::move(found.priors), warning_of(found.unknown, training.path)};
} catch (const Error& error) {
  throw Error(error.code(), "model.prior_file: {}", error.what());
}

}  // namespace svi::trainer
