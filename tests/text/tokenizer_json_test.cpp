// tokenizer.json: the files of every family, and files as a hostile or broken directory has them.
#include "text/tokenizer_json.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <map>
#include <sstream>

#include "base/error.h"
#include "base/limits.h"
#include "text/golden_ids.h"

#ifdef __SANITIZE_ADDRESS__
constexpr uint64_t longest_prompt = ridgeline::limits::prompt_bytes / 32;  // all is twenty times slower
#else
constexpr uint64_t longest_prompt = ridgeline::limits::prompt_bytes;
#endif

namespace ridgeline {
namespace {

using nlohmann::json;
using Ids = std::vector<int32_t>;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
Tokenizer tokenizer_of(std::string_view text) { return Tokenizer(read_tokenizer_json(bytes_of(text))); }

std::string file_text(const std::string& name) {
  std::ifstream file(std::string(RIDGELINE_TEST_DATA) + "/text/tokenizers/" + name + ".json", std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

class EveryFamily : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Text, EveryFamily,
                         testing::Values("gpt2", "gpt2_space", "smollm2", "llama3", "qwen2", "tekken", "gpt4o", "flags",
                                         "llama2", "llama2_old", "mistral", "metaspace", "unknown", "gemma3"),
                         [](const auto& p) { return std::string(p.param); });

TEST_P(EveryFamily, GivesTheIdsOfHuggingFace) {
  const Tokenizer tokenizer = tokenizer_of(file_text(GetParam()));
  expect_golden_ids(tokenizer, read_json(std::string("tokenizers/") + GetParam() + ".ids.json"));
}

TEST_P(EveryFamily, SaysWhetherATextBeginsWithAToken) {
  const std::map<std::string, std::string> expected = {
      {"llama3", "<|begin_of_text|>"}, {"tekken", "<s>"},  {"llama2", "<s>"},
      {"llama2_old", "<s>"},           {"mistral", "<s>"}, {"gemma3", "<bos>"}};
  const Tokenizer tokenizer = tokenizer_of(file_text(GetParam()));
  const auto found = expected.find(GetParam());
  EXPECT_EQ(tokenizer.add_bos(), found != expected.end());
  if (found != expected.end()) { EXPECT_EQ(tokenizer.bos(), tokenizer.find(found->second)); }
}

// Every truncation is refused, and every damaged byte is refused or read: nothing else happens.
TEST_P(EveryFamily, EndsInAnErrorWhereItIsTruncatedOrDamaged) {
  const std::string text = file_text(GetParam());
  auto outcome = [](std::string_view part) -> std::string {
    try {
      read_tokenizer_json(bytes_of(part));
      return "read";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::bad_data) << e.what();
      return e.id();
    }
  };
  for (size_t i = 1; i <= 40; i++)
    EXPECT_EQ(outcome(std::string_view(text).substr(0, (text.size() - 2) * i / 41)), "bad_json");
  uint32_t random = 1;
  for (int i = 0; i < 60; i++) {
    std::string damaged = text;
    random = random * 1664525 + 1013904223;
    damaged[random % (i % 2 ? 3000 : damaged.size())] ^= static_cast<char>(1 << (random >> 8) % 8);
    outcome(damaged);
  }
}

// --- a small file, and what may be wrong with it -----------------------------------------------------------------------

json small() {
  return json::parse(R"({
    "version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [{"id": 4, "content": "<end>", "single_word": false, "lstrip": false, "rstrip": false,
                      "normalized": false, "special": true}],
    "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
    "post_processor": null, "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "c": 3}, "merges": ["a b"]}})");
}

json pieces() {
  json file = small();
  json& vocab = file["model"]["vocab"] = {{"<unk>", 0}, {"a", 1}, {"b", 2}, {"ab", 3}};
  file["added_tokens"] = json::array();
  for (int byte = 0; byte < 256; byte++) vocab[fmt::format("<0x{:02X}>", byte)] = 4 + byte;
  file["model"]["byte_fallback"] = true;
  file["model"]["unk_token"] = "<unk>";
  file["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}};
  file["pre_tokenizer"] = nullptr;
  file["decoder"] = nullptr;
  return file;
}

struct Case {
  const char* name;
  const char* id;       // of the error
  const char* message;  // a part of it
  void (*change)(json&);
};

void expect_refusal(const std::string& text, const char* id, const char* message) {
  try {
    tokenizer_of(text);
    FAIL() << "not refused";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::bad_data);
    EXPECT_EQ(e.id(), id) << e.what();
    EXPECT_NE(std::string(e.what()).find(message), std::string::npos) << e.what();
  }
}

