// Vocabularies as a hostile or broken file would have them: refused with a reason, or accepted by a stated rule.
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/limits.h"
#include "text/golden_ids.h"
#include "text/tokenizer.h"

namespace ridgeline {
namespace {

Vocabulary tiny() {
  Vocabulary v;
  v.pre = "gpt-2";
  v.tokens = {"a", "b", "c", "ab", "<end>", "abc"};
  v.types = {1, 1, 1, 1, 3, 1};
  v.merges = {"a b", "ab c"};
  return v;
}

struct Case {
  const char* name;
  const char* id;       // of the error
  const char* message;  // a part of it
  void (*change)(Vocabulary&);
};

class Refused : public testing::TestWithParam<Case> {};

TEST_P(Refused, WithAReason) {
  Vocabulary v = tiny();
  GetParam().change(v);
  try {
    Tokenizer tokenizer(v);
    FAIL() << "not refused";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::bad_data);
    EXPECT_EQ(e.id(), GetParam().id);
    EXPECT_NE(std::string(e.what()).find(GetParam().message), std::string::npos) << e.what();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Vocabulary, Refused,
    testing::Values(
        Case{"Model", "unsupported_tokenizer", "\"bert\"", [](Vocabulary& v) { v.model = "bert"; }},
        Case{"Pre", "unsupported_pretokenizer", "smollm", [](Vocabulary& v) { v.pre = "gpt-5"; }},
        Case{"NoPre", "unsupported_pretokenizer", "llama-bpe", [](Vocabulary& v) { v.pre = ""; }},
        Case{"NoTokens", "bad_vocabulary", "no tokens", [](Vocabulary& v) { v.tokens.clear(), v.types.clear(); }},
        Case{"FewerTypes", "bad_vocabulary", "6 tokens but 5 token types", [](Vocabulary& v) { v.types.pop_back(); }},
        Case{"MoreTypes", "bad_vocabulary", "7 token types", [](Vocabulary& v) { v.types.push_back(1); }},
        Case{"TypeZero", "bad_vocabulary", "type 0", [](Vocabulary& v) { v.types[0] = 0; }},
        Case{"TypeSeven", "bad_vocabulary", "type 7", [](Vocabulary& v) { v.types[5] = 7; }},
        Case{"TypeNegative", "bad_vocabulary", "type -2147483648", [](Vocabulary& v) { v.types[5] = INT32_MIN; }},
        Case{"NotUtf8", "bad_vocabulary", "token 1", [](Vocabulary& v) { v.tokens[1] = "\xC3"; }},
        Case{"Surrogate", "bad_vocabulary", "not UTF-8", [](Vocabulary& v) { v.tokens[1] = "\xED\xA0\x80"; }},
        Case{"ControlNotUtf8", "bad_vocabulary", "token 4", [](Vocabulary& v) { v.tokens[4] = "<\xFF>"; }},
        Case{"Twice", "bad_vocabulary", "tokens 0 and 1", [](Vocabulary& v) { v.tokens[1] = "a"; }},
        Case{"TwiceAcrossTypes", "bad_vocabulary", "tokens 3 and 4", [](Vocabulary& v) { v.tokens[4] = "ab"; }},
        Case{"TokenTooLong", "bad_vocabulary", "at most 1048576",
             [](Vocabulary& v) { v.tokens[5] = std::string((1 << 20) + 1, 'x'), v.merges.pop_back(); }},
        Case{"ControlTooLong", "bad_vocabulary", "at most 1024",
             [](Vocabulary& v) { v.tokens[4] = std::string(1025, 'x'); }},
        Case{"MergeEmpty", "bad_vocabulary", "merge 0", [](Vocabulary& v) { v.merges[0] = ""; }},
        Case{"MergeOfOne", "bad_vocabulary", "not two tokens", [](Vocabulary& v) { v.merges[0] = "ab"; }},
        Case{"MergeNoRight", "bad_vocabulary", "not two tokens", [](Vocabulary& v) { v.merges[0] = "a "; }},
        Case{"MergeNoLeft", "bad_vocabulary", "not two tokens", [](Vocabulary& v) { v.merges[0] = " b"; }},
        Case{"MergeOfThree", "bad_vocabulary", "\"b c\"", [](Vocabulary& v) { v.merges[0] = "a b c"; }},
        Case{"MergeUnknownLeft", "bad_vocabulary", "\"z\"", [](Vocabulary& v) { v.merges[0] = "z b"; }},
        Case{"MergeUnknownRight", "bad_vocabulary", "\"z\"", [](Vocabulary& v) { v.merges[0] = "a z"; }},
        Case{"MergeUnknownResult", "bad_vocabulary", "\"ac\"", [](Vocabulary& v) { v.merges[0] = "a c"; }},
        Case{"MergeOfControl", "bad_vocabulary", "\"<end>\"", [](Vocabulary& v) { v.merges[0] = "<end> a"; }},
        Case{"MergeToUnused", "bad_vocabulary", "\"abc\"", [](Vocabulary& v) { v.types[5] = 5; }},
        Case{"MergeNotUtf8", "bad_vocabulary", "merge 1", [](Vocabulary& v) { v.merges[1] = "\xFF \xFE"; }},
        Case{"BosAtSize", "bad_vocabulary", "bos_token_id is 6", [](Vocabulary& v) { v.bos = 6; }},
        Case{"EosNegative", "bad_vocabulary", "eos_token_id is -1", [](Vocabulary& v) { v.eos = -1; }},
        Case{"UnkHuge", "bad_vocabulary", "4294967295", [](Vocabulary& v) { v.unk = 0xFFFFFFFF; }},
        Case{"PadHuge", "bad_vocabulary", "9223372036854775807", [](Vocabulary& v) { v.pad = INT64_MAX; }},
        Case{"EotHuge", "bad_vocabulary", "eot_token_id", [](Vocabulary& v) { v.eot = 1000; }},
        Case{"EomHuge", "bad_vocabulary", "eom_token_id", [](Vocabulary& v) { v.eom = 1000; }},
        Case{"ManyMerges", "bad_vocabulary", "exceed", [](Vocabulary& v) { v.merges.resize(limits::merges + 1); }}),
    [](const auto& p) { return p.param.name; });

TEST(Accepted, EmptyAndUnusedTokensAndPaddingAreNeverProduced) {
  Vocabulary v = tiny();
  v.tokens.insert(v.tokens.end(), {"", "", "[PAD]", "[PAD]", "a"});  // an unused token may repeat another
  v.types.insert(v.types.end(), {1, 4, 5, 5, 5});
  const Tokenizer tokenizer(v);
  EXPECT_EQ(tokenizer.size(), 11);
  EXPECT_EQ(tokenizer.encode("a[PAD]", SpecialTokens::parse), std::vector<int32_t>{0});  // no tokens for the rest
  EXPECT_EQ(tokenizer.decode(std::vector<int32_t>{6, 7, 8, 10}), "[PAD]a");
}

TEST(Accepted, MergesMayRepeatAndTheLastRankCounts) {  // as in the library that Hugging Face uses
  Vocabulary v = tiny();
  v.tokens.push_back("bc"), v.types.push_back(1);
  v.merges = {"a b", "b c", "a b"};
  EXPECT_EQ(Tokenizer(v).encode("abc", SpecialTokens::as_text), (std::vector<int32_t>{0, 6}));
}

TEST(Accepted, TypesMayBeAbsent) {
  Vocabulary v = tiny();
  v.types.clear();
  EXPECT_EQ(Tokenizer(v).encode("abcab", SpecialTokens::as_text), (std::vector<int32_t>{5, 3}));
}

TEST(Accepted, ATokenOutsideTheByteAlphabetStandsForItself) {
  Vocabulary v = tiny();
  v.tokens.insert(v.tokens.end(), {"a b", "中", "é", "Ġ"});  // "é" is byte E9, "Ġ" the space
  v.types.insert(v.types.end(), {1, 1, 1, 1});
  const Tokenizer tokenizer(v);
  EXPECT_EQ(tokenizer.token_bytes(6), "a b");
  EXPECT_EQ(tokenizer.token_bytes(7), "中");
  EXPECT_EQ(tokenizer.token_bytes(8), "\xE9");
  EXPECT_EQ(tokenizer.token_bytes(9), " ");
  EXPECT_EQ(tokenizer.token_text(9), "Ġ");
}

TEST(Accepted, TwoHundredThousandAddedTokens) {
  Vocabulary v = tiny();
  for (int i = 0; i < 200'000; i++) v.tokens.push_back("<x" + std::to_string(i) + ">");
  v.types.resize(v.tokens.size(), 4);
  EXPECT_EQ(Tokenizer(v).encode("a<x199999>b", SpecialTokens::as_text), (std::vector<int32_t>{0, 200'005, 1}));
}

}  // namespace
}  // namespace ridgeline
