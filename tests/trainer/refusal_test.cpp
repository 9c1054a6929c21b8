// svi-train on bad input: one message that suffices to mend it, and the documented exit code.
#include <fmt/format.h>

#include "svi/data/corpus.hpp"
#include "svi/data/data_file.hpp"
#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

class BadConfig : public RunFolder {
 protected:
  void expect_refused(const std::string& text, const std::vector<std::string>& parts) {
    SCOPED_TRACE(text.substr(0, 200));
    put_bytes(folder_ / "bad.yaml", text);
    const Outcome outcome = train(0, folder_ / "bad.yaml");
    expect_refusal(outcome, ExitCode::bad_config, parts);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
  }
};

TEST_F(BadConfig, ACommandLineThatIsWrong) {
  expect_refusal(train(0, ""), ExitCode::usage, {"config is required", "svi-train --help"});
  expect_refusal(train(0, lda() + " --frehs"), ExitCode::usage, {"--frehs", "svi-train --help"});
  expect_refusal(train(0, lda() + " --set train.batch"), ExitCode::usage, {"--set train.batch", "key=value"});
}

TEST_F(BadConfig, AFileThatIsMissing) {
  expect_refusal(train(0, folder_ / "nowhere.yaml"), ExitCode::missing_input, {folder_ / "nowhere.yaml"});
  expect_refusal(train(0, folder_.path().string()), ExitCode::missing_input, {"is a directory"});
}

TEST_F(BadConfig, AFileThatSaysNothing) {
  expect_refused("", {"bad.yaml", "is empty"});
  expect_refused("# later\n", {"bad.yaml", "is empty"});
  expect_refused("train: {batch: 3}\n", {"model.type is missing", "lda, m2, vae"});
  expect_refused("model: {type: lda}\n", {"data.train is missing", "svi-data"});
}

TEST_F(BadConfig, AnUnknownKeyNamesTheNearest) {
  const std::string text = bytes_of(lda());
  expect_refused(text + "device:\n  thread: 2\n", {"bad.yaml", "thread", "did you mean device.threads?"});
  expect_refused("model: {type: ldda}\n", {"model.type is ldda", "lda, m2, vae"});
  expect_refusal(train(0, lda() + " --set train.bacth=3"), ExitCode::bad_config,
                 {"--set train.bacth=3", "did you mean train.batch?"});
}

TEST_F(BadConfig, AValueOfTheWrongTypeOrRange) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases{
      {"train.batch=many", {"train.batch", "many"}},
      {"train.batch=1.5", {"train.batch", "1.5"}},
      {"train.batch=0", {"train.batch", "0", "at least 1"}},
      {"train.batch=[1,2]", {"train.batch", "[1, 2]"}},
      {"data.shards=2000000", {"data.shards", "1048576"}},
      {"data.validation.fraction=1", {"data.validation.fraction"}},
      {"model.topics=-3", {"model.topics", "-3"}},
      {"model.alpha=nan", {"model.alpha"}},
      {"optimizer.forgetting_rate=2", {"optimizer.forgetting_rate", "2"}},
      {"communication.backend=tcp", {"communication.backend", "tcp", "auto, mpi, single"}},
      {"communication.reduction=reproducible", {"communication.reduction", "reproducible"}},
      {"run.name=a/b", {"run.name", "a/b"}},
      {"run.name=..", {"run.name", "\"..\""}}};
  for (const auto& [assignment, parts] : cases) {
    SCOPED_TRACE(assignment);
    expect_refusal(train(0, lda() + " --set " + assignment), ExitCode::bad_config, parts);
  }
}

TEST_F(BadConfig, YamlThatAttacks) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char name = 'b'; name < 'j'; ++name) {
    const std::string before(1, static_cast<char>(name - 1));
    bomb += fmt::format("{0}: &{0} [*{1},*{1},*{1},*{1},*{1},*{1},*{1},*{1},*{1}]\n", name, before);
  }
  expect_refused(bomb, {"bad.yaml", "anchor"});
  expect_refused("&a [*a]", {"bad.yaml"});
  std::string nested;
  for (int depth = 0; depth < 10000; ++depth) nested += "{a: ";
  expect_refused(nested + std::string(10000, '}'), {"bad.yaml", "16"});
  expect_refused("train: " + std::string(20000, '['), {"bad.yaml:1"});
  expect_refused("train: {batch: 1, batch: 2}", {"train.batch", "twice"});
  expect_refused("# " + std::string(1 << 20, 'x'), {"bad.yaml", "1 MiB"});
  expect_refused(std::string("model: \0", 8), {"bad.yaml", "0x00"});
}

