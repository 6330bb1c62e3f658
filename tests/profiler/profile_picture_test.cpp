#include "profiler/profile_picture.h"

#include <gtest/gtest.h>

#include "instance/instance.h"

namespace ridgeline {
namespace {

TEST(ProfilePicture, ShowsEachStepsOpsUnderTheRoofsOfTheRun) {
  auto model = Instance::open(RIDGELINE_TEST_DATA "/goldens/tiny_llama.gguf", {});
  std::vector<Profile> both;
  for (const char* batch : {"1@16", "32"}) {
    ProfileOptions o;
    o.batch = BatchShape::parse(batch), o.repetitions = 1;
    both.push_back(profile(*model, o));
  }
  std::string svg = profile_picture(both);
  EXPECT_TRUE(svg.starts_with("<svg"));
  for (auto words : {"1@16: ", "32: ", "feed-forward linear", "memory ", "</svg>", "<title", "<desc"})
    EXPECT_NE(svg.find(words), svg.npos) << words;
  EXPECT_THROW(profile_picture({}), Error);
}

}  // namespace
}  // namespace ridgeline
