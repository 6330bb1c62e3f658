#include "instance/verify.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/mapped_file.h"
#include "base/scratch_folder.h"
#include "base/sha256.h"
#include "formats/synthetic.h"
#include "goldens.h"
#include "instance/gemma3.h"
#include "instance/known_answers.h"
#include "instance/smollm2.h"
#include "instance/verify_ways.h"
#include "ops/ops.h"

namespace ridgeline {
namespace {

TEST(VerifyWays, AnyTwoFactorsMeetInEveryCombination) {
  Workload work = Workload::within(4096);
  auto ways = ways_of("avx2", {}, work);
  std::set<std::vector<int64_t>> met;
  for (const auto& w : ways)
    if (w.cache) {
      met.insert({0, w.chunk, w.sequences});
      met.insert({1, w.chunk, w.threads});
      met.insert({2, w.chunk, w.fused});
      met.insert({3, w.sequences, w.threads});
      met.insert({4, w.sequences, w.fused});
      met.insert({5, w.threads, w.fused});
    } else {
      met.insert({6, w.sequences});
      met.insert({7, w.threads});
      met.insert({8, w.fused});
    }
  EXPECT_EQ(met.size(), 4 * 4 + 4 * 3 + 4 * 2 + 4 * 3 + 4 * 2 + 3 * 2 + 4 + 3 + 2u);
  EXPECT_EQ(ways.size(), 20u);
  EXPECT_EQ(ways[0].text(), "avx2, 2 threads, in chunks of 488, alone, cache on, fused");
  EXPECT_EQ(ways_of("avx2", {.quick = true}, work).size(), 5u);
}

TEST(VerifyWays, TheSequenceFitsTheContext) {
  EXPECT_GT(Workload::within(1 << 20).tokens(), 512);  // attention's second segment
  for (int64_t context : {4, 64, 512, 1000}) {
    Workload w = Workload::within(context);
    EXPECT_LE(w.tokens(), context);
    EXPECT_GT(w.prompt, 0);
    EXPECT_GT(w.generated, 0);
  }
}

TEST(VerifyWays, TheReferenceComputesWhatIsAffordable) {
  Workload work = Workload::within(4096);
  auto large = reference_ways({}, work, 16'000'000'000), small = reference_ways({}, work, 1'000);
  ASSERT_EQ(large.size(), 1u);
  EXPECT_EQ(large[0].rows, 2);
  EXPECT_EQ(small.size(), 5u);
  EXPECT_EQ(small[0].rows, work.tokens());
}

class VerifyTiny : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, VerifyTiny, testing::ValuesIn(tiny_goldens()),
                         [](const auto& test) { return test.param; });

// Every kernel set of this machine, and the reference, give the same bits: the committed ones where there are any.
TEST_P(VerifyTiny, GivesTheCommittedAnswer) {
  auto report = verify_model(golden_path(GetParam()), {.threads = {1, 2}, .quick = true});
  EXPECT_FALSE(report.first) << report.first->text();
  EXPECT_TRUE(report.committed.empty() || report.committed == report.logits_sha256) << report.logits_sha256;
  EXPECT_EQ(report.sets.size(), usable_kernel_sets().size() + 1);
}

// Types no tiny golden has: a made-up model, the same bits from every kernel set, and these on every processor.
const std::map<DType, std::string> logits_of_made_up_models = {
    {DType::q5_0, "67389d40c0698e5b0bcbcb75b1b37dce1f633565cf9a031e5db4b7fe88c9ac13"},
    {DType::q5_1, "8dc330817f7753fe7fefa827fbd7972074c3efa60ac1e2a43eda1cf60326e8e4"},
    {DType::q2_K, "6a75253ddb99fcbe80bc4c7b9d616c59b87d3d79a46c81a5e46e221940bbf6ad"},
    {DType::q3_K, "13a3e27ef3fd46f0d046efd0d7e0c3ce76760857f7826605b609cf3f35670631"},
    {DType::q4_K, "3dc8726a2d92114cf2c548385db95f462b12bb21126754119c3d410f86dbb267"},
    {DType::q5_K, "aa114c7f91957fda7146b38d04637945c4c7f20e333ab7a2485873f89d5e2561"},
    {DType::q6_K, "280b94abd7a562c65ff25c48309da3f5a5f37187290a60b75d41ac00c5b48390"},
};
TEST(Verify, TheOtherGroupedTypesGiveTheSameBitsEverywhere) {
  ScratchFolder folder;
  LlamaConfig config = {
      .layers = 1, .dim = 256, .heads = 4, .kv_heads = 2, .ffn = 512, .vocab = 300, .context = 256, .head_dim = 64};
  Team team(2);
  for (DType type : stored_types) {
    if (!is_grouped(type) || std::set{DType::q8_0, DType::q4_0, DType::q4_1}.contains(type)) continue;
    std::string path = folder / fmt::format("{}.gguf", name_of(type));
    write_synthetic(path, {"synthetic", config, type}, team);
    auto report = verify_model(path, {.threads = {2}, .quick = true});
    EXPECT_FALSE(report.first) << name_of(type) << ": " << report.first->text();
    EXPECT_EQ(report.sets.size(), usable_kernel_sets().size() + 1);
    auto known = logits_of_made_up_models.find(type);
    EXPECT_EQ(report.logits_sha256, known == logits_of_made_up_models.end() ? "" : known->second) << name_of(type);
  }
}

TEST(Verify, TakesAllWaysOfASmallModel) {
  int told = 0;
  auto report = verify_model(golden_path("tiny_gpt2"), {}, [&](const Way&, int done, int all) {
    EXPECT_EQ(done, told++);
    EXPECT_LE(told, all);
  });
  EXPECT_TRUE(report.one_answer()) << (report.first ? report.first->text() : "");
  for (const auto& set : report.sets) EXPECT_EQ(set.same(), set.kernels == "reference" ? 5 : 20) << set.kernels;
  EXPECT_EQ(report.prompt + report.generated, 64);
}

void expect_committed_answer(const std::string& path) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "minutes under AddressSanitizer; the tiny models take the same paths";
#endif
  auto report = verify_model(path, {.threads = {2}, .quick = true});
  EXPECT_FALSE(report.first) << report.first->text();
  EXPECT_EQ(report.logits_sha256, report.committed);
}
TEST(Verify, SmolLM2GivesTheCommittedAnswer) {
  NEEDS_SMOLLM2();
  expect_committed_answer(smollm2_path());
}
TEST(Verify, Gemma3GivesTheCommittedAnswer) {
  NEEDS_GEMMA3();
  expect_committed_answer(gemma3_path());
}

