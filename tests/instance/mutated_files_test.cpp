// Six hundred damaged files of each kind, opened and asked for one token: an error that says so within a second, or an
// answer whose logits are numbers. A signal, a sanitizer's report or any other exception ends the test.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>

#include "base/error.h"
#include "base/mutation.h"
#include "base/scratch_folder.h"
#include "formats/cpu_time.h"
#include "formats/gguf.h"
#include "formats/gguf_image.h"
#include "formats/open.h"
#include "formats/safetensors_image.h"
#include "formats/tokenizer_image.h"
#include "goldens.h"
#include "instance/generate.h"
#include "instance/inspection.h"
#include "text/tokenizer_json.h"

namespace ridgeline {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t files_of_a_kind = 600;

// How the files of a kind ended: "answered", or the id of the error.
using Outcomes = std::map<std::string, int>;

// The promise that every file is held to.
template <class F>
std::string outcome_of(F answer) {
  CpuTime time;
  std::string outcome = "answered";
  try {
    answer();
  } catch (const Error& e) {
    outcome = e.id();
    const bool is_documented = e.code() == ExitCode::bad_data || e.code() == ExitCode::unavailable ||
                               (e.code() == ExitCode::internal && e.id() == "numeric_error");
    EXPECT_TRUE(is_documented) << static_cast<int>(e.code()) << " " << e.id() << ": " << e.what();
    EXPECT_GT(std::string_view(e.what()).size(), 10u);
  }
  EXPECT_LT(time.seconds(), 1) << outcome;
  return outcome;
}

// What `run -n 1` does with a model, and `inspect` before it.
void answer(const std::string& path) {
  inspect(*open_checkpoint(path));
  auto model = Instance::open(path, {.threads = 1, .context = 64, .needs_text = true});
  std::vector<int32_t> ids = model->tokenizer().encode("the tin", SpecialTokens::parse);
  std::erase_if(ids, [&](int32_t id) { return id >= vocabulary_of(model->config()); });
  if (ids.empty()) ids.push_back(0);
  Conversation conversation(*model);
  Logits logits = conversation.extend(ids);
  bool are_numbers = true;
  for (float x : logits.row(0)) are_numbers &= std::isfinite(x);
  conversation.cut(0);
  Generated g = generate(*model, conversation, ids, {.sampler = {.temperature = 0}, .limit = 1}, [](auto) {});
  EXPECT_TRUE(are_numbers) << "a token was chosen among logits that are no numbers";
  EXPECT_LE(g.tokens.size(), 1u);
}

void expect_both_kinds(const Outcomes& outcomes) {
  std::string list;
  int all = 0, answered = 0;
  for (const auto& [id, count] : outcomes) {
    list += fmt::format("{} {}\n", count, id);
    all += count;
    if (id == "answered") answered = count;
  }
  ::testing::Test::RecordProperty("outcomes", list);
  EXPECT_EQ(all, static_cast<int>(files_of_a_kind));
  EXPECT_GT(answered, 10) << list;             // not everything is refused
  EXPECT_LT(answered, all - all / 5) << list;  // and the damage is felt
  EXPECT_GT(outcomes.size(), 3u) << list;      // in more than one way
}

TEST(MutatedFiles, gguf) {
  ScratchFolder folder;
  Outcomes outcomes;
  for (const char* name : {"tiny_llama_q4_0", "tiny_qwen3", "tiny_gemma3"}) {
    const std::string whole = content_of(golden_path(name));
    const size_t header = GgufFile::open(golden_path(name)).data_begin();
    EXPECT_EQ(outcome_of([&] { answer(golden_path(name)); }), "answered");
    for (uint32_t i = 0; i < files_of_a_kind / 3; i++) {
      SCOPED_TRACE(fmt::format("{}, {}", name, i));
      const std::string path = folder.write("m.gguf", Mutator(i).bytes(whole, header));
      outcomes[outcome_of([&] { answer(path); })]++;
    }
  }
  expect_both_kinds(outcomes);
}

// A golden's file as the parts of a split model: metadata alone, and the tensors in two halves.
std::vector<std::string> split_in_three(const std::string& path) {
  using namespace gguf_image;
  const GgufFile file = GgufFile::open(path);
  const std::string whole = content_of(path);
  const auto& entries = file.metadata().entries();
  const char* begin = entries.front().key.data() - 8;  // the length before it
  const char* end = reinterpret_cast<const char*>(entries.back().bytes.data()) + entries.back().bytes.size();
  const auto number = [](const char* key, uint32_t type, const std::string& value) {
    return string(key) + raw(type) + value;
  };
  std::vector<std::string> parts;
  for (size_t i = 0; i < 3; i++) {
    const size_t half = file.tensors().size() / 2, from = i == 2 ? half : 0,
                 to = i == 0   ? 0
                      : i == 1 ? half
                               : file.tensors().size();
    std::string part =
        "GGUF" + raw(uint32_t{3}) + raw<uint64_t>(to - from) + raw<uint64_t>(3 + (i ? 0 : entries.size()));
    if (i == 0) part.append(begin, end);
    part += number("split.no", U16, raw(static_cast<uint16_t>(i))) + number("split.count", U16, raw(uint16_t{3}));
    part += number("split.tensors.count", I32, raw(static_cast<int32_t>(file.tensors().size())));
    std::string data;
    for (size_t t = from; t < to; t++) {
      const GgufTensor& tensor = file.tensors()[t];
      part += string(tensor.name) + raw(static_cast<uint32_t>(tensor.rank));
      for (int d = 0; d < tensor.rank; d++) part += raw(tensor.ne[static_cast<size_t>(d)]);
      part += raw(tensor.type->id) + raw<uint64_t>(data.size());
      data += whole.substr(tensor.offset, tensor.bytes);
      data.resize((data.size() + 31) / 32 * 32);
    }
    part.resize((part.size() + 31) / 32 * 32);
    parts.push_back(part + data);
  }
  return parts;
}

TEST(MutatedFiles, split_gguf) {
  ScratchFolder folder;
  std::vector<std::string> parts = split_in_three(golden_path("tiny_llama_q4_0"));
  const auto write = [&](size_t i, const std::string& part) {
    return folder.write(fmt::format("m-{:05}-of-{:05}.gguf", i + 1, parts.size()), part);
  };
  for (size_t i = 0; i < parts.size(); i++) write(i, parts[i]);
  const std::string first = folder / "m-00001-of-00003.gguf";
  ASSERT_EQ(outcome_of([&] { answer(first); }), "answered");
  Outcomes outcomes;
  for (uint32_t i = 0; i < files_of_a_kind; i++) {
    SCOPED_TRACE(i);
    const size_t which = i % parts.size();
    write(which, Mutator(i).bytes(parts[which], std::min<size_t>(parts[which].size(), 1024)));
    outcomes[outcome_of([&] { answer(first); })]++;
    write(which, parts[which]);
  }
  expect_both_kinds(outcomes);
}

// tiny_llama3 with a tokenizer.
class MutatedDirectory : public testing::Test {
 protected:
  MutatedDirectory() {
    for (const char* name : {"config.json", "model.safetensors"})
      fs::copy(golden_directory("tiny_llama3") + "/" + name, folder / name);
    folder.write("tokenizer.json", tokenizer_image().dump());
    folder.write("tokenizer_config.json", R"({"eos_token":"<|endoftext|>"})");
    folder.write("generation_config.json", R"({"temperature":0.7,"top_p":0.9,"eos_token_id":[0,1]})");
    EXPECT_EQ(outcome_of([&] { answer(folder.path()); }), "answered");
  }
  template <class F>
  void expect_promise_kept(const char* name, F mutated) {
    const std::string whole = content_of(folder / name);
    Outcomes outcomes;
    for (uint32_t i = 0; i < files_of_a_kind; i++) {
      SCOPED_TRACE(i);
      folder.write(name, mutated(Mutator(i), whole));
      outcomes[outcome_of([&] { answer(folder.path()); })]++;
    }
    expect_both_kinds(outcomes);
  }
  ScratchFolder folder;
};

TEST_F(MutatedDirectory, safetensors) {
  expect_promise_kept("model.safetensors", [](Mutator m, const std::string& whole) {
    uint64_t length;
    std::memcpy(&length, whole.data(), 8);
    const size_t header = 8 + length;
    const std::string text = whole.substr(8, header - 8), data = whole.substr(header);
    const size_t kind = m.below(3);
    if (kind == 0) return m.bytes(whole, header);
    const std::string changed = kind == 1 ? m.text(text) : text;
    return safetensors_image::image(changed, 0) + (kind == 1 ? data : m.bytes(data, data.size()));
  });
}
TEST_F(MutatedDirectory, config) {
  expect_promise_kept("config.json", [](Mutator m, const std::string& whole) { return m.text(whole); });
}
TEST_F(MutatedDirectory, tokenizer) {
  expect_promise_kept("tokenizer.json", [](Mutator m, const std::string& whole) { return m.text(whole); });
}

// Templates as published models have them, and what they make of a conversation.
TEST(MutatedFiles, chat_template) {
  Vocabulary vocabulary = read_tokenizer_json(std::as_bytes(std::span(std::string_view(tokenizer_image().dump()))));
  const Tokenizer tokenizer(vocabulary);
  const std::vector<Message> messages = {{"user", "{{ 7*7 }} <|endoftext|>"}, {"assistant", "49"}, {"user", "\xFF\n"}};
  std::vector<std::string> templates;
  for (const auto& file : fs::directory_iterator(RIDGELINE_TEST_DATA "/text/templates"))
    if (file.path().extension() == ".jinja") templates.push_back(content_of(file.path()));
  std::sort(templates.begin(), templates.end());
  ASSERT_GT(templates.size(), 20u);
  Outcomes whole, outcomes;
  const auto render = [&](const std::string& source) {
    return outcome_of([&] {
      const ChatTemplate chat(source, "<s>", "</s>");
      for (int32_t id : encode_chat(tokenizer, chat, messages, true)) EXPECT_LT(id, tokenizer.size());
    });
  };
  for (const auto& source : templates) whole[render(source)]++;
  EXPECT_GT(whole["answered"], static_cast<int>(templates.size()) * 3 / 4);  // some want a system message, or tools
  for (uint32_t i = 0; i < files_of_a_kind; i++) {
    SCOPED_TRACE(i);
    outcomes[render(Mutator(i).text(templates[i % templates.size()]))]++;
  }
  expect_both_kinds(outcomes);
}

}  // namespace
}  // namespace ridgeline
