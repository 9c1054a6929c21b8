#include "svi/data/fetch.hpp"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

#include "debian_archive.hpp"
#include "svi/base/error.hpp"
#include "svi/base/sha256.hpp"
#include "svi/base/units.hpp"
#include "svi/data/arff.hpp"
#include "svi/data/data_file.hpp"
#include "svi/data/descriptions.hpp"
#include "svi/data/import_idx.hpp"
#include "svi/data/import_text.hpp"
#include "svi/data/text_reader.hpp"

namespace svi::data {

namespace files = std::filesystem;

namespace {

using Say = std::function<void(const std::string&)>;

// The folder, log and lock of one fetch. The folder goes when the fetch ends, well or not.
class FetchFolder {
 public:
  FetchFolder(const std::string& directory, const std::string& name)
      : folder_(directory + "/.fetch-" + name), log_path_(directory + "/fetch-" + name + ".log") {
    std::error_code problem;
    files::create_directories(directory, problem);
    lock_ = open(log_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (lock_ < 0)
      throw Error(ExitCode::cannot_write, "cannot write {}: {}", log_path_, std::strerror(errno));
    if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
      close(lock_);
      throw Error(ExitCode::cannot_write, "another svi-data fetch {} is at work in {}", name, directory);
    }
    files::remove_all(folder_, problem);
    files::create_directory(folder_, problem);
    if (problem) {
      close(lock_);
      throw Error(ExitCode::cannot_write, "cannot make the folder {}: {}", folder_, problem.message());
    }
  }
  ~FetchFolder() {
    std::error_code ignored;
    files::remove_all(folder_, ignored);
    close(lock_);
  }
  FetchFolder(const FetchFolder&) = delete;
  FetchFolder& operator=(const FetchFolder&) = delete;

  const std::string& folder() const { return folder_; }
  const std::string& log_path() const { return log_path_; }