// --- Kernel sets that are wrong, each in one respect: what they break must be found, and nothing else. -------------

void spoil_last_bits(const KernelMemory& m) {
  const Tensor& y = m.result_tensor();
  for (int64_t r = 0; r < y.rows; ++r) *reinterpret_cast<uint32_t*>(y.row(r)) ^= 1;
}
template <bool (*wrong)(const KernelMemory&, const Worker&)>
void add_wrongly(const Op& op, const KernelMemory& m, Worker& w) {
  if (w.index()) return;
  op.evaluate(m);
  if (wrong(m, w)) spoil_last_bits(m);
}
bool always(const KernelMemory&, const Worker&) { return true; }
bool with_four_threads(const KernelMemory&, const Worker& w) { return w.count() == 4; }
bool with_many_rows(const KernelMemory& m, const Worker&) { return m.result_tensor().rows > 60; }

template <auto wrong>
const KernelSet& broken_set() {
  static const CellTable table[] = {[]() -> std::span<const Cell> {
    static const Cell cells[] = {{"add", {DType::f32, DType::f32}, add_wrongly<wrong>}};
    return cells;
  }};
  static const KernelSet set{"broken", "nothing", [] { return true; }, [] { return std::string(); }, table};
  return set;
}

// `add` is a fused op's part unless fusion is off: only those ways can differ.
void expect_found(const KernelSet& broken, const std::function<bool(const Way&)>& differs) {
  auto good = usable_kernel_sets();
  auto bad = good;
  bad.insert(bad.begin(), &broken);
  auto report = verify_model(golden_path("tiny_llama"), {.quick = true, .sets = {good, bad}});
  ASSERT_EQ(report.sets.size(), 2u);
  for (const auto& [way, same] : report.sets[0].ways) EXPECT_TRUE(same) << way.text();
  int wrong = 0;
  for (const auto& [way, same] : report.sets[1].ways) {
    EXPECT_EQ(same, !differs(way)) << way.text();
    wrong += !same;
  }
  EXPECT_GT(wrong, 0);
  EXPECT_FALSE(report.one_answer());
  ASSERT_TRUE(report.first);
  EXPECT_TRUE(differs(report.first->way));
  EXPECT_NE(report.first->expected, report.first->found);
  EXPECT_NE(report.first->text().find("broken, "), std::string::npos);
}
TEST(Verify, FindsAWrongKernel) {
  expect_found(broken_set<always>(), [](const Way& w) { return !w.fused; });
}
TEST(Verify, FindsAKernelThatDependsOnThreads) {
  expect_found(broken_set<with_four_threads>(), [](const Way& w) { return !w.fused && w.threads == 4; });
}
TEST(Verify, FindsAKernelThatDependsOnTheBatch) {
  // Few rows: one token at a time, or seven and those of four other sequences.
  expect_found(broken_set<with_many_rows>(), [](const Way& w) { return !w.fused && w.chunk != 7; });
}

TEST(KnownAnswers, AreWellFormed) {
  std::set<std::string_view> files;
  for (const auto& k : known_answers()) {
    for (auto hash : {k.sha256, k.logits_sha256}) {
      EXPECT_EQ(hash.size(), 64u) << k.file;
      EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), hash.npos) << k.file;
    }
    EXPECT_TRUE(files.insert(k.file).second) << k.file;
    if (!k.file.starts_with("tiny_")) continue;
    Sha256 hash;
    hash.add(MappedFile::open(std::string(RIDGELINE_TEST_DATA "/goldens/") + std::string(k.file)).bytes());
    EXPECT_EQ(hash.hex(), k.sha256) << k.file;
  }
}

}  // namespace
}  // namespace ridgeline
