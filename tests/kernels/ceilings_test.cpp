#include "kernels/ceilings.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace ridgeline {
namespace {

TEST(Ceilings, ReadsWhateverSizeThereIs) {
  for (int threads : {1, 3}) {
    Team team(threads);
    // Exactly as long as asked for, so that a read past the end is an error under AddressSanitizer.
    for (size_t bytes : {4'096, 4'097, 12'288, 100'000, 1'000'003}) {
      std::vector<std::byte> memory(bytes);
      double rate = read_burst(team, memory, 0.002);
      EXPECT_GT(rate, 1e7) << bytes;
      EXPECT_LT(rate, 1e13) << bytes;
      for (int streams : stream_counts) EXPECT_GT(read_burst(team, memory, 0.001, streams), 1e7) << streams;
    }
  }
}

TEST(Ceilings, RefusesLessThanAPage) {
  Team team(1);
  std::vector<std::byte> memory(4'095);
  EXPECT_THROW(read_burst(team, memory, 0.001), Error);
  memory.resize(4'096);
  EXPECT_THROW(read_burst(team, memory, 0.001, 3), Error);
}

// Each set's reader, on streams that do not touch: all of the bytes asked for, and no other.
TEST(Ceilings, ReadersKeepToTheirStreams) {
  for (const Ceilings* set : {&avx2_ceilings, &avx512_ceilings}) {
    if (!set->supported()) continue;
    for (size_t i = 0; i < std::size(stream_counts); ++i) {
      auto streams = static_cast<size_t>(stream_counts[i]);
      std::vector<std::byte> memory((streams - 1) * 1'024 + 512);  // the last stream ends where the memory does
      set->read[i](memory.data(), 1'024, 512);
    }
  }
}

TEST(Ceilings, TheFastestInstructionIsChosen) {
  Team team(1);
  double fma = compute_burst(team, ComputeKind::fma, 0.01), bf16 = compute_burst(team, ComputeKind::bf16_dot, 0.01),
         int8 = compute_burst(team, ComputeKind::int8_dot, 0.01);
  EXPECT_GT(fma, 1e8);
  EXPECT_GT(int8, 1.3 * fma);  // bytes are a quarter of a float; half of that is left on any processor
  EXPECT_GT(bf16, 0.5 * fma);  // at worst the same instruction, at another moment
  EXPECT_FALSE(compute_instruction(ComputeKind::int8_dot).empty());
  if (avx512_ceilings.supported()) { EXPECT_EQ(compute_instruction(ComputeKind::int8_dot), "vpdpbusd zmm"); }
}

TEST(Ceilings, WeightTypesHaveTheirInstructions) {
  EXPECT_EQ(compute_kind_of(DType::q4_1), ComputeKind::int8_dot);
  EXPECT_EQ(compute_kind_of(DType::bf16), ComputeKind::bf16_dot);
  EXPECT_EQ(compute_kind_of(DType::f16), ComputeKind::fma);
}

}  // namespace
}  // namespace ridgeline
