// Files that are not what was written: all of them are refused, with the reason.
#include <array>
#include <functional>
#include <random>

#include "checkpoint/forge.hpp"

namespace svi::checkpoint::test {
namespace {

// A forged file: a valid checkpoint, changed by HDF5 itself, with a digest that fits.
class Forged : public testing::Test {
 protected:
  void SetUp() override { write_checkpoint(path_, sample_checkpoint()); }

  void change(const std::function<void(hid_t file)>& action) {
    const hid_t file = H5Fopen(path_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    ASSERT_GE(file, 0);
    action(file);
    ASSERT_GE(H5Fclose(file), 0);
    reseal(path_);
  }

  Folder folder_;
  std::string path_ = folder_ / "a.h5";
};

void set_text(hid_t file, const char* name, const std::string& text) {
  H5Adelete(file, name);
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, text.size());
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  ASSERT_GE(H5Awrite(attribute, type, text.data()), 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

// A data set in place of the one at `path`; `properties` may be H5P_DEFAULT.
void replace_dataset(hid_t file, const char* path, hid_t type, const std::vector<hsize_t>& shape,
                     hid_t properties) {
  H5Ldelete(file, path, H5P_DEFAULT);
  const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t dataset = H5Dcreate2(file, path, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  ASSERT_GE(dataset, 0) << path;
  H5Sclose(space);
  const hid_t scalar = H5Screate(H5S_SCALAR);
  const std::array<std::pair<const char*, double>, 3> attributes{
      {{"position", 3}, {"scale_factor", 1}, {"add_offset", 0}}};
  for (const auto& [name, value] : attributes) {
    const hid_t stored = name == std::string("position") ? H5T_STD_I64LE : H5T_IEEE_F64LE;
    const hid_t attribute = H5Acreate2(dataset, name, stored, scalar, H5P_DEFAULT, H5P_DEFAULT);
    ASSERT_GE(H5Awrite(attribute, H5T_NATIVE_DOUBLE, &value), 0);
    H5Aclose(attribute);
  }
  H5Sclose(scalar);
  ASSERT_GE(H5Dclose(dataset), 0);
}

hid_t chunked(hsize_t chunk) {
  const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(properties, 1, &chunk);
  return properties;
}

TEST(Damaged, TruncatedAnywhereIsRefused) {
  const Folder folder;
  const std::string path = folder / "a.h5";
  write_checkpoint(path, sample_checkpoint());
  const std::string bytes = read_bytes(path);
  std::vector<std::size_t> lengths{1, 20, 21, 22, 30, 100, 511, 512, 513, 520, 608, bytes.size() - 1};
  for (std::size_t length = 700; length < bytes.size(); length += bytes.size() / 60)
    lengths.push_back(length);
  for (const std::size_t length : lengths) {
    write_bytes(path, bytes.substr(0, length));
    expect_refused(path, length < 21 ? "not a checkpoint" : "truncated");
  }
  write_bytes(path, bytes + '\0');
  expect_refused(path, "bytes, but");
  write_bytes(path, bytes);
  EXPECT_EQ(read_checkpoint(path).state.step, 7);
}

TEST(Damaged, EveryFlippedBitIsFound) {
  const Folder folder;
  const std::string path = folder / "a.h5";
  write_checkpoint(path, sample_checkpoint());
  const std::string bytes = read_bytes(path);
  std::mt19937_64 random(20240607);
  for (int flip = 0; flip < 400; ++flip) {
    // A quarter of them within the seal itself, its padding included.
    const std::size_t place = random() % (flip % 4 == 0 ? 512 : bytes.size());
    std::string flipped = bytes;
    flipped[place] = static_cast<char>(flipped[place] ^ (1 << (random() % 8)));
    write_bytes(path, flipped);
    SCOPED_TRACE(fmt::format("byte {}", place));
    expect_refused(path, "");
  }
}

TEST(Damaged, FletcherFindsWhatADigestThatFitsHides) {
  const Folder folder;
  const std::string path = folder / "a.h5";
  write_checkpoint(path, sample_checkpoint());
  std::string bytes = read_bytes(path);
  const float value = 7 + 3 + 6 / 1024.F;  // the last of /parameters/alpha
  const std::size_t place = bytes.find(std::string(reinterpret_cast<const char*>(&value), 4));
  ASSERT_NE(place, std::string::npos);
  bytes[place + 1] = static_cast<char>(bytes[place + 1] ^ 4);
  write_bytes(path, bytes);
  reseal(path);
  expect_refused(path, "alpha");
}

TEST(NotACheckpoint, IsNamedAsSuch) {
  const Folder folder;
  const std::string path = folder / "a.h5";
  expect_refused(path, "there is no checkpoint", ExitCode::missing_input);
  write_bytes(path, "");
  expect_refused(path, "not a checkpoint");
  write_bytes(path, "model: vae\n" + std::string(5000, 'x'));
  expect_refused(path, "not a checkpoint");
  std::filesystem::create_directory(folder / "folder.h5");
  expect_refused(folder / "folder.h5", "not a file");

  H5Fclose(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  expect_refused(path, "not a checkpoint");
  const hid_t with_block = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_userblock(with_block, 512);
  H5Fclose(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, with_block, H5P_DEFAULT));
  H5Pclose(with_block);
  expect_refused(path, "not a checkpoint");
  reseal(path);
  expect_refused(path, "format");
  write_bytes(path, std::string(5000, 'x'));
  reseal(path);
  expect_refused(path, "not an HDF5 file");
}

TEST(NotACheckpoint, NewerSealIsNamedAsSuch) {
  const Folder folder;
  const std::string path = folder / "a.h5";
  write_checkpoint(path, sample_checkpoint());
  std::string bytes = read_bytes(path);
  write_bytes(path, bytes.replace(bytes.find('1'), 1, "2"));
  expect_refused(path, "newer svi-train");
}

TEST_F(Forged, UnchangedIsRead) {
  change([](hid_t) {});
  EXPECT_EQ(parameters_hash(read_checkpoint(path_).state), parameters_hash(sample_checkpoint().state));
}

TEST_F(Forged, OtherSchemaAndFormat) {
  change([](hid_t file) { set_number(file, ".", "schema_major", std::int64_t{2}); });
  expect_refused(path_, "newer than the 1 known here; use the svi-train 0.1.0");
  change([](hid_t file) { set_number(file, ".", "schema_major", std::int64_t{0}); });
  expect_refused(path_, "schema_major 0; expected 1");
  change([](hid_t file) { set_text(file, "format", "other"); });
  expect_refused(path_, "format other; expected svi-train");
  change([](hid_t file) { H5Adelete(file, "format"); });
  expect_refused(path_, "\"format\" is missing");
}

TEST_F(Forged, LaterMinorSchemaIsRead) {
  change([](hid_t file) { set_number(file, ".", "schema_minor", std::int64_t{7}); });
  EXPECT_EQ(read_checkpoint(path_).state.step, 7);
}

TEST_F(Forged, NumbersThatDoNotFitTogether) {
  change([](hid_t file) { set_number(file, ".", "step", std::int64_t{-1}); });
  expect_refused(path_, "step -1; expected at least 0");
  change([](hid_t file) { set_number(file, ".", "step", std::int64_t{8}); });
  expect_refused(path_, "/sampler has step 7; expected 8");
  change([](hid_t file) {
    set_number(file, ".", "step", std::int64_t{7});
    set_number(file, ".", "ranks_at_save", std::int64_t{0});
  });
  expect_refused(path_, "ranks_at_save 0");
}

TEST_F(Forged, HashesThatDoNotFit) {
  change([](hid_t file) { set_text(file, "parameters_hash", std::string(64, 'a')); });
  expect_refused(path_, "parameters_hash");
  write_checkpoint(path_, sample_checkpoint());
  change([](hid_t file) { set_text(file, "config_sha256", std::string(64, 'a')); });
  expect_refused(path_, "config_sha256");
}

TEST_F(Forged, UnknownNames) {
  for (const char* name : {"/extra", "/data/extra", "/config/extra", "/metrics/extra", "/sampler/extra"}) {
    write_checkpoint(path_, sample_checkpoint());
    change([&](hid_t file) { H5Gclose(H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)); });
    expect_refused(path_, "\"extra\"");
  }
}

TEST_F(Forged, MissingGroups) {
  for (const char* name :
       {"parameters", "optimizer", "sampler", "schedule", "metrics", "config", "data", "previous_means"}) {
    write_checkpoint(path_, sample_checkpoint());
    change([&](hid_t file) { H5Ldelete(file, name, H5P_DEFAULT); });
    expect_refused(path_, fmt::format("/{}: missing", name));
  }
}

TEST_F(Forged, WrongTypesOfTensors) {
  const hid_t allocated = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_alloc_time(allocated, H5D_ALLOC_TIME_EARLY);
  change([&](hid_t file) { replace_dataset(file, "/parameters/alpha", H5T_STD_I32LE, {7}, allocated); });
  expect_refused(path_, "alpha holds int32; expected float32 or float64");
  change([&](hid_t file) { replace_dataset(file, "/parameters/alpha", H5T_IEEE_F64LE, {7}, allocated); });
  expect_refused(path_, "alpha holds float64, but the tensors before it float32");
  H5Pclose(allocated);
  write_checkpoint(path_, sample_checkpoint());
  change([](hid_t file) {
    H5Ldelete(file, "/parameters/alpha", H5P_DEFAULT);
    H5Gclose(H5Gcreate2(file, "/parameters/alpha", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  });
  expect_refused(path_, "parameters_hash");
}

TEST_F(Forged, WrongRankOfLists) {
  change([](hid_t file) {
    replace_dataset(file, "/data/feature_shape", H5T_STD_I64LE, {1, 2}, H5P_DEFAULT);
  });
  expect_refused(path_, "feature_shape");
  write_checkpoint(path_, sample_checkpoint());
  change([](hid_t file) { replace_dataset(file, "/data/vocabulary", H5T_STD_I64LE, {2}, H5P_DEFAULT); });
  expect_refused(path_, "vocabulary");
}

TEST_F(Forged, PriorsOfWords) {
  Checkpoint checkpoint = sample_checkpoint();
  checkpoint.facts.word_priors = {{0, 1, 0.5}, {2, 0, 1}};
  const auto refuse = [&](const std::string& says, const std::function<void(hid_t)>& forge) {
    write_checkpoint(path_, checkpoint);
    change(forge);
    expect_refused(path_, says);
  };
  refuse("weights", [](hid_t file) {
    replace_dataset(file, "/data/word_priors/weights", H5T_IEEE_F64LE, {1}, H5P_DEFAULT);
  });
  refuse("words", [](hid_t file) {
    replace_dataset(file, "/data/word_priors/words", H5T_IEEE_F64LE, {2}, H5P_DEFAULT);
  });
  refuse("topics", [](hid_t file) { H5Ldelete(file, "/data/word_priors/topics", H5P_DEFAULT); });
}

TEST_F(Forged, TextsOfVariableLength) {
  change([](hid_t file) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    replace_dataset(file, "/data/vocabulary", type, {0}, H5P_DEFAULT);
    H5Tclose(type);
  });
  expect_refused(path_, "vocabulary");
}

// Terabytes that the file does not hold: refused before anything is allocated.
TEST_F(Forged, HugeSizes) {
  for (const std::vector<hsize_t>& shape : {std::vector<hsize_t>{hsize_t{1} << 40},
                                            {hsize_t{1} << 31, hsize_t{1} << 31},
                                            {hsize_t{1} << 20, hsize_t{1} << 20, hsize_t{1} << 20}}) {
    change([&](hid_t file) {
      const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
      std::vector<hsize_t> chunk(shape.size(), 2);
      H5Pset_chunk(properties, static_cast<int>(chunk.size()), chunk.data());
      replace_dataset(file, "/parameters/alpha", H5T_IEEE_F32LE, shape, properties);
      H5Pclose(properties);
    });
    expect_refused(path_, "alpha");
  }
}

TEST_F(Forged, HugeText) {
  change([](hid_t file) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, std::size_t{1} << 31);
    const hid_t properties = chunked(1);
    replace_dataset(file, "/data/vocabulary", type, {1}, properties);
    H5Pclose(properties);
    H5Tclose(type);
  });
  expect_refused(path_, "vocabulary");
}

// One array under many names is no damage that HDF5 sees, but memory for each of them.
TEST_F(Forged, OneArrayUnderManyNames) {
  change([](hid_t file) {
    for (int i = 0; i < 2000; ++i) {
      H5Lcreate_hard(file, "/parameters/alpha", file, fmt::format("/parameters/alpha{}", i).c_str(),
                     H5P_DEFAULT, H5P_DEFAULT);
    }
  });
  expect_refused(path_, "position 3");
}

TEST_F(Forged, GroupsWithoutEnd) {
  change([](hid_t file) {
    H5Lcreate_hard(file, "/parameters", file, "/parameters/again", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(file, "/parameters", file, "/parameters/anew", H5P_DEFAULT, H5P_DEFAULT);
  });
  expect_refused(path_, "nests groups");
}

TEST_F(Forged, LinksToOtherPlaces) {
  const std::string other = folder_ / "other.h5";
  write_checkpoint(other, sample_checkpoint());
  for (const char* name :
       {"/parameters", "/parameters/alpha", "/config/yaml", "/data/vocabulary", "/optimizer/first_moment"}) {
    write_checkpoint(path_, sample_checkpoint());
    change([&](hid_t file) {
      H5Ldelete(file, name, H5P_DEFAULT);
      ASSERT_GE(H5Lcreate_external(other.c_str(), name, file, name, H5P_DEFAULT, H5P_DEFAULT), 0);
    });
    expect_refused(path_, "link");
    write_checkpoint(path_, sample_checkpoint());
    change([&](hid_t file) {
      ASSERT_GE(H5Lmove(file, name, file, "/elsewhere", H5P_DEFAULT, H5P_DEFAULT), 0);
      ASSERT_GE(H5Lcreate_soft("/elsewhere", file, name, H5P_DEFAULT, H5P_DEFAULT), 0);
      ASSERT_GE(
          H5Lmove(file, "/elsewhere", file, "/optimizer/second_moment/elsewhere", H5P_DEFAULT, H5P_DEFAULT),
          0);
    });
    expect_refused(path_, "link");
  }
}

TEST_F(Forged, DataInAnotherFile) {
  const std::string raw = folder_ / "raw";
  write_bytes(raw, std::string(28, '\1'));
  change([&](hid_t file) {
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    ASSERT_GE(H5Pset_external(properties, raw.c_str(), 0, 28), 0);
    replace_dataset(file, "/parameters/alpha", H5T_IEEE_F32LE, {7}, properties);
    H5Pclose(properties);
  });
  expect_refused(path_, "other files");
}

TEST_F(Forged, OtherFilters) {
  const std::vector<float> values(7, 1.F);
  const std::vector<std::function<void(hid_t)>> filters{[](hid_t p) { H5Pset_deflate(p, 6); },
                                                        [](hid_t p) { H5Pset_shuffle(p); },
                                                        [](hid_t p) { H5Pset_nbit(p); }};
  for (const auto& filter : filters) {
    change([&](hid_t file) {
      const hid_t properties = chunked(7);
      filter(properties);
      replace_dataset(file, "/parameters/alpha", H5T_IEEE_F32LE, {7}, properties);
      H5Pclose(properties);
      const hid_t dataset = H5Dopen2(file, "/parameters/alpha", H5P_DEFAULT);
      ASSERT_GE(H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
      H5Dclose(dataset);
    });
    expect_refused(path_, "filter");
  }
}

TEST_F(Forged, ScaledTensors) {
  change([](hid_t file) { set_number(file, "/parameters/alpha", "scale_factor", 0.5); });
  expect_refused(path_, "scale_factor 0.5");
}

TEST_F(Forged, PositionsThatAreNoOrder) {
  for (const std::int64_t position : {-1L, 0L, 9L, 1L << 40}) {
    change([&](hid_t file) { set_number(file, "/parameters/alpha", "position", position); });
    expect_refused(path_, "position");
  }
}

// What the digest does not protect from: any other bytes, passed to HDF5 with a digest that fits. A refusal
// or a value, but never a crash or an endless loop.
TEST_F(Forged, RandomBytesNeverCrash) {
  const std::string bytes = read_bytes(path_);
  std::mt19937_64 random(7);
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    std::string changed = bytes;
    changed[512 + random() % (bytes.size() - 512)] = static_cast<char>(random());
    write_bytes(path_, changed);
    reseal(path_);
    try {
      read_checkpoint(path_);
    } catch (const std::exception&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace svi::checkpoint::test
