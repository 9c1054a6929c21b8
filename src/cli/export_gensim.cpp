#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "export.hpp"
#include "pickle.hpp"
#include "svi/base/error.hpp"
#include "svi/cli/infer.hpp"
#include "svi/io/atomic_file.hpp"

namespace svi::cli {

namespace {

constexpr std::int64_t topics_at_once = 16;

using Attributes = std::vector<std::pair<std::string, pickle::Value>>;

// A float32 matrix in NumPy's format, version 1.0, written row by row.
class NpyFile {
 public:
  NpyFile(const std::string& path, std::int64_t rows, std::int64_t columns)
      : target_(path), file_(target_.temporary_path(), std::ios::binary | std::ios::trunc) {
    std::string header =
        fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
    constexpr std::size_t magic = 10;
    header.resize((magic + header.size() + 1 + 63) / 64 * 64 - magic - 1, ' ');
    header += '\n';
    file_.write("\x93NUMPY\x01\x00", 8);
    file_.put(static_cast<char>(header.size() & 0xFF)).put(static_cast<char>(header.size() >> 8));
    file_ << header;
  }
  void add(const Tensor& rows) {
    const Tensor values = rows.to(at::kFloat).contiguous();
    file_.write(static_cast<const char*>(values.const_data_ptr()),
                static_cast<std::streamsize>(values.nbytes()));
  }
  void commit() {
    file_.close();
    if (!file_) throw Error(ExitCode::cannot_write, "cannot write {}: writing failed", target_.path());
    target_.commit();
  }