class RefusedFile : public testing::TestWithParam<Case> {};
TEST_P(RefusedFile, WithAReason) {
  json file = small();
  GetParam().change(file);
  expect_refusal(file.dump(), GetParam().id, GetParam().message);
}

json split(const std::string& pattern) {
  return {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
}
json byte_level() { return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}; }
json sequence(json parts) { return {{"type", "Sequence"}, {"pretokenizers", std::move(parts)}}; }

INSTANTIATE_TEST_SUITE_P(
    TokenizerJson, RefusedFile,
    testing::Values(
        Case{"NotAnObject", "bad_json", "not an object", [](json& f) { f = json::array(); }},
        Case{"NoModel", "bad_json", "no \"model\"", [](json& f) { f.erase("model"); }},
        Case{"Unigram", "unsupported_tokenizer", "Unigram", [](json& f) { f["model"]["type"] = "Unigram"; }},
        Case{"UnigramVocab", "unsupported_tokenizer", "Unigram",
             [](json& f) {
               f["model"] = {{"type", "Unigram"}, {"unk_id", 7}, {"vocab", json::array({json::array({"a", 0.5})})}}; }},
        Case{"WordPiece", "unsupported_tokenizer", "WordPiece", [](json& f) { f["model"]["type"] = "WordPiece"; }},
        Case{"NoTypeNoMerges", "unsupported_tokenizer", "without a type",
             [](json& f) { f["model"].erase("type"), f["model"].erase("merges"); }},
        Case{"TypeNumber", "bad_json", "\"type\" has another type", [](json& f) { f["model"]["type"] = 1; }},
        Case{"VocabList", "bad_json", "model.vocab", [](json& f) { f["model"]["vocab"] = json::array({"a", "b"}); }},
        Case{"NoVocab", "bad_json", "model.vocab", [](json& f) { f["model"].erase("vocab"); }},
        Case{"NoMerges", "bad_json", "model.merges", [](json& f) { f["model"].erase("merges"); }},
        Case{"EmptyVocab", "bad_vocabulary", "no tokens",
             [](json& f) {
               f["model"]["vocab"] = json::object(), f["added_tokens"] = json::array(),
               f["model"]["merges"] = json::array(); }},
        Case{"IdNegative", "bad_vocabulary", "id -1", [](json& f) { f["model"]["vocab"]["c"] = -1; }},
        Case{"IdHuge", "bad_vocabulary", "2147483648", [](json& f) { f["model"]["vocab"]["c"] = 2147483648; }},
        Case{"IdBeyond64Bits", "bad_json", "too large", [](json& f) { f["model"]["vocab"]["c"] = 18446744073709551615u; }},
        Case{"IdGap", "bad_vocabulary", "as many gaps", [](json& f) { f["model"]["vocab"]["c"] = 1'000'000'000; }},
        Case{"IdTwice", "bad_vocabulary", "both have the id 1", [](json& f) { f["model"]["vocab"]["c"] = 1; }},
        Case{"IdReal", "bad_json", "not an integer", [](json& f) { f["model"]["vocab"]["c"] = 3.0; }},
        Case{"IdText", "bad_json", "not an integer", [](json& f) { f["model"]["vocab"]["c"] = "3"; }},
        Case{"IdNested", "bad_json", "not an integer", [](json& f) { f["model"]["vocab"]["c"] = {{"x", 1}}; }},
        Case{"MergeUnknown", "bad_vocabulary", "\"z\" is not a token", [](json& f) { f["model"]["merges"] = {"a z"}; }},
        Case{"MergeToNothing", "bad_vocabulary", "\"ba\"", [](json& f) { f["model"]["merges"] = {"b a"}; }},
        Case{"MergeSpaces", "bad_vocabulary", "merge 0", [](json& f) { f["model"]["merges"] = {"a b c"}; }},
        Case{"MergeOne", "bad_vocabulary", "merge 0", [](json& f) { f["model"]["merges"] = {"ab"}; }},
        Case{"MergeOfOneSide", "bad_vocabulary", "1 sides", [](json& f) { f["model"]["merges"] = {json::array({"a"})}; }},
        Case{"MergeOfThreeSides", "bad_vocabulary", "3 sides",
             [](json& f) { f["model"]["merges"] = {json::array({"a", "b", "c"})}; }},
        Case{"MergeNumbers", "bad_vocabulary", "not two texts", [](json& f) { f["model"]["merges"] = {json::array({0, 1})}; }},
        Case{"MergeNested", "bad_vocabulary", "not two texts",
             [](json& f) { f["model"]["merges"] = {json::array({json::array({"a"}), "b"})}; }},
        Case{"MergeNull", "bad_vocabulary", "not two texts", [](json& f) { f["model"]["merges"] = {nullptr}; }},
        Case{"AddedOtherText", "bad_vocabulary", "has the id 0", [](json& f) { f["added_tokens"][0]["id"] = 0; }},
        Case{"AddedOtherId", "bad_vocabulary", "are both \"ab\"", [](json& f) { f["added_tokens"][0]["content"] = "ab"; }},
        Case{"AddedTwice", "bad_vocabulary", "has the id 4", [](json& f) { f["added_tokens"].push_back(f["added_tokens"][0]); }},
        Case{"AddedNoId", "bad_json", "no id", [](json& f) { f["added_tokens"][0].erase("id"); }},
        Case{"AddedNegative", "bad_vocabulary", "id -4", [](json& f) { f["added_tokens"][0]["id"] = -4; }},
        Case{"AddedIdText", "bad_json", "\"id\" of entry 0", [](json& f) { f["added_tokens"][0]["id"] = "4"; }},
        Case{"AddedFlagNumber", "bad_json", "\"lstrip\" of entry 0", [](json& f) { f["added_tokens"][0]["lstrip"] = 1; }},
        Case{"AddedNotObjects", "bad_json", "entry", [](json& f) { f["added_tokens"] = {"<end>"}; }},
        Case{"AddedTooLong", "bad_vocabulary", "at most 1024",
             [](json& f) { f["added_tokens"][0]["content"] = std::string(1025, 'x'); }},
        Case{"Subwords", "unsupported_tokenizer", "continuing_subword_prefix",
             [](json& f) { f["model"]["continuing_subword_prefix"] = "##"; }},
        Case{"WordEnds", "unsupported_tokenizer", "end_of_word_suffix", [](json& f) { f["model"]["end_of_word_suffix"] = "</w>"; }},
        Case{"Dropout", "unsupported_tokenizer", "dropout", [](json& f) { f["model"]["dropout"] = 0.1; }},
        Case{"UnkUnknown", "bad_vocabulary", "unk_token", [](json& f) { f["model"]["unk_token"] = "<unk>"; }},
        Case{"Lowercase", "unsupported_tokenizer", "Lowercase", [](json& f) { f["normalizer"] = {{"type", "Lowercase"}}; }},
        Case{"Precompiled", "unsupported_tokenizer", "Precompiled",
             [](json& f) { f["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", "!!"}}; }},
        Case{"ReplaceRegex", "unsupported_tokenizer", "Replace",
             [](json& f) {
               f["normalizer"] = {{"type", "Replace"}, {"pattern", {{"Regex", "(a+)+$"}}}, {"content", "b"}}; }},
        Case{"ReplaceAndByteLevel", "unsupported_tokenizer", "both byte-level",
             [](json& f) {
               f["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}}; }},
        Case{"NoSpelling", "unsupported_tokenizer", "neither byte-level", [](json& f) { f["pre_tokenizer"] = nullptr; }},
        Case{"NormalizerText", "bad_json", "normalizer is not an object", [](json& f) { f["normalizer"] = "NFC"; }},
        Case{"SequenceNoList", "bad_json", "\"pretokenizers\"", [](json& f) { f["pre_tokenizer"] = {{"type", "Sequence"}}; }},
        Case{"Whitespace", "unsupported_tokenizer", "Whitespace", [](json& f) { f["pre_tokenizer"] = {{"type", "Whitespace"}}; }},
        Case{"DigitsTogether", "unsupported_tokenizer", "Digits",
             [](json& f) {
               f["pre_tokenizer"] = sequence({{{"type", "Digits"}, {"individual_digits", false}}, byte_level()}); }},
        Case{"RegexNested", "unsupported_regex", "(a+)+$", [](json& f) { f["pre_tokenizer"] = sequence({split("(a+)+$"), byte_level()}); }},
        Case{"RegexLookahead", "unsupported_regex", "(?=(a*))*",
             [](json& f) { f["pre_tokenizer"] = sequence({split("(?=(a*))*"), byte_level()}); }},
        Case{"RegexBackreference", "unsupported_regex", "(a)",
             [](json& f) { f["pre_tokenizer"] = sequence({split("(a)\\1"), byte_level()}); }},
        Case{"RegexLong", "unsupported_regex", "1048576 bytes",
             [](json& f) { f["pre_tokenizer"] = sequence({split(std::string(1 << 20, '(')), byte_level()}); }},
        Case{"SplitRemoved", "unsupported_tokenizer", "Removed",
             [](json& f) {
               json cut = split("x");
               cut["behavior"] = "Removed";
               f["pre_tokenizer"] = sequence({cut, byte_level()});
             }},
        Case{"PostRoberta", "unsupported_tokenizer", "RobertaProcessing",
             [](json& f) { f["post_processor"] = {{"type", "RobertaProcessing"}}; }},
        Case{"TemplateEnds", "unsupported_tokenizer", "more than one token",
             [](json& f) {
              f["post_processor"] = json::parse(
                  R"({"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"<end>","type_id":0}}]})");
             }},
        Case{"TemplateUnknown", "bad_vocabulary", "\"<s>\"",
             [](json& f) {
              f["post_processor"] = json::parse(
                  R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}]})");
             }},
        Case{"DecoderWordPiece", "unsupported_tokenizer", "WordPiece", [](json& f) { f["decoder"] = {{"type", "WordPiece"}}; }}),
    [](const auto& p) { return p.param.name; });