TEST_F(BadConfig, LdaWithAdam) {
  expect_refusal(train(0, lda() + " --set optimizer.type=adam"), ExitCode::bad_config,
                 {"optimizer.type adam", "model.type lda", "use robbins_monro"});
}

TEST_F(BadConfig, ADeviceOrBackendThatIsNotThere) {
  expect_refusal(train(0, lda() + " --set device.type=cuda"), ExitCode::bad_config, {"without CUDA", "cpu"});
  expect_refusal(train(0, lda() + " --set communication.backend=mpi"), ExitCode::bad_config, {"mpirun"});
}

TEST_F(BadConfig, AModelThatNoMemoryHolds) {
  const std::string enormous = vae() + " --set model.encoder=[1000000,1000000] ";
  expect_refusal(train(0, enormous), ExitCode::bad_config, {"parameters", "14.55 TiB per rank", "smaller"});
  expect_refusal(train(0, enormous + "--dry-run"), ExitCode::bad_config, {"this host has", "smaller"});
}

TEST_F(BadConfig, MoreStepsThanCanBeCounted) {
  for (const std::string& key : {std::string("train.epochs"), std::string("evaluation.every_epochs")}) {
    expect_refusal(train(0, lda() + " --set train.steps=0 --set " + key + "=4611686018427387905"),
                   ExitCode::bad_config, {key, "9 steps an epoch"});
  }
}

