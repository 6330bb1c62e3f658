#include "base/sha256.h"

#include <gtest/gtest.h>

namespace ridgeline {
namespace {

std::string sha256(std::string_view text, size_t part = SIZE_MAX) {
  Sha256 hash;
  for (; !text.empty(); text.remove_prefix(std::min(part, text.size())))
    hash.add(std::as_bytes(std::span(text.substr(0, part))));
  return hash.hex();
}

// The examples of FIPS 180-2, appendix B, and the hash of nothing.
TEST(Sha256, EqualsThePublishedExamples) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheBytesCome) {
  for (size_t length : {1, 55, 56, 63, 64, 65, 119, 120, 128, 1000}) {
    std::string text(length, 'x');
    for (size_t i = 0; i < length; ++i) text[i] = static_cast<char>(i * 7);
    for (size_t part : {1, 3, 63, 64, 65})
      EXPECT_EQ(sha256(text, part), sha256(text)) << length << " bytes by " << part;
  }
}

}  // namespace
}  // namespace ridgeline
