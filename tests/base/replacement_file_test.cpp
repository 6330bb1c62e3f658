#include "base/replacement_file.h"

#include <sys/stat.h>

#include "base/refused.h"
#include "base/scratch_folder.h"

namespace ridgeline {
namespace {

size_t files_in(const ScratchFolder& folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder.path()), {}));
}

TEST(ReplacementFile, TheOldContentStandsUntilTheNewIsWhole) {
  ScratchFolder folder;
  std::string path = folder.write("it", "old");
  {
    ReplacementFile file(path);
    file.write("new, ");
    file.write("and longer");
    EXPECT_EQ(content_of(path), "old");
    file.finish();
  }
  EXPECT_EQ(content_of(path), "new, and longer");
  EXPECT_EQ(files_in(folder), 1u);
}

TEST(ReplacementFile, WhatIsNotFinishedLeavesNothing) {
  ScratchFolder folder;
  std::string path = folder.write("it", "old");
  { ReplacementFile(path).write("half of"); }
  EXPECT_EQ(content_of(path), "old");
  EXPECT_EQ(files_in(folder), 1u);
}

TEST(ReplacementFile, HasThePermissionsAskedForLessTheUmask) {
  ScratchFolder folder;
  mode_t before = umask(022);
  for (mode_t asked : {0666u, 0600u}) {
    std::string path = folder / std::to_string(asked);
    ReplacementFile file(path, asked);
    file.finish();
    struct stat s{};
    ASSERT_EQ(stat(path.c_str(), &s), 0);
    EXPECT_EQ(s.st_mode & 0777, asked & ~022u);
  }
  umask(before);
}

TEST(ReplacementFile, SaysWhyNoneCanBeMade) {
  ScratchFolder folder;
  EXPECT_TRUE(refused(ExitCode::io, "write_failed", {folder / "no/it", "No such file", "; nothing is kept"},
                      [&] { ReplacementFile(folder / "no/it", 0666, "; nothing is kept"); }));
  EXPECT_TRUE(refused(ExitCode::io, "write_failed", {"directory"}, [&] {
    std::filesystem::create_directory(folder / "taken");
    ReplacementFile file(folder / "taken");
    file.finish();
  }));
  EXPECT_EQ(files_in(folder), 1u);
}

}  // namespace
}  // namespace ridgeline