TEST_F(BadConfig, OneOfSeveralRanksThatKnowNothingOfEachOther) {
  const Outcome singleton = train(0, lda(), "OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=0");
  expect_refusal(singleton, ExitCode::usage, {"OMPI_COMM_WORLD_SIZE=2", "MPI found 1", "mpirun"});
  expect_refusal(train(0, lda(), "SLURM_NTASKS=4 SLURM_PROCID=0"), ExitCode::usage,
                 {"SLURM_NTASKS=4", "srun"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

class BadData : public RunFolder {};

TEST_F(BadData, AFileThatIsMissingOrNoData) {
  const auto with = [&](const std::string& path) { return train(0, lda() + " --set data.train=" + path); };
  expect_refusal(with(folder_ / "nowhere.h5"), ExitCode::missing_input,
                 {"data.train", folder_ / "nowhere.h5", "svi-data fetch"});
  for (const std::string& key : {std::string("data.test"), std::string("data.validation")}) {
    const std::string other = lda() + " --set " + key + "=nowhere.h5";
    expect_refusal(train(0, other), ExitCode::missing_input, {key, "nowhere.h5"});
    expect_refusal(train(0, other + " --dry-run"), ExitCode::missing_input, {key, "nowhere.h5"});
  }
  expect_refusal(with(folder_ / "lda.yaml"), ExitCode::bad_data, {"lda.yaml", "HDF5"});
  expect_refusal(with(folder_.path().string()), ExitCode::missing_input, {folder_.path().string()});
  const std::string bytes = bytes_of(folder_ / "documents.h5");
  put_bytes(folder_ / "half.h5", bytes.substr(0, bytes.size() / 2));
  expect_refusal(with(folder_ / "half.h5"), ExitCode::bad_data, {"half.h5"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(BadData, WithoutAWord) {
  CountRows rows;
  for (std::int32_t row = 0; row < 20; ++row) {
    rows.words.push_back(row % 3);
    rows.counts.push_back(0);
    data::end_row(rows);
  }
  data::write_counts(folder_ / "zeros.h5", rows, {"a", "b", "c"}, {});
  expect_refusal(train(2, lda() + " --set data.train=" + (folder_ / "zeros.h5")), ExitCode::bad_data,
                 {"data.train", "zeros.h5", "all of its counts are zero"});
}

// The size of a text in HDF5's heap: some of these make its library crash, one is inside the padding.
TEST_F(BadData, WithDamagedTexts) {
  lda();
  const std::string whole = bytes_of(folder_ / "documents.h5");
  const std::size_t heap = whole.find("GCOL");
  ASSERT_NE(heap, std::string::npos);
  int refused = 0;
  for (std::size_t byte = heap + 24; byte < heap + 28; ++byte) {
    std::string damaged = whole;
    damaged[byte] = static_cast<char>(damaged[byte] ^ 1);
    put_bytes(folder_ / "damaged.h5", damaged);
    const Outcome outcome = train(0, lda() + " --dry-run --set data.train=" + (folder_ / "damaged.h5"));
    if (outcome.exit_code == 0) continue;
    expect_refusal(outcome, ExitCode::bad_data, {"damaged.h5"});
    ++refused;
  }
  EXPECT_GE(refused, 3);
}

TEST_F(BadData, OfTheOtherLayout) {
  lda();
  vae();
  expect_refusal(train(0, lda() + " --set data.train=" + (folder_ / "images.h5")), ExitCode::bad_data,
                 {"data.train", "images.h5 holds dense rows", "needs word counts"});
  expect_refusal(train(0, vae() + " --set data.train=" + (folder_ / "documents.h5")), ExitCode::bad_data,
                 {"data.train", "documents.h5 holds word counts", "needs dense rows"});
  expect_refusal(train(0, vae() + " --set data.test=" + (folder_ / "documents.h5")), ExitCode::bad_data,
                 {"data.test", "documents.h5 holds word counts"});
}

TEST_F(BadData, ForEvaluationThatIsUnlikeTheTrainingData) {
  write_images(folder_ / "larger.h5", 20, 7, 2);
  expect_refusal(train(0, vae() + " --set data.test=" + (folder_ / "larger.h5")), ExitCode::bad_data,
                 {"data.test", "larger.h5", "[7, 7]", "[6, 6]"});
  write_documents(folder_ / "other.h5", 20, 80, 2, "name");
  const std::string validation = " --set data.validation=" + (folder_ / "other.h5");
  expect_refusal(train(0, lda() + validation), ExitCode::bad_data,
                 {"data.validation", "word 0", "\"name0\"", "\"word0\"", "one vocabulary"});
  write_documents(folder_ / "fewer.h5", 20, 40, 2);
  expect_refusal(train(0, lda() + " --set data.test=" + (folder_ / "fewer.h5")), ExitCode::bad_data,
                 {"data.test", "[40]", "[80]"});
}

TEST_F(BadData, FromWhichTheModelCannotCome) {
  write_measurements(folder_ / "measured.h5", 50, 4, 3);
  expect_refusal(train(0, vae() + " --set data.train=" + (folder_ / "measured.h5")), ExitCode::bad_data,
                 {"bernoulli", "gaussian"});
  write_measurements(folder_ / "shares.h5", 50, 4, 1);
  expect_refusal(train(0, vae() + " --set data.train=" + (folder_ / "shares.h5") + " --set data.test=" +
                              (folder_ / "measured.h5")),
                 ExitCode::bad_data, {"data.test", "bernoulli", "gaussian"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/checkpoints"));
}

class BadRunDirectory : public RunFolder {};

TEST_F(BadRunDirectory, WithoutAName) {
  expect_refusal(train(0, lda() + " --run-dir ''"), ExitCode::usage, {"--run-dir is empty"});
}

TEST_F(BadRunDirectory, FreshRefusesARunThatHasNoCheckpointYet) {
  std::filesystem::create_directories(folder_ / "run/checkpoints");
  put_bytes(folder_ / "run/checkpoints/.step-000000000002.h5.tmp-1-2", "unfinished");
  put_bytes(folder_ / "run/metrics.jsonl", "{}\n");
  expect_refusal(train(0, lda() + " --fresh"), ExitCode::cannot_write, {folder_ / "run", "--fresh"});
  EXPECT_EQ(bytes_of(folder_ / "run/metrics.jsonl"), "{}\n");
  std::filesystem::remove(folder_ / "run/metrics.jsonl");
  EXPECT_EQ(train(0, lda() + " --fresh").exit_code, 0);
}

TEST_F(BadRunDirectory, ThatCannotBeMade) {
  for (const std::string& path : {lda() + "/run", std::string("/proc/run"), std::string("/dev/full")}) {
    SCOPED_TRACE(path);
    expect_refusal(train(0, lda() + " --run-dir " + path), ExitCode::cannot_write, {path});
  }
}

TEST_F(BadRunDirectory, FreshRefusesToOverwrite) {
  ASSERT_EQ(train(0, lda() + " --fresh").exit_code, 0);
  const std::string metrics = bytes_of(folder_ / "run/metrics.jsonl");
  expect_refusal(train(0, lda() + " --fresh"), ExitCode::cannot_write,
                 {folder_ / "run", "--fresh", "--run-dir"});
  EXPECT_EQ(bytes_of(folder_ / "run/metrics.jsonl"), metrics);
}

}  // namespace
}  // namespace svi::test