TEST(TokenizerJson, RefusesBytesThatAreNoJson) {
  const std::string text = small().dump();
  expect_refusal("\xEF\xBB\xBF" + text, "bad_json", "byte order mark");
  std::string wide = "\xFF\xFE";
  for (char c : text) wide += {c, '\0'};
  expect_refusal(wide, "bad_json", "UTF-16");
  expect_refusal(wide.substr(2), "bad_json", "UTF-16");
  expect_refusal("", "bad_json", "");
  expect_refusal(text + "x", "bad_json", "");
  expect_refusal(text + std::string(1, '\0'), "bad_json", "");
  expect_refusal("{\"model\": \"\xFF\"}", "bad_json", "");
  expect_refusal("{\"model\": NaN}", "bad_json", "");
  expect_refusal("{\"model\": 1e999}", "bad_json", "");
  expect_refusal("{\"a\": 1, \"a\": 2}", "bad_json", "twice");
  expect_refusal(std::string(limits::tokenizer_json_bytes + 1, ' '), "bad_json", "at most");
  for (const char* key : {"\\ud800", "\\udc00", "\\ud800\\ud800", "\\ud800x"})
    expect_refusal(std::string(R"({"model":{"type":"BPE","merges":[],"vocab":{")") + key + R"(":0}}})", "bad_json", "");
}

TEST(TokenizerJson, RefusesWhatIsTwiceInTheLargeParts) {
  const char* head =
      R"({"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"model":{"type":"BPE","merges":[],"vocab":{"a":0)";
  expect_refusal(std::string(head) + R"(,"a":0}}})", "bad_vocabulary", "both have the id 0");
  expect_refusal(std::string(head) + R"(,"a":1}}})", "bad_vocabulary", "are both \"a\"");
  expect_refusal(std::string(head) + R"(},"vocab":{"b":1}}})", "bad_json", "twice");
  expect_refusal(std::string(head) + R"(}},"added_tokens":[],"added_tokens":[]})", "bad_json", "twice");
}

TEST(TokenizerJson, RefusesNestingAndCrowds) {
  const auto nested = [](const char* open, size_t count) {
    std::string text = "{\"x\":";
    for (size_t i = 0; i < count; i++) text += open;
    return text;
  };
  for (const char* open : {"[", "{\"type\":\"Sequence\",\"normalizers\":[", "{\"a\":"}) {
    expect_refusal(nested(open, 10'000), "bad_json", "nested more than");
    expect_refusal(nested(open, 1'000'000), "bad_json", "nested more than");
  }
  json file = small();
  json inner = {{"type", "NFC"}};
  for (int i = 0; i < 10; i++) inner = {{"type", "Sequence"}, {"normalizers", json::array({inner})}};
  file["normalizer"] = inner;  // ten are odd, and read
  EXPECT_NO_THROW(tokenizer_of(file.dump()));

  std::string crowd = "{\"x\":[0";
  for (uint64_t i = 0; i < limits::tokenizer_json_values; i++) crowd += ",0";
  expect_refusal(crowd + "]}", "bad_json", "values");
  std::string added = R"({"added_tokens":[{"id":0,"content":"x"})";
  for (int i = 1; i < 1'000'000; i++) added += R"(,{"id":1,"content":"x"})";
  expect_refusal(added + "]}", "bad_vocabulary", "added tokens");
}

TEST(TokenizerJson, RefusesPiecesWithSomeBytesOnly) {
  json file = pieces();
  EXPECT_EQ(tokenizer_of(file.dump()).encode("abé", SpecialTokens::as_text), (Ids{3, 4 + 0xC3, 4 + 0xA9}));
  file["model"]["vocab"].erase("<0x41>");
  file["model"]["vocab"]["z"] = 4 + 0x41;
  expect_refusal(file.dump(), "bad_vocabulary", "255 of the 256 bytes");
  file["model"]["vocab"] = {{"<unk>", 0}, {"a", 1}, {"b", 2}, {"ab", 3}};
  expect_refusal(file.dump(), "bad_vocabulary", "byte_fallback");
  file["model"]["byte_fallback"] = false;
  EXPECT_EQ(tokenizer_of(file.dump()).encode("abéé", SpecialTokens::as_text), (Ids{3, 0, 0}));
  file["model"]["fuse_unk"] = true;
  EXPECT_EQ(tokenizer_of(file.dump()).encode("abéé", SpecialTokens::as_text), (Ids{3, 0}));
  file["model"].erase("unk_token");
  EXPECT_EQ(tokenizer_of(file.dump()).encode("abéé", SpecialTokens::as_text), Ids{3});
}

TEST(TokenizerJson, ReadsWhatIsOddButHasOneMeaning) {
  json file = pieces();  // a merge of pieces with spaces in them, in the syntax that can say so
  file["model"]["vocab"]["x y"] = 260, file["model"]["vocab"]["x ya"] = 261;
  file["model"]["merges"] = json::array({json::array({"x y", "a"}), json::array({"a", "b"})});
  EXPECT_EQ(tokenizer_of(file.dump()).encode("ab", SpecialTokens::as_text), Ids{3});

  file = small();
  file["model"]["vocab"][std::string(1, '\0')] = 5;              // a name with a NUL
  file["added_tokens"].push_back({{"id", 7}, {"content", ""}});  // never found; 6 is a gap
  const Tokenizer odd = tokenizer_of(file.dump());
  EXPECT_EQ(odd.size(), 8);
  EXPECT_EQ(odd.token_text(5), std::string_view("\0", 1));
  EXPECT_EQ(odd.type(6), TokenType::unused);
  EXPECT_EQ(odd.encode("ab<end>", SpecialTokens::parse), (Ids{2, 4}));

  file = small();
  file["added_tokens"][0] = {{"id", 3}, {"content", "c"}};  // an added token that is a token already
  EXPECT_EQ(tokenizer_of(file.dump()).encode("abc", SpecialTokens::as_text), (Ids{2, 3}));
}

// The longest text there may be, of one character, or of what an added token begins with: no rule that only these files have
// takes more than linear time. (The bounds leave room for sanitizers and busy machines.)
TEST(TokenizerJson, TakesLinearTimeForOneCharacterOverAndOver) {
  for (const char* family : {"flags", "llama2_old", "metaspace", "unknown", "gemma3"}) {
    const Tokenizer tokenizer = tokenizer_of(file_text(family));
    for (std::string_view unit : {"a", " ", "<", "\x80"}) {
      SCOPED_TRACE(family + json(std::string(unit)).dump(-1, ' ', true, json::error_handler_t::replace));
      double seconds[2];
      for (int all : {0, 1}) {
        std::string text;
        while (text.size() + unit.size() <= longest_prompt / (all ? 1 : 8)) text += unit;
        const std::clock_t start = std::clock();
        tokenizer.encode(text, SpecialTokens::parse);
        seconds[all] = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
      }
      EXPECT_LT(seconds[1], 20);
      EXPECT_LT(seconds[1], 24 * seconds[0] + 0.5);
    }
  }
}

TEST(TokenizerJson, LoadsLargeFilesQuickly) {
  json file = small();
  json& vocab = file["model"]["vocab"];
  json& merges = file["model"]["merges"];
  std::vector<std::string> last = {"a", "b", "c"};  // every word of three letters, up to eleven of them
  for (int id = 5; vocab.size() < 250'000;) {
    std::vector<std::string> next;
    for (const std::string& left : last)
      for (const char* right : {"a", "b", "c"}) {
        if (!vocab.contains(left + right)) vocab[left + right] = id++, merges.push_back({left, right});
        next.push_back(left + right);
      }
    last = std::move(next);
  }
  const std::string text = file.dump();
  EXPECT_GT(text.size(), 10'000'000u);
  const auto start = std::chrono::steady_clock::now();
  const Tokenizer tokenizer = tokenizer_of(text);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  RecordProperty("seconds", std::to_string(seconds));
  EXPECT_LT(seconds, 20);  // under one by itself; the bound leaves room for sanitizers and busy machines
  EXPECT_EQ(tokenizer.encode("abcabc", SpecialTokens::as_text).size(), 2u);
}

}  // namespace
}  // namespace ridgeline
