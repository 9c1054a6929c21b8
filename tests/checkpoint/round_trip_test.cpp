// What is written is what is read, to the bit, and other programs can read it too.
#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>

#include "checkpoint/sample.hpp"
#include "svi/base/sha256.hpp"

namespace svi::checkpoint::test {
namespace {

// Bits, since NaN differs from itself.
std::string bits(const ParameterSet& set) {
  std::string bytes;
  for (std::size_t i = 0; i < set.shapes().size(); ++i) {
    bytes.append(static_cast<const char*>(set.view(i).data_ptr()), set.view(i).nbytes());
  }
  return bytes;
}

std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  char block[4096];
  for (std::size_t count = 0; (count = fread(block, 1, sizeof block, pipe)) > 0;) output.append(block, count);
  EXPECT_EQ(pclose(pipe), 0) << command << "\n" << output;
  return output;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

void expect_equal(const Checkpoint& a, const Checkpoint& b) {
  EXPECT_EQ(a.facts.model, b.facts.model);
  EXPECT_EQ(a.facts.tool_version, b.facts.tool_version);
  EXPECT_EQ(a.facts.config_yaml, b.facts.config_yaml);
  EXPECT_EQ(a.facts.data_sha256, b.facts.data_sha256);
  EXPECT_EQ(a.facts.training_rows, b.facts.training_rows);
  EXPECT_EQ(a.facts.ranks_at_save, b.facts.ranks_at_save);
  EXPECT_EQ(a.facts.epoch, b.facts.epoch);
  EXPECT_EQ(a.facts.metrics, b.facts.metrics);
  EXPECT_EQ(a.facts.feature_shape, b.facts.feature_shape);
  EXPECT_EQ(a.facts.vocabulary, b.facts.vocabulary);
  EXPECT_EQ(a.facts.word_priors, b.facts.word_priors);
  EXPECT_EQ(a.state.step, b.state.step);
  EXPECT_EQ(a.state.seed, b.state.seed);
  EXPECT_EQ(a.state.previous_means, b.state.previous_means);
  EXPECT_EQ(a.state.watched, b.state.watched);
  EXPECT_EQ(a.state.skipped_steps, b.state.skipped_steps);
  EXPECT_EQ(a.state.training_seconds, b.state.training_seconds);
  EXPECT_EQ(a.state.best_value, b.state.best_value);
  EXPECT_EQ(a.state.best_step, b.state.best_step);
  EXPECT_EQ(a.state.parameters.shapes(), b.state.parameters.shapes());
  EXPECT_EQ(a.state.parameters.flat().scalar_type(), b.state.parameters.flat().scalar_type());
  EXPECT_EQ(bits(a.state.parameters), bits(b.state.parameters));
  ASSERT_EQ(a.state.optimizer.size(), b.state.optimizer.size());
  for (const auto& [name, set] : a.state.optimizer) {
    EXPECT_EQ(set.shapes(), b.state.optimizer.at(name).shapes());
    EXPECT_EQ(bits(set), bits(b.state.optimizer.at(name)));
  }
}

Checkpoint written_and_read(const Checkpoint& checkpoint) {
  const Folder folder;
  write_checkpoint(folder / "a.h5", checkpoint);
  return read_checkpoint(folder / "a.h5");
}

TEST(RoundTrip, KeepsEveryField) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    Checkpoint checkpoint = sample_checkpoint(7, type);
    expect_equal(checkpoint, written_and_read(checkpoint));
    checkpoint.state.best_value = -101.125;
    checkpoint.state.best_step = 5;
    checkpoint.state.skipped_steps = 3;
    checkpoint.state.watched = {{"collapsed", {0, 1, 0}}, {"window_rows", {12800}}};
    expect_equal(checkpoint, written_and_read(checkpoint));
  }
}

TEST(RoundTrip, KeepsEveryBitOfUnusualValues) {
  Checkpoint checkpoint = sample_checkpoint();
  auto* values = checkpoint.state.parameters["encoder.0/weight"].mutable_data_ptr<float>();
  const std::uint32_t patterns[] = {0x80000000, 0x00000001, 0x7f800000, 0xff800000, 0x7fc00123, 0x7f7fffff};
  for (const std::uint32_t pattern : patterns) *values++ = std::bit_cast<float>(pattern);
  checkpoint.facts.metrics = {{"inf", std::numeric_limits<double>::infinity()}, {"tiny", 5e-324}};
  checkpoint.facts.epoch = 1.0 / 3;
  expect_equal(checkpoint, written_and_read(checkpoint));
}

