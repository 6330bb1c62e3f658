// Hugging Face directories, by the rows S14 to S17 of the bad-input catalogue.
#include "formats/hf_directory.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/refused.h"
#include "formats/directory_image.h"
#include "models/llama.h"

namespace ridgeline {
namespace {

namespace fs = std::filesystem;
using Words = std::initializer_list<std::string_view>;

::testing::AssertionResult refuses(const std::string& path, ExitCode code, std::string_view id, Words words) {
  return refused(code, id, words, [&] { read_model_config(*open_checkpoint(path)); });
}

TEST(HfDirectory, opens_by_any_of_its_names) {
  ScratchFolder folder;
  DirectoryImage().write(folder);
  for (std::string path : {folder.path(), folder.path() + "/", folder / "config.json", folder / "model.safetensors"}) {
    auto model = open_checkpoint(path);
    ModelDescription d = read_model_config(*model);
    EXPECT_EQ(model->format(), FileFormat::hf);
    EXPECT_EQ(model->size(), 21u);
    EXPECT_EQ(d.name, fs::path(folder.path()).filename().string());
    EXPECT_EQ(d.warnings, std::vector<std::string>());
    LlamaConfig c = *d.config.as<LlamaConfig>();
    EXPECT_EQ(std::tuple(c.layers, c.dim, c.heads, c.kv_heads, c.head_dim, c.ffn), std::tuple(2, 64, 4, 2, 16, 96));
    EXPECT_EQ(std::tuple(c.vocab, c.context, c.window, c.tied), std::tuple(40, 128, 0, false));
  }
  auto model = open_checkpoint(folder.path());
  EXPECT_EQ(model->find("model.layers.0.mlp.down_proj.weight")->text(),
            "model.layers.0.mlp.down_proj.weight (F32, 64 x 96)");
}

TEST(HfDirectory, files_may_be_symbolic_links) {  // as in the hub's cache
  ScratchFolder blobs, cache;
  DirectoryImage().write(blobs);
  fs::path snapshot = cache / "models--owner--Tiny-Llama/snapshots/0123abcd";
  fs::create_directories(snapshot);
  for (const char* name : {"config.json", "model.safetensors"}) fs::create_symlink(blobs / name, snapshot / name);
  EXPECT_EQ(read_model_config(*open_checkpoint(snapshot)).name, "Tiny-Llama");
}

TEST(HfDirectory, a_file_of_another_name_is_taken_alone) {
  ScratchFolder folder;
  DirectoryImage image;
  image.write(folder);
  image.weights.add("lm_head.weight", {41, 64});
  std::string other = folder.write("other.safetensors", image.weights.bytes());
  EXPECT_TRUE(
      refuses(other, ExitCode::bad_data, "safetensors_tensor_shape", {"lm_head.weight (F32, 41 x 64)", "40 x 64"}));
}

TEST(HfDirectory, names_with_and_without_the_model) {
  ScratchFolder folder;
  DirectoryImage image;
  auto renamed = [&](auto rename) {
    DirectoryImage other = image;
    other.weights.tensors.clear();
    for (const auto& [name, t] : image.weights.tensors) other.weights.tensors[rename(name)] = t;
    other.write(folder);
    return read_model_config(*open_checkpoint(folder.path()));
  };
  auto bare = [](const std::string& name) { return name.starts_with("model.") ? name.substr(6) : name; };
  EXPECT_EQ(renamed(bare).warnings.size(), 0u);
  EXPECT_EQ(renamed([](const std::string& name) { return "language_model." + name; }).warnings.size(), 0u);
  auto inside = [&](const std::string& n) { return bare(n) == n ? n : "model.language_model." + bare(n); };
  EXPECT_EQ(renamed(inside).warnings.size(), 0u);
  // What lies outside of the text's layers is another model's part; inside, it would change the answers.
  image.weights.add("vision_tower.layers.0.mlp.up_proj.weight", {4, 4});
  EXPECT_EQ(renamed(inside).warnings.size(), 1u);
  image.weights.add("model.layers.0.self_attn.rotary_emb.inv_freq", {8});
  EXPECT_EQ(renamed(inside).warnings.size(), 1u);
  image.weights.add("model.layers.1.self_attn.q_proj.bias", {64});
  EXPECT_TRUE(refused(ExitCode::bad_data, "safetensors_tensor_unexpected", {"q_proj.bias"}, [&] { renamed(inside); }));
}

TEST(HfDirectory, weights_that_are_missing_or_of_another_shape_or_type) {
  ScratchFolder folder;
  auto with = [&](auto change, std::string_view id, Words words) {
    DirectoryImage image;
    change(image);
    image.write(folder);
    return refuses(folder.path(), ExitCode::bad_data, id, words);
  };
  EXPECT_TRUE(with([](auto& i) { i.weights.tensors.erase("model.norm.weight"); }, "safetensors_tensor_missing",
                   {"model.norm.weight (64)"}));
  EXPECT_TRUE(with([](auto& i) { i.weights.tensors.erase("lm_head.weight"); }, "safetensors_tensor_missing",
                   {"lm_head.weight"}));
  EXPECT_TRUE(
      with([](auto& i) { i.weights.add("model.norm.weight", {64, 1}); }, "safetensors_tensor_shape", {"64 x 1"}));
  EXPECT_TRUE(with([](auto& i) { i.weights.add("model.norm.weight", {64}, "I16"); }, "safetensors_unsupported_type",
                   {"model.norm.weight (I16, 64)", "F16"}));
  EXPECT_TRUE(
      with([](auto& i) { i.config["num_hidden_layers"] = 3; }, "safetensors_tensor_missing", {"model.layers.2."}));
  EXPECT_TRUE(
      with([](auto& i) { i.config["num_hidden_layers"] = 1; }, "safetensors_tensor_unexpected", {"model.layers.1."}));
}

TEST(HfDirectory, S14_shards) {
  ScratchFolder folder;
  DirectoryImage image;
  folder.write("config.json", image.config.dump());
  const ShardedImage good(image.weights, 3);
  good.write(folder);
  for (std::string path : {folder.path(), folder / "model.safetensors.index.json", folder / good.name(1)}) {
    auto model = open_checkpoint(path);
    EXPECT_EQ(model->files().size(), 3u);
    EXPECT_EQ(read_model_config(*model).warnings.size(), 0u);
  }
  auto bad = [&](auto change, Words words) {
    ShardedImage sharded = good;
    change(sharded);
    sharded.write(folder);
    return refuses(folder.path(), ExitCode::bad_data, "safetensors_index", words);
  };
  for (std::string name : {"../../etc/passwd", "/etc/passwd", "../model.safetensors", "sub/model.safetensors", "..", "",
                           "model.bin", "a b.safetensors", ".safetensors", "a\\b.safetensors", "a\x01.safetensors"})
    EXPECT_TRUE(bad([&](auto& s) { s.index["weight_map"]["model.norm.weight"] = name; }, {"plain name"})) << name;
  std::string norm = good.index["weight_map"]["model.norm.weight"], other = good.name(norm == good.name(0) ? 1 : 0);
  EXPECT_TRUE(
      bad([&](auto& s) { s.index["weight_map"]["model.norm.weight"] = other; }, {"model.norm.weight", "not there"}));
  EXPECT_TRUE(bad(
      [&](auto& s) {
        for (auto& shard : s.shards) shard.add("model.norm.weight", {64});
      },
      {"model.norm.weight", "two shards"}));
  EXPECT_TRUE(bad([](auto& s) { s.index["weight_map"]["nothing"] = s.name(0); }, {"nothing", "not there"}));
  EXPECT_TRUE(bad([](auto& s) { s.index["metadata"]["total_size"] = 1; }, {"total_size", "1"}));
  EXPECT_TRUE(bad([](auto& s) { s.index["metadata"]["total_size"] = "x"; }, {"total_size"}));
  EXPECT_TRUE(bad([](auto& s) { s.index["weight_map"]["model.norm.weight"] = 7; }, {"model.norm.weight"}));
  for (auto map : {nlohmann::json(), nlohmann::json::array(), nlohmann::json::object(), nlohmann::json(7)})
    EXPECT_TRUE(bad([&](auto& s) { s.index["weight_map"] = map; }, {"weight_map"}));
  EXPECT_TRUE(bad([](auto& s) { s.index = nlohmann::json::array(); }, {"weight_map"}));
  EXPECT_TRUE(bad(
      [](auto& s) {
        for (int i = 0; i < 100'000; ++i) s.index["weight_map"][std::to_string(i)] = std::to_string(i) + ".safetensors";
      },
      {"more than 1000 shards"}));
  folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"x.safetensors","a":"y.safetensors"}})");
  EXPECT_TRUE(refuses(folder.path(), ExitCode::bad_data, "safetensors_index", {"\"a\" twice"}));

