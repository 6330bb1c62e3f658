// The same weights in GGUF and in safetensors give the same bits, and the right ones: tiny checkpoints of every family, as
// transformers saved them.
#include <gtest/gtest.h>

#include <cstring>

#include "base/scratch_folder.h"
#include "formats/directory_image.h"
#include "golden_model.h"
#include "tensor/blocks.h"

namespace ridgeline {
namespace {

class Directory : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, Directory, testing::ValuesIn(golden_directories()),
                         [](const auto& at) { return at.param; });

TEST_P(Directory, Fp32LogitsEqualTransformers) {
  auto golden = ridgeline::golden(GetParam());
  GoldenModel model(golden_directory(GetParam()), {.weights = DType::f32});
  double noise = golden["max_abs_diff"]["transformers_fp32_vs_numpy_fp64"];
  EXPECT_LE(worst_difference(model, golden), 8 * noise);  // golden_test.cpp says why eight
}

void expect_same_bits(GoldenModel& a, GoldenModel& b, const std::string& name) {
  auto golden = ridgeline::golden(name);
  for (const auto& prompt : golden["prompts"]) {
    auto ids = prompt["ids"].get<std::vector<int32_t>>();
    auto x = a.logits(ids), y = b.logits(ids);
    ASSERT_EQ(x.size(), y.size());
    EXPECT_EQ(std::memcmp(x.data(), y.data(), x.size() * sizeof(float)), 0) << ids.size() << " tokens";
  }
}

TEST_P(Directory, SameBitsAsGguf) {
  GoldenModel directory(golden_directory(GetParam()), {}), gguf(golden_path(GetParam()), {});
  expect_same_bits(directory, gguf, GetParam());
}

// Every type, in shards whose data is not aligned: matrices converted, vectors as they were.
TEST_P(Directory, SameBitsInShardsOfEveryType) {
  const ShardImage whole = ShardImage::read(golden_directory(GetParam()) + "/model.safetensors");
  for (DType type : {DType::f32, DType::f16, DType::bf16}) {
    ShardImage converted = whole;
    for (auto& [name, t] : converted.tensors) {
      if (t.shape.size() != 2) continue;
      auto n = static_cast<int64_t>(t.shape[0] * t.shape[1]);
      std::vector<float> values(static_cast<size_t>(n));
      auto* from = reinterpret_cast<const std::byte*>(t.data.data());
      dequantize_row(*find_safetensors_type(t.dtype)->dtype, from, n, values.data());
      t.dtype = type == DType::f32 ? "F32" : type == DType::f16 ? "F16" : "BF16";
      t.data.resize(static_cast<size_t>(bytes_of(type, n)));
      quantize_row(type, values.data(), n, reinterpret_cast<std::byte*>(t.data.data()));
    }
    ShardedImage sharded(converted, 3);
    sharded.shards[0].tensors["a.first"] = {"U8", {1}, "x"};  // what follows lies at odd addresses
    ScratchFolder folder;
    sharded.write(folder);
    std::filesystem::copy(golden_directory(GetParam()) + "/config.json", folder / "config.json");
    GoldenModel shards(folder.path(), {}), gguf(golden_path(GetParam()), {.weights = type});
    expect_same_bits(shards, gguf, GetParam());
  }
}

}  // namespace
}  // namespace ridgeline