TEST(RoundTrip, KeepsAStateWithoutAnything) {
  Checkpoint checkpoint;
  checkpoint.state.parameters = ParameterSet({{"lambda", {2, 3}}});
  expect_equal(checkpoint, written_and_read(checkpoint));
}

// A matrix lies in memory as its transpose, but in files as itself: row after row.
TEST(OtherPrograms, H5dumpShowsMatricesRowByRow) {
  Checkpoint checkpoint;
  checkpoint.state.parameters = ParameterSet({{"weight", {2, 3}}});
  const Tensor& weight = checkpoint.state.parameters["weight"];
  EXPECT_EQ(weight.stride(0), 1);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j) weight[i][j] = 10 * i + j;
  const Folder folder;
  write_checkpoint(folder / "a.h5", checkpoint);
  const std::string listing = output_of("h5dump -y -w 0 -d /parameters/weight " + folder / "a.h5");
  EXPECT_NE(listing.find("0, 1, 2,"), std::string::npos) << listing;
  EXPECT_NE(listing.find("10, 11, 12"), std::string::npos) << listing;
  const Checkpoint read = read_checkpoint(folder / "a.h5");
  EXPECT_EQ(read.state.parameters["weight"][1][2].item<float>(), 12);
}

TEST(RoundTrip, KeepsScalarAndEmptyTensors) {
  Checkpoint checkpoint;
  checkpoint.state.parameters = ParameterSet({{"eta", {}}, {"none", {0, 4}}, {"one", {1}}});
  fill(checkpoint.state.parameters, 0.25);
  expect_equal(checkpoint, written_and_read(checkpoint));
}

TEST(RoundTrip, KeepsTensorsOfManyChunks) {
  Checkpoint checkpoint;
  checkpoint.state.parameters =
      ParameterSet({{"lambda", {3001, 257}}, {"long", {700001}}, {"wide", {3, 600007}}});
  fill(checkpoint.state.parameters, 1);
  expect_equal(checkpoint, written_and_read(checkpoint));
}

TEST(RoundTrip, KeepsEveryKindOfWord) {
  Checkpoint checkpoint = sample_checkpoint();
  checkpoint.facts.vocabulary = {"", "a b", "日本語", std::string(3000, 'x'), "q"};
  checkpoint.facts.config_yaml = std::string(100000, 'c');  // more than an attribute can hold
  expect_equal(checkpoint, written_and_read(checkpoint));
}

TEST(RoundTrip, KeepsPriorsOfWords) {
  Checkpoint checkpoint = sample_checkpoint();
  checkpoint.facts.word_priors = {{0, WordPrior::all_topics, 0.1}, {0, 7, 5e-324}, {2, 0, 1.0 / 3}};
  expect_equal(checkpoint, written_and_read(checkpoint));
}

TEST(RoundTrip, EqualContentsGiveEqualBytes) {
  const Folder folder;
  write_checkpoint(folder / "a.h5", sample_checkpoint());
  write_checkpoint(folder / "b.h5", sample_checkpoint());
  EXPECT_EQ(read_bytes(folder / "a.h5"), read_bytes(folder / "b.h5"));
  write_checkpoint(folder / "b.h5", sample_checkpoint(8));
  EXPECT_NE(read_bytes(folder / "a.h5"), read_bytes(folder / "b.h5"));
}

// The seal is as docs/checkpoint.md says, by another implementation of it.
TEST(Seal, HoldsLengthAndDigestOfTheRest) {
  const Folder folder;
  write_checkpoint(folder / "a.h5", sample_checkpoint());
  const std::string bytes = read_bytes(folder / "a.h5");
  const std::string digest = output_of("tail -c +513 " + folder / "a.h5" + " | sha256sum").substr(0, 64);
  std::string expected =
      "svi-train checkpoint 1\nlength " + std::to_string(bytes.size()) + "\nsha256 " + digest + "\n";
  expected.resize(512, '\0');
  EXPECT_EQ(bytes.substr(0, 512), expected);
  EXPECT_EQ(bytes.substr(512, 8), "\x89HDF\r\n\x1a\n");
}

