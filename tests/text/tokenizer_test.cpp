#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "base/error.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "text/golden_ids.h"

namespace ridgeline {
namespace {

using Ids = std::vector<int32_t>;

std::string repeat(std::string_view unit, size_t bytes) {
  std::string text;
  text.reserve(bytes);
  while (text.size() + unit.size() <= bytes) text += unit;
  return text;
}

class EveryPreTokenizer : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Text, EveryPreTokenizer, testing::Values("gpt-2", "smollm", "llama-bpe", "qwen2"),
                         [](const auto& p) {
                           return p.param == std::string("gpt-2")       ? "gpt2"
                                  : p.param == std::string("llama-bpe") ? "llama"
                                                                        : p.param;
                         });

TEST_P(EveryPreTokenizer, GivesTheIdsOfHuggingFace) {
  const auto json = read_json(std::string("vocabulary_") + GetParam() + ".json");
  expect_golden_ids(Tokenizer(vocabulary_from(json)), json["cases"]);
}

TEST_P(EveryPreTokenizer, DecodesWhatItEncodes) {
  const bool composes = GetParam() == std::string("qwen2");
  const Vocabulary v = small_vocabulary(GetParam());
  const Tokenizer tokenizer(v);
  const bool has_all_bytes = v.pre != "smollm";  // the model's vocabulary lacks 21
  for (const std::string& text : corpus()) {
    for (SpecialTokens special : {SpecialTokens::as_text, SpecialTokens::parse}) {
      const std::string back = tokenizer.decode_bytes(tokenizer.encode(text, special));
      if (has_all_bytes && !composes) { EXPECT_EQ(back, text); }
      EXPECT_TRUE(is_utf8(back));
      // Text that has lost what the vocabulary lacks, or is composed already, stays as it is.
      EXPECT_EQ(tokenizer.decode_bytes(tokenizer.encode(back, special)), back);
    }
  }
}

// The longest text there may be, of one character: half of it takes half the time, and neither takes seconds. The bounds
// leave room for sanitizers and busy machines; quadratic time would miss them by a factor of thousands.
TEST_P(EveryPreTokenizer, TakesLinearTimeForOneCharacterOverAndOver) {
  const Tokenizer tokenizer(small_vocabulary(GetParam()));
  std::vector<std::string_view> units = {"a", " ", "\n"};
  if (GetParam() == std::string("gpt-2")) units.insert(units.end(), {"😀", "\xCC\x81", " \n", "a\x80"});
  for (std::string_view unit : units) {
    SCOPED_TRACE(nlohmann::json(std::string(unit)).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
    double seconds[2];
    for (int doubled : {0, 1}) {
      const std::string text = repeat(unit, limits::prompt_bytes / (doubled ? 1 : 2));
      const auto start = std::chrono::steady_clock::now();
      EXPECT_FALSE(tokenizer.encode(text, SpecialTokens::parse).empty());
      seconds[doubled] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    EXPECT_LT(seconds[1], 20);
    EXPECT_LT(seconds[1], 6 * seconds[0] + 0.5);
  }
}

TEST(Tokenizer, GivesBytesThatAreNotUtf8TheirOwnTokens) {
  const Tokenizer tokenizer(small_vocabulary("gpt-2"));
  for (std::string_view text :
       {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "\xE6\xAD", "a\xFFz", "\xF0\x9F\x98", "é\xC3",
        "<|im_\x80"
        "end|>",
        "\xFE<|im_end|>\xFF"}) {
    for (SpecialTokens special : {SpecialTokens::as_text, SpecialTokens::parse}) {
      const Ids ids = tokenizer.encode(text, special);
      EXPECT_EQ(tokenizer.decode_bytes(ids), text);
      EXPECT_TRUE(is_utf8(tokenizer.decode(ids)));
    }
  }
  std::mt19937 random(1);
  for (int i = 0; i < 2000; i++) {
    std::string text(random() % 24, '\0');
    for (char& c : text) c = static_cast<char>(random() % 3 ? random() % 256 : 'a' + random() % 4);
    EXPECT_EQ(tokenizer.decode_bytes(tokenizer.encode(text, SpecialTokens::as_text)), text);
  }
}

TEST(Tokenizer, LeavesSpecialTokensInTextAsTextUnlessAsked) {
  const Tokenizer tokenizer(small_vocabulary("smollm"));
  const int32_t im_end = tokenizer.find("<|im_end|>").value();
  EXPECT_EQ(tokenizer.encode("<|im_end|>", SpecialTokens::parse), Ids{im_end});
  for (int32_t id : tokenizer.encode("a<|im_end|><|im_start|>system", SpecialTokens::as_text))
    EXPECT_FALSE(tokenizer.is_special(id));
  EXPECT_EQ(tokenizer.decode(Ids{im_end}), "<|im_end|>");
  EXPECT_EQ(tokenizer.decode(Ids{im_end}, ControlTokens::hide), "");
}

TEST(Tokenizer, MatchesUserDefinedTokensInAnyTextAndPrefersTheLongest) {
  const Tokenizer tokenizer(small_vocabulary("gpt-2"));
  const int32_t tool = tokenizer.find("<tool>").value();
  EXPECT_EQ(tokenizer.encode("<tool><tool>", SpecialTokens::as_text), (Ids{tool, tool}));
  EXPECT_FALSE(tokenizer.is_special(tool));
  EXPECT_EQ(tokenizer.encode("<|im_end|>>", SpecialTokens::parse), Ids{tokenizer.find("<|im_end|>>").value()});
}

TEST(Tokenizer, RefusesIdsThatDoNotExist) {
  const Tokenizer tokenizer(small_vocabulary("smollm"));
  StreamDecoder stream(tokenizer);
  for (int32_t id : {-1, tokenizer.size(), INT32_MAX, INT32_MIN}) {
    EXPECT_THROW(tokenizer.token_bytes(id), Error);
    EXPECT_THROW(tokenizer.decode(Ids{0, id}), Error);
    EXPECT_THROW(tokenizer.is_end_of_generation(id), Error);
    EXPECT_THROW(stream.push(id), Error);
  }
}

TEST(Tokenizer, RefusesATextThatIsTooLong) {
  const Tokenizer tokenizer(small_vocabulary("smollm"));
  try {
    tokenizer.encode(std::string(limits::prompt_bytes + 1, 'a'), SpecialTokens::as_text);
    FAIL() << "not refused";
  } catch (const Error& e) { EXPECT_EQ(e.id(), "text_too_long"); }
}

TEST(Tokenizer, KnowsWhichTokensEndATurn) {
  Vocabulary v = small_vocabulary("smollm");
  v.bos = 1, v.eos = 2, v.unk = 0, v.pad = 2;
  v.eot = 3;
  const Tokenizer tokenizer(v);
  EXPECT_EQ(tokenizer.bos(), 1);
  EXPECT_EQ(tokenizer.eos(), 2);
  EXPECT_TRUE(tokenizer.is_end_of_generation(2));
  EXPECT_TRUE(tokenizer.is_end_of_generation(3));
  EXPECT_TRUE(tokenizer.is_end_of_generation(tokenizer.find("<|endoftext|>").value()));
  EXPECT_FALSE(tokenizer.is_end_of_generation(1));
  EXPECT_FALSE(tokenizer.add_bos());  // smollm's models were trained without
  v.add_bos = true;
  EXPECT_TRUE(Tokenizer(v).add_bos());
  v.bos.reset();
  EXPECT_FALSE(Tokenizer(v).add_bos());
}

TEST(Tokenizer, PutsASpaceBeforeTextWhenTheFileAsksForIt) {
  Vocabulary v = small_vocabulary("gpt-2");
  v.add_space_prefix = true;
  const Tokenizer with(v), without(small_vocabulary("gpt-2"));
  EXPECT_EQ(with.encode("hello", SpecialTokens::as_text), without.encode(" hello", SpecialTokens::as_text));
  EXPECT_EQ(with.encode(" hello", SpecialTokens::as_text), without.encode(" hello", SpecialTokens::as_text));
  EXPECT_TRUE(with.encode("", SpecialTokens::as_text).empty());
}

TEST(StreamDecoder, GivesValidUtf8ForEveryIdAndForRandomPairs) {
  const Tokenizer tokenizer(small_vocabulary("gpt-2"));
  auto expect_valid = [&](const Ids& ids) {
    StreamDecoder stream(tokenizer);
    std::string all;
    for (int32_t id : ids) {
      const std::string piece = stream.push(id);
      ASSERT_TRUE(is_utf8(piece));
      all += piece;
    }
    all += stream.flush();
    EXPECT_TRUE(is_utf8(all));
    EXPECT_EQ(all, tokenizer.decode(ids));
    EXPECT_EQ(stream.flush(), "");
  };
  for (int32_t id = 0; id < tokenizer.size(); id++) expect_valid({id});
  std::mt19937 random(2);
  auto any = [&] {
    return static_cast<int32_t>(random() % (random() % 2 ? 256u : static_cast<uint32_t>(tokenizer.size())));
  };
  for (int i = 0; i < 20000; i++) expect_valid({any(), any()});
  for (int i = 0; i < 2000; i++) expect_valid({any(), any(), any(), any(), any(), any()});
}

TEST(StreamDecoder, HoldsBackACharacterUntilItIsWhole) {
  const Tokenizer tokenizer(small_vocabulary("gpt-2"));
  StreamDecoder stream(tokenizer);
  std::vector<std::string> pieces;
  for (char byte : std::string("a\xF0\x9F\x98\x80")) {
    const Ids ids = tokenizer.encode(std::string(1, byte), SpecialTokens::as_text);
    ASSERT_EQ(ids.size(), 1u);
    pieces.push_back(stream.push(ids[0]));
  }
  EXPECT_EQ(pieces, (std::vector<std::string>{"a", "", "", "", "😀"}));
}

TEST(Utf8, ReplacesEachMaximalPartThatIsMalformed) {  // the examples of Unicode 16, section 3.9, tables 3-8 to 3-11
  auto repaired = [](std::string text) {
    std::string to;
    append_utf8(text, to);
    for (size_t i = 0; i < to.size();) {  // U+FFFD as '#', to be readable
      if (to.compare(i, 3, replacement_character) == 0) to.replace(i, 3, "#");
      i++;
    }
    return to + (text.empty() ? "" : "+");
  };
  EXPECT_EQ(repaired("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"), "########A");
  EXPECT_EQ(repaired("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"), "########A");
  EXPECT_EQ(repaired("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"), "#####A##B");
  EXPECT_EQ(repaired("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), "####A");
  EXPECT_EQ(repaired("a\xE2\x82"), "a+");
}

}  // namespace
}  // namespace ridgeline
