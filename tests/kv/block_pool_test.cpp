#include "kv/block_pool.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/error.h"

namespace ridgeline {
namespace {

TEST(BlockTable, SlotsKeepTheirPlaceInTheBlock) {
  BlockPool pool(8);
  BlockTable other(pool), table(pool);
  other.grow(1);
  table.grow(40);
  other.grow(40);
  table.grow(70);
  for (int64_t p = 0; p < 70; ++p) EXPECT_EQ(table.slot(p) % block_tokens, p % block_tokens);
  std::set<int64_t> slots;
  for (int64_t p = 0; p < 70; ++p) EXPECT_TRUE(slots.insert(table.slot(p)).second);
  for (int64_t p = 0; p < 40; ++p) EXPECT_TRUE(slots.insert(other.slot(p)).second);
}

TEST(BlockTable, KeepsWhatItHadWhenThePoolIsEmpty) {
  BlockPool pool(3);
  BlockTable table(pool);
  table.grow(33);
  auto before = table.blocks();
  try {
    table.grow(200);
    FAIL() << "a pool of three blocks gave seven";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::unavailable);
    EXPECT_EQ(e.id(), "kv_full");
  }
  EXPECT_EQ(table.blocks(), before);
  EXPECT_EQ(pool.free_count(), 1);
}

TEST(BlockTable, RandomLivesLeaveNothingBehind) {
  std::mt19937 random(5);
  BlockPool pool(64);
  {
    std::vector<BlockTable> tables;
    for (int i = 0; i < 6; ++i) tables.emplace_back(pool);
    std::vector<int64_t> length(6);
    for (int step = 0; step < 5000; ++step) {
      size_t t = random() % 6;
      length[t] = random() % 300;
      if (static_cast<int64_t>(tables[t].blocks().size()) * block_tokens < length[t])
        tables[t].grow(length[t]);
      else
        tables[t].shrink(length[t]);
      int64_t held = 0;
      std::set<int32_t> all;
      for (size_t i = 0; i < 6; ++i) {
        ASSERT_EQ(static_cast<int64_t>(tables[i].blocks().size()), (length[i] + block_tokens - 1) / block_tokens);
        held += static_cast<int64_t>(tables[i].blocks().size());
        all.insert(tables[i].blocks().begin(), tables[i].blocks().end());
      }
      ASSERT_EQ(static_cast<int64_t>(all.size()), held) << "a block is held twice";
      ASSERT_EQ(pool.free_count(), 64 - held);
    }
  }
  EXPECT_EQ(pool.free_count(), 64);
}

TEST(BlockPool, GivingBackTwiceIsAFault) {
  BlockPool pool(2);
  int32_t b = pool.take();
  pool.give_back(b);
  EXPECT_THROW(pool.give_back(b), Error);
  EXPECT_THROW(pool.give_back(7), Error);
}

}  // namespace
}  // namespace ridgeline