 private:
  std::string folder_;
  std::string log_path_;
  int lock_ = -1;
};

Corpus corpus_of(const std::vector<Document>& documents, const TextOptions& options) {
  CorpusBuilder builder(options);
  for (const Document& document : documents) {
    builder.begin(document.id);
    builder.add(document.text);
  }
  return builder.finish();
}

void write_corpus(const std::string& path, const Corpus& corpus, const Say& say) {
  const CountsSummary written = write_counts(path, corpus.rows, corpus.vocabulary, corpus.document_ids);
  say(fmt::format("wrote {}: {}", path, counts_text(written)));
}

struct PinnedFile {
  const char* name;
  const char* sha256;
};

// Zalando's files of 2017 as they have been distributed ever since; Xiao, Rasul, Vollgraf, arXiv 1708.07747.
constexpr PinnedFile train_images{"train-images-idx3-ubyte.gz",
                                  "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"};
constexpr PinnedFile train_labels{"train-labels-idx1-ubyte.gz",
                                  "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"};
constexpr PinnedFile test_images{"t10k-images-idx3-ubyte.gz",
                                 "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"};
constexpr PinnedFile test_labels{"t10k-labels-idx1-ubyte.gz",
                                 "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"};

std::string verified(const std::string& folder, const PinnedFile& file) {
  const std::string path = folder + "/" + file.name;
  const std::string found = sha256_of_file(path);
  if (found != file.sha256) {
    throw Error(ExitCode::bad_data,
                "{} has SHA-256 {}, expected {}: the package ships other data; nothing was imported",
                file.name, found, file.sha256);
  }
  return path;
}

void import_images(const std::string& folder, const PinnedFile& images, const PinnedFile& labels,
                   const std::string& output, const Say& say) {
  const DenseTable table = import_idx(verified(folder, images), verified(folder, labels));
  write_dense(output, table.rows, table.feature_shape);
  say(fmt::format("wrote {}: {} images of {} pixels with labels", output, count_text(table.rows.rows()),
                  fmt::join(table.feature_shape, "×")));
}

void fetch_fashion_mnist(const DebianArchive& archive, const std::vector<std::string>& outputs,
                         const Say& say) {
  say("downloading the package dataset-fashion-mnist (31 MB)");
  const std::string folder = archive.unpack("dataset-fashion-mnist") + "/usr/share/datasets/fashion-mnist";
  import_images(folder, train_images, train_labels, outputs[0], say);
  import_images(folder, test_images, test_labels, outputs[1], say);
}

void fetch_descriptions(const DebianArchive& archive, const std::vector<std::string>& outputs,
                        const Say& say) {
  const auto packages = archive.package_lists();
  const auto translations = archive.translations();
  if (packages.empty() || translations.empty()) {
    throw Error(ExitCode::missing_input,
                "apt-get update brought no package lists with English descriptions of Debian or "
                "Ubuntu: {} Packages, {} Translation-en files; is the network there?",
                packages.size(), translations.size());
  }
  say("reading the package descriptions");
  write_corpus(outputs[0], corpus_of(source_descriptions(packages, translations), {.min_df = 10}), say);
}

// SGML's entities, "&lt;" and "&#3;", become blanks.
std::string without_entities(std::string text) {
  for (std::size_t start = text.find('&'); start != std::string::npos; start = text.find('&', start + 1)) {
    const std::size_t end = text.find_first_not_of("#abcdefghijklmnopqrstuvwxyz0123456789", start + 1);
    if (end == std::string::npos || text[end] != ';') continue;
    for (std::size_t place = start; place <= end; ++place) text[place] = ' ';
  }
  return text;
}

// The distinct articles of two files: a repeated one would be trained on and held out.
void fetch_reuters(const DebianArchive& archive, const std::vector<std::string>& outputs, const Say& say) {
  say("downloading the package weka (7 MB), which holds Reuters articles as examples");
  const std::string folder = archive.unpack("weka") + "/usr/share/doc/weka/examples";
  std::vector<Document> documents;
  std::set<std::string> seen;
  for (const char* part : {"train", "test"}) {
    int number = 0;
    for (const std::string& text :
         read_arff_texts(fmt::format("{}/ReutersGrain-{}.arff", folder, part), "Text")) {
      ++number;
      if (seen.insert(text).second)
        documents.push_back({fmt::format("{}-{}", part, number), without_entities(text)});
    }
  }
  write_corpus(outputs[0], corpus_of(documents, {}), say);
}

// The newest kernel's documentation in the lists: "linux-doc-6.1".
std::string newest_linux_doc(const DebianArchive& archive) {
  std::pair<int, int> newest{0, 0};
  std::string package;
  for (const std::string& path : archive.package_lists()) {
    for_each_stanza(path, {"Package"}, [&](const Stanza& stanza) {
      std::pair<int, int> version;
      const std::string& name = stanza.at("Package");
      int length = 0;
      if (std::sscanf(name.c_str(), "linux-doc-%d.%d%n", &version.first, &version.second, &length) != 2 ||
          static_cast<std::size_t>(length) != name.size() || version <= newest)
        return;
      newest = version;
      package = name;
    });
  }
  if (package.empty())
    throw Error(ExitCode::missing_input, "the package lists that came have no package linux-doc-VERSION");
  return package;
}

// What people wrote to be read: neither schemas nor the HTML made of it, and in English only.
bool is_linux_document(const std::string& path) {
  return (path.ends_with(".rst.gz") || path.ends_with(".txt.gz") || path.ends_with(".rst") ||
          path.ends_with(".txt")) &&
         !path.starts_with("translations/");
}

// In alphabetical order of their paths, which are their ids ("mm/ksm.rst").
std::vector<Document> linux_documents(const std::string& folder) {
  std::vector<Document> documents;
  for (const auto& entry : files::recursive_directory_iterator(folder)) {
    std::string id = entry.path().lexically_relative(folder).string();
    if (!entry.is_regular_file() || entry.is_symlink() || !is_linux_document(id)) continue;
    if (id.ends_with(".gz")) id.resize(id.size() - 3);
    Document document{.id = id};
    for (TextReader reader(entry.path().string()); reader.next();)
      document.text.append(reader.line()).append("\n");
    documents.push_back(std::move(document));
  }
  std::ranges::sort(documents, {}, &Document::id);
  return documents;
}

void fetch_linux_doc(const DebianArchive& archive, const std::vector<std::string>& outputs, const Say& say) {
  const std::string package = newest_linux_doc(archive);
  say(fmt::format("downloading the package {} (37 MB or so)", package));
  const std::string folder =
      fmt::format("{}/usr/share/doc/{}/Documentation", archive.unpack(package), package);
  say("reading the documents");
  write_corpus(outputs[0], corpus_of(linux_documents(folder), {.min_df = 5}), say);
}

using Recipe = void (*)(const DebianArchive&, const std::vector<std::string>&, const Say&);

Recipe recipe_of(const std::string& name) {
  static const std::vector<std::pair<std::string, Recipe>> recipes{
      {"fashion-mnist", fetch_fashion_mnist},
      {"debian-descriptions", fetch_descriptions},
      {"linux-doc", fetch_linux_doc},
      {"reuters", fetch_reuters}};
  return std::find_if(recipes.begin(), recipes.end(),
                      [&](const auto& recipe) { return recipe.first == name; })
      ->second;
}

const FetchableSet& set_of(const std::string& name) {
  std::vector<std::string> names;
  for (const FetchableSet& set : fetchable_sets()) {
    if (set.name == name) return set;
    names.push_back(set.name);
  }
  throw Error(ExitCode::usage, "there is no data set \"{}\" to fetch; there are {}", name,
              fmt::join(names, ", "));
}

bool is_valid(const std::string& path) {
  try {
    return DataFile(path).facts().rows > 0;
  } catch (const Error&) {
    return false;
  }
}

// DataFile looks at structure; import replaces the file atomically, so what is there is whole.
bool are_there(const std::vector<std::string>& outputs, const Say& say) {
  for (const std::string& path : outputs) {
    if (!is_valid(path)) return false;
  }
  for (const std::string& path : outputs) say(fmt::format("{} is there and valid: kept", path));
  return true;
}

}  // namespace

const std::vector<FetchableSet>& fetchable_sets() {
  static const std::vector<FetchableSet> sets{
      {"fashion-mnist",
       "70,000 grey images of clothes, 28×28, with labels",
       {"fashion-mnist-train.h5", "fashion-mnist-test.h5"}},
      {"debian-descriptions",
       "the descriptions of Debian's packages, a document a source package",
       {"debian.h5"}},
      {"linux-doc", "the documentation of the Linux kernel, about 4,760 texts", {"linux-doc.h5"}},
      {"reuters", "2,151 newswire articles of 1987", {"reuters.h5"}}};
  return sets;
}

std::vector<std::string> fetch(const std::string& name, const std::string& directory, const Say& say) {
  const FetchableSet& set = set_of(name);
  const std::string folder = files::absolute(directory).lexically_normal().string();
  std::vector<std::string> outputs;
  for (const std::string& file : set.files) outputs.push_back((files::path(folder) / file).string());
  if (are_there(outputs, say)) return outputs;
  const FetchFolder workplace(folder, name);
  try {
    say("updating package lists of our own (apt-get update; nothing of the system's is changed)");
    const DebianArchive archive(workplace.folder(), workplace.log_path());
    recipe_of(name)(archive, outputs, say);
  } catch (const Error& error) {
    if (error.code() != ExitCode::missing_input) throw;
    throw Error(ExitCode::missing_input,
                "cannot fetch {} through the system's package manager: {}. On a system without apt or "
                "without network, "
                "bring the files by hand and use svi-data import",
                name, error.what());
  }
  return outputs;
}

}  // namespace svi::data