 private:
  io::AtomicFile target_;
  std::ofstream file_;
};

// λ − η and exp(E[ln β]), as gensim keeps them.
void write_arrays(const trainer::TrainedModel& trained, const TopicPriors& priors, const std::string& path) {
  const TopicModel& model = topic_model_of(trained);
  const std::int64_t topics = priors.topics.numel();
  NpyFile statistics(path + ".state.sstats.npy", topics, priors.words.size(-1));
  NpyFile exp_log_beta(path + ".expElogbeta.npy", topics, priors.words.size(-1));
  for (std::int64_t first = 0; first < topics; first += topics_at_once) {
    const std::int64_t last = std::min(first + topics_at_once, topics);
    const Tensor tokens = model.topic_tokens(trained.parameters(), first, last);
    statistics.add(tokens - (priors.words.dim() == 1 ? priors.words : priors.words.slice(0, first, last)));
    exp_log_beta.add((tokens.digamma() - tokens.sum(1, true).digamma()).exp());
  }
  statistics.commit();
  exp_log_beta.commit();
}

pickle::Value float32() { return pickle::call(pickle::global("numpy", "dtype"), {pickle::text("float32")}); }

pickle::Value nested_list(const Tensor& values) {
  if (values.dim() == 0) return pickle::real(values.item<double>());
  std::vector<pickle::Value> list;
  for (const Tensor& value : values.unbind()) list.push_back(nested_list(value));
  return pickle::list(list);
}

pickle::Value array(const Tensor& values) {
  if (values.dim() == 1 && values.eq(values[0]).all().item<bool>()) {
    return pickle::call(pickle::global("numpy", "full"),
                        {pickle::integer(values.numel()), pickle::real(values[0].item<double>()), float32()});
  }
  return pickle::call(pickle::global("numpy", "array"), {nested_list(values), float32()});
}

// What gensim's SaveLoad looks for: arrays that lie in files of their own.
void add_separate(Attributes& attributes, const char* name) {
  attributes.insert(attributes.end(), {{"__numpys", pickle::list({pickle::text(name)})},
                                       {"__scipys", pickle::list({})},
                                       {"__ignoreds", pickle::list({})},
                                       {"__recursive_saveloads", pickle::list({})},
                                       {name, pickle::none()}});
}

pickle::Value state(const trainer::TrainedModel& trained, const TopicPriors& priors) {
  Attributes attributes{{"eta", array(priors.words)},
                        {"numdocs", pickle::integer(trained.checkpoint.facts.training_rows)},
                        {"dtype", float32()}};
  add_separate(attributes, "sstats");
  return pickle::object(pickle::global("gensim.models.ldamodel", "LdaState"), attributes);
}

pickle::Value dictionary(const std::vector<std::string>& vocabulary, std::int64_t documents) {
  std::vector<std::pair<pickle::Value, pickle::Value>> numbers;
  std::set<std::string_view> seen;
  for (const std::string& word : vocabulary) {
    if (!seen.insert(word).second) {
      throw Error(ExitCode::bad_data,
                  "\"{}\" stands twice in the vocabulary, which gensim's Dictionary cannot hold", word);
    }
    numbers.emplace_back(pickle::text(word), pickle::integer(std::ssize(numbers)));
  }
  const pickle::Value empty = pickle::dict({});
  return pickle::object(pickle::global("gensim.corpora.dictionary", "Dictionary"),
                        {{"token2id", pickle::dict(numbers)},
                         {"id2token", empty},
                         {"cfs", empty},
                         {"dfs", empty},
                         {"num_docs", pickle::integer(documents)},
                         {"num_pos", pickle::integer(0)},
                         {"num_nnz", pickle::integer(0)}});
}

// The attributes that LdaModel.__init__ of gensim 4 sets.
pickle::Value lda_model(trainer::TrainedModel& trained, const TopicPriors& priors) {
  const std::map<std::string, std::string> values = config::values(trained.settings.sections());
  const auto real = [&](const char* key) { return pickle::real(std::stod(values.at(key))); };
  Attributes attributes{
      {"dtype", float32()},
      {"id2word", pickle::none()},
      {"state", pickle::none()},
      {"dispatcher", pickle::none()},
      {"num_terms", pickle::integer(priors.words.size(-1))},
      {"num_topics", pickle::integer(priors.topics.numel())},
      {"alpha", array(priors.topics)},
      {"eta", array(priors.words)},
      {"optimize_alpha", pickle::boolean(false)},
      {"optimize_eta", pickle::boolean(false)},
      {"iterations", pickle::integer(std::stoll(values.at("model.max_iterations")))},
      {"gamma_threshold", real("model.tolerance")},
      {"decay", real("optimizer.forgetting_rate")},
      {"offset", real("optimizer.delay")},
      {"chunksize", pickle::integer(trained.settings.train.batch)},
      {"num_updates", pickle::integer(trained.checkpoint.state.step * trained.settings.train.batch)},
      {"passes", pickle::integer(1)},
      {"update_every", pickle::integer(1)},
      {"eval_every", pickle::none()},
      {"minimum_probability", pickle::real(0.01)},
      {"minimum_phi_value", pickle::real(0.01)},
      {"per_word_topics", pickle::boolean(false)},
      {"callbacks", pickle::none()},
      {"distributed", pickle::boolean(false)},
      {"numworkers", pickle::integer(1)},
      {"random_state",
       pickle::call(pickle::global("gensim.utils", "get_random_state"), {pickle::integer(1)})}};
  add_separate(attributes, "expElogbeta");
  return pickle::object(pickle::global("gensim.models.ldamodel", "LdaModel"), attributes);
}

}  // namespace

void export_gensim(trainer::TrainedModel& trained, const std::string& path) {
  if (path.ends_with(".gz") || path.ends_with(".bz2")) {
    throw Error(ExitCode::usage, "gensim would take {} for a compressed file; choose another ending", path);
  }
  const TopicPriors priors = topic_model_of(trained).priors(trained.parameters());
  const auto& facts = trained.checkpoint.facts;
  const std::string words = pickle::document(dictionary(facts.vocabulary, facts.training_rows));
  write_arrays(trained, priors, path);
  io::write_text(path + ".state", pickle::document(state(trained, priors)));
  io::write_text(path + ".id2word", words);
  io::write_text(path, pickle::document(lda_model(trained, priors)));
}

}  // namespace svi::cli
