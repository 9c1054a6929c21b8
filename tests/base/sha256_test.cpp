#include "svi/base/sha256.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "svi/base/error.hpp"

namespace svi::test {

namespace {

std::string digest_of(std::string_view text) {
  return Sha256().add(std::as_bytes(std::span(text))).finish_hex();
}

const char* const digest_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const char* const digest_of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const char* const digest_of_a_million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

}  // namespace

// The examples of FIPS 180-2, appendix B, and the empty message.
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(digest_of(""), digest_of_nothing);
  EXPECT_EQ(digest_of("abc"), digest_of_abc);
  EXPECT_EQ(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(digest_of(std::string(1'000'000, 'a')), digest_of_a_million);
}

TEST(Sha256, PiecesMakeTheSameDigest) {
  const std::string piece(1000, 'a');
  Sha256 digest;
  for (int i = 0; i < 1000; ++i) digest.add(std::as_bytes(std::span(piece)));
  EXPECT_EQ(digest.finish_hex(), digest_of_a_million);
}

TEST(Sha256, TextsCarryTheirLength) {
  EXPECT_NE(Sha256().add_text("ab").add_text("c").finish_hex(),
            Sha256().add_text("a").add_text("bc").finish_hex());
  using namespace std::string_view_literals;
  EXPECT_EQ(Sha256().add_text("abc").finish_hex(), digest_of("\3\0\0\0\0\0\0\0abc"sv));
}

TEST(Sha256, IntegersAreLeastSignificantByteFirst) {
  EXPECT_EQ(Sha256().add_integer(0x0807060504030201).finish_hex(), digest_of("\1\2\3\4\5\6\7\10"));
}

TEST(Sha256, BytesAndHexadecimalDigitsAgree) {
  const Sha256::Digest digest = Sha256().finish();
  EXPECT_EQ(digest[0], 0xe3);
  EXPECT_EQ(to_hex(digest), digest_of_nothing);
  EXPECT_EQ(to_hex({}), "");
}

class Sha256OfFile : public testing::Test {
 protected:
  Sha256OfFile() { std::filesystem::create_directories(folder_); }
  ~Sha256OfFile() override { std::filesystem::remove_all(folder_); }

  std::string file(std::size_t bytes) const {
    const std::string path = folder_ / "file";
    std::ofstream(path, std::ios::binary) << std::string(bytes, 'a');
    return path;
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("svi-sha256-" + std::to_string(::getpid()));
};

TEST_F(Sha256OfFile, IsThatOfItsBytes) {
  EXPECT_EQ(sha256_of_file(file(0)), digest_of_nothing);
  EXPECT_EQ(sha256_of_file(file(1'000'000)), digest_of_a_million);
  for (const std::size_t bytes :
       {(std::size_t{1} << 20) - 1, std::size_t{1} << 20, (std::size_t{5} << 19) + 1}) {
    EXPECT_EQ(sha256_of_file(file(bytes)), digest_of(std::string(bytes, 'a'))) << bytes;
  }
}

TEST_F(Sha256OfFile, NamesAFileThatCannotBeRead) {
  for (const std::string& path : {(folder_ / "absent").string(), folder_.string()}) {
    try {
      sha256_of_file(path);
      FAIL() << path << " was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::missing_input);
      EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    }
  }
}

}  // namespace svi::test
