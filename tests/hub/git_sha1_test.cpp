#include "hub/git_sha1.h"

#include <gtest/gtest.h>

namespace ridgeline {
namespace {

std::string hash(std::string_view content) {
  GitSha1 h(content.size());
  h.add(content);
  return h.hex();
}

// As `git hash-object` (2.39) prints them.
TEST(GitSha1, NamesFilesAsGitDoes) {
  EXPECT_EQ(hash(""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_EQ(hash("hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
  EXPECT_EQ(hash("what is up, doc?"), "bd9dbf5aae1a3862dd1526723246b20206e5fc37");
}

TEST(GitSha1, DoesNotDependOnHowTheBytesCome) {
  for (size_t length : {1u, 46u, 47u, 48u, 54u, 55u, 56u, 63u, 64u, 65u, 1000u}) {
    std::string content(length, 'x');
    GitSha1 h(length);
    for (char c : content) h.add({&c, 1});
    EXPECT_EQ(h.hex(), hash(content)) << length;
  }
}

}  // namespace
}  // namespace ridgeline