TEST(OtherPrograms, H5dumpShowsTheLayoutOfTheDesign) {
  const Folder folder;
  const Checkpoint checkpoint = sample_checkpoint();
  write_checkpoint(folder / "a.h5", checkpoint);
  const std::string listing = output_of("h5dump -A -p " + folder / "a.h5");
  for (const char* attribute :
       {"format", "schema_major", "schema_minor", "tool_version", "model", "step", "epoch", "seed",
        "ranks_at_save", "config_sha256", "data_sha256", "parameters_hash"}) {
    EXPECT_EQ(count_of(listing, "   ATTRIBUTE \"" + std::string(attribute) + "\" {"),
              attribute == std::string("step")   ? 3U
              : attribute == std::string("seed") ? 2U
                                                 : 1U)
        << attribute;
  }
  for (const char* group : {"parameters", "encoder.0", "optimizer", "first_moment", "sampler", "schedule",
                            "metrics", "config", "data"}) {
    EXPECT_GE(count_of(listing, "GROUP \"" + std::string(group) + "\""), 1U) << group;
  }
  EXPECT_NE(listing.find(parameters_hash(checkpoint.state)), std::string::npos);
  EXPECT_NE(listing.find("9000000000000000"), std::string::npos) << "the seed";
  EXPECT_EQ(count_of(listing, "CHECKSUM FLETCHER32"), count_of(listing, "DATASET \"")) << listing;
  EXPECT_EQ(count_of(listing, "COMPRESSION DEFLATE"), 0U);
  EXPECT_EQ(count_of(listing, "H5T_VARIABLE"), 0U);
  EXPECT_EQ(count_of(listing, "\"scale_factor\""), count_of(listing, "\"add_offset\""));
  EXPECT_EQ(count_of(listing, "\"scale_factor\""), 12U);
}

TEST(OtherPrograms, H5dumpShowsTheValues) {
  const Folder folder;
  write_checkpoint(folder / "a.h5", sample_checkpoint());
  const std::string listing = output_of("h5dump -d /parameters/encoder.0/bias " + folder / "a.h5");
  EXPECT_NE(listing.find("8, 8.00098, 8.00195, 8.00293, 8.00391"), std::string::npos) << listing;
  EXPECT_NE(output_of("h5dump -d /config/yaml " + folder / "a.h5").find("run: {name: sample}"),
            std::string::npos);
}

// The digest by hand, from its definition in docs/checkpoint.md.
TEST(ParametersHash, IsTheDigestOfNamesShapesTypesAndBytes) {
  TrainingState state;
  state.parameters = ParameterSet({{"a/b", {2}}});
  state.parameters["a/b"].mutable_data_ptr<float>()[1] = 1.0F;
  state.optimizer["m"] = state.parameters.zeros_like();
  const auto integer = [](char value) { return std::string(1, value) + std::string(7, '\0'); };
  const auto text = [&](const std::string& words) {
    return integer(static_cast<char>(words.size())) + words;
  };
  const std::string head = integer(1) + text("a/b") + text("float32") + integer(1) + integer(2);
  const std::string expected = text("parameters") + head + std::string(4, '\0') +
                               std::string("\0\0\x80\x3f", 4) + integer(1) + text("m") + head +
                               std::string(8, '\0');
  EXPECT_EQ(parameters_hash(state), Sha256().add(std::as_bytes(std::span(expected))).finish_hex());
}

TEST(ParametersHash, SeesParametersAndOptimizerAlone) {
  const TrainingState base = sample_checkpoint().state;
  const std::string hash = parameters_hash(base);

  TrainingState same = sample_checkpoint().state;
  same.step = 99;
  same.seed = 1;
  same.training_seconds = 3;
  same.best_value = 1;
  same.previous_means.clear();
  same.parameters.flat().mutable_data_ptr<float>()[15] =
      5;  // padding after the 15 elements of the first tensor
  EXPECT_EQ(parameters_hash(same), hash);

  TrainingState other = sample_checkpoint().state;
  other.parameters["alpha"].mutable_data_ptr<float>()[6] *= -1;
  EXPECT_NE(parameters_hash(other), hash);
  other = sample_checkpoint().state;
  other.optimizer["second_moment"]["alpha"].mutable_data_ptr<float>()[0] = std::nextafter(7.5F, 8.F);
  EXPECT_NE(parameters_hash(other), hash);
  other = sample_checkpoint().state;
  other.optimizer.erase("second_moment");
  EXPECT_NE(parameters_hash(other), hash);
  EXPECT_NE(parameters_hash(sample_checkpoint(7, at::kDouble).state), hash);

  TrainingState renamed;
  renamed.parameters = ParameterSet({{"a", {4}}});
  TrainingState reshaped;
  reshaped.parameters = ParameterSet({{"a", {2, 2}}});
  TrainingState plain;
  plain.parameters = ParameterSet({{"b", {4}}});
  EXPECT_NE(parameters_hash(renamed), parameters_hash(reshaped));
  EXPECT_NE(parameters_hash(renamed), parameters_hash(plain));
}

}  // namespace
}  // namespace svi::checkpoint::test