  good.write(folder);
  fs::remove(folder / good.name(1));
  EXPECT_TRUE(refuses(folder.path(), ExitCode::cannot_open, "shard_missing", {good.name(1), "missing"}));
  folder.write(good.name(1), "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
  EXPECT_TRUE(refuses(folder.path(), ExitCode::bad_data, "lfs_pointer", {good.name(1)}));
}

TEST(HfDirectory, S14_harmless_indices) {
  ScratchFolder folder;
  DirectoryImage image;
  folder.write("config.json", image.config.dump());
  ShardedImage sharded(image.weights, 2);
  sharded.index["metadata"]["total_size"] = static_cast<double>(image.weights.data_bytes());  // as older writers did
  sharded.shards[0].add("model.extra", {1});
  sharded.write(folder);
  auto model = open_checkpoint(folder.path());
  EXPECT_EQ(model->warnings().size(), 1u);
  EXPECT_NO_THROW(read_model_config(*model));
  sharded.index.erase("metadata");
  sharded.write(folder);
  EXPECT_NO_THROW(open_checkpoint(folder.path()));
}

TEST(HfDirectory, S16_S17_without_weights_that_can_be_read) {
  ScratchFolder folder;
  folder.write("config.json", DirectoryImage().config.dump());
  EXPECT_TRUE(refuses(folder.path(), ExitCode::bad_data, "no_weights", {folder.path(), "model.safetensors"}));
  folder.write("pytorch_model.bin", std::string("PK\x03\x04", 4));
  EXPECT_TRUE(refuses(folder.path(), ExitCode::bad_data, "no_weights",
                      {"pytorch_model.bin", "Convert the model to safetensors", "save_pretrained"}));
  folder.write("model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
  EXPECT_TRUE(refuses(folder.path(), ExitCode::bad_data, "lfs_pointer", {"git lfs pull"}));
  folder.write("model.safetensors", std::string("PK\x03\x04\x14\0\x08\x08\x08\x08", 10));
  EXPECT_TRUE(refuses(folder.path(), ExitCode::bad_data, "not_safetensors", {"zip"}));
  folder.write("model.safetensors", std::string("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20j\xa8", 12));
  EXPECT_TRUE(refuses(folder.path(), ExitCode::bad_data, "not_safetensors", {"pickle"}));
  fs::remove(folder / "config.json");
  EXPECT_TRUE(refuses(folder.path(), ExitCode::cannot_open, "cannot_open", {"config.json"}));
  EXPECT_TRUE(refuses(folder / "none.safetensors", ExitCode::cannot_open, "cannot_open", {"none.safetensors"}));
}

TEST(HfDirectory, a_config_alone_describes_the_model) {
  ScratchFolder folder;
  DirectoryImage image;
  image.config["torch_dtype"] = "float16";
  folder.write("config.json", image.config.dump());
  auto model = open_checkpoint(folder / "config.json", Weightless::allowed);
  EXPECT_EQ(read_model_config(*model).config.as<LlamaConfig>()->ffn, 96);
  EXPECT_EQ(model->declared_type(), DType::f16);
  EXPECT_EQ(model->size(), 0u);
}

}  // namespace
}  // namespace ridgeline
