#include "cli/pickle.hpp"

#include <gtest/gtest.h>

namespace svi::cli::pickle {
namespace {

using namespace std::string_literals;

// Python's own pickles of protocol 2, without the memo opcodes that it adds and no reader needs.
TEST(Pickle, OpcodesOfValues) {
  EXPECT_EQ(document(none()), "\x80\x02N."s);
  EXPECT_EQ(boolean(true) + boolean(false), "\x88\x89"s);
  EXPECT_EQ(integer(258), "J\x02\x01\x00\x00"s);
  EXPECT_EQ(integer(-1), "J\xff\xff\xff\xff"s);
  EXPECT_EQ(integer(std::int64_t{1} << 40), "\x8a\x08\x00\x00\x00\x00\x00\x01\x00\x00"s);
  EXPECT_EQ(real(-0.5), "G\xbf\xe0\x00\x00\x00\x00\x00\x00"s);
  EXPECT_EQ(text("wör"), "X\x04\x00\x00\x00w\xc3\xb6r"s);
  EXPECT_EQ(list({integer(1), none()}), "](J\x01\x00\x00\x00Ne"s);
  EXPECT_EQ(dict({{text("k"), none()}}), "}(X\x01\x00\x00\x00kNu"s);
}

TEST(Pickle, OpcodesOfObjects) {
  EXPECT_EQ(global("a.b", "C"), "ca.b\nC\n");
  EXPECT_EQ(call(global("a", "f"), {none()}), "ca\nf\n(NtR");
  EXPECT_EQ(object(global("a", "C"), {{"x", none()}}), "ca\nC\n)\x81}(X\x01\x00\x00\x00xNub"s);
}

}  // namespace
}  // namespace svi::cli::pickle
