// Vocabularies of the kind "llama": pieces of characters, merged by their scores, with bytes for what is no piece.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <random>
#include <set>

#include "base/error.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "text/golden_ids.h"
#include "text/tokenizer.h"

namespace ridgeline {
namespace {

using Ids = std::vector<int32_t>;

constexpr const char* space = "\xE2\x96\x81";

std::string byte_token(int byte) {
  constexpr const char* digits = "0123456789ABCDEF";
  return std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">";
}

class EveryPieces : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Text, EveryPieces, testing::Values("gemma", "llama", "unknown"),
                         [](const auto& p) { return std::string(p.param); });

std::string file_of(const char* name) { return std::string("pieces_") + name + ".json"; }

TEST_P(EveryPieces, GivesTheIdsOfHuggingFace) {
  const auto json = read_json(file_of(GetParam()));
  expect_golden_ids(Tokenizer(pieces_from(json)), json["cases"]);
}

TEST_P(EveryPieces, StreamsWhatItDecodes) {
  const Tokenizer tokenizer(pieces_from(read_json(file_of(GetParam()))));
  auto expect_valid = [&](const Ids& ids) {
    StreamDecoder stream(tokenizer);
    std::string all;
    for (int32_t id : ids) {
      const std::string piece = stream.push(id);
      ASSERT_TRUE(is_utf8(piece));
      all += piece;
    }
    all += stream.flush();
    ASSERT_TRUE(is_utf8(all));
    ASSERT_EQ(all, tokenizer.decode(ids));
  };
  for (int32_t id = 0; id < tokenizer.size(); id++) expect_valid({id});
  std::mt19937 random(3);
  auto any = [&] {  // bytes half of the time, so that runs of them come up
    return static_cast<int32_t>(random() % (random() % 2 ? 260u : static_cast<uint32_t>(tokenizer.size())));
  };
  for (int i = 0; i < 20000; i++) expect_valid({any(), any()});
  for (int i = 0; i < 2000; i++) expect_valid({any(), any(), any(), any(), any(), any()});
}

TEST(Pieces, DecodeToTheTextThatWasEncoded) {
  for (const char* name : {"gemma", "llama"}) {
    const Tokenizer tokenizer(pieces_from(read_json(file_of(name))));
    for (const std::string& text : corpus()) {
      const Ids ids = tokenizer.encode(text, SpecialTokens::as_text);
      if (name == std::string("gemma") || text.find("<tool>") == std::string::npos) {
        EXPECT_EQ(tokenizer.decode_bytes(ids), text);
        EXPECT_EQ(tokenizer.decode(ids), text);
      }
    }
    std::mt19937 random(4);
    for (int i = 0; i < 2000; i++) {
      std::string text(random() % 24, '\0');
      for (char& c : text) c = static_cast<char>(random() % 3 ? random() % 256 : ' ' + random() % 3);
      if (text.find(space) == std::string::npos) {
        EXPECT_EQ(tokenizer.decode_bytes(tokenizer.encode(text, SpecialTokens::as_text)), text);
      }
    }
  }
}

// Eight MiB of one character: half of it takes half the time. (As for the other kind: the bounds leave room.)
TEST(Pieces, TakeLinearTimeForOneCharacterOverAndOver) {
  const Tokenizer tokenizer(pieces_from(read_json(file_of("llama"))));
  for (std::string_view unit : {"a", " ", "\n", "😀", "\xCC\x81", "the ", "\x80"}) {
    SCOPED_TRACE(std::string(unit));
    double seconds[2];
    for (int doubled : {0, 1}) {
      const size_t bytes = limits::prompt_bytes / (doubled ? 1 : 2);
      std::string text;
      while (text.size() + unit.size() <= bytes) text += unit;
      const auto start = std::chrono::steady_clock::now();
      tokenizer.encode(text, SpecialTokens::parse);
      seconds[doubled] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    RecordProperty("seconds", std::to_string(seconds[1]));
    EXPECT_LT(seconds[1], 20);
    EXPECT_LT(seconds[1], 6 * seconds[0] + 0.5);
  }
}

Vocabulary tiny() {
  Vocabulary v;
  v.model = "llama";
  v.tokens = {"<unk>", "a", "b", "c", "ab", "bc", "abc", space};
  v.types = {2, 1, 1, 1, 1, 1, 1, 1};
  v.scores = {0, -4, -5, -6, -2, -1, -3, -7};
  v.unk = 0;
  v.add_space_prefix = false;
  return v;
}

Vocabulary with_bytes(Vocabulary v) {
  for (int byte = 0; byte < 256; byte++) {
    v.tokens.push_back(byte_token(byte));
    v.types.push_back(6);
    v.scores.push_back(0);
  }
  return v;
}

TEST(Pieces, MergeTheHighestScoreFirstAndOfEqualOnesTheLeftmost) {
  Vocabulary v = tiny();
  auto encoded = [&](std::string_view text) { return Tokenizer(v).encode(text, SpecialTokens::as_text); };
  EXPECT_EQ(encoded("abc"), (Ids{6}));  // bc, then a + bc
  EXPECT_EQ(encoded("abb"), (Ids{4, 2}));
  v.scores[6] = -100;
  EXPECT_EQ(encoded("abcab"), (Ids{6, 4}));
  v.types[6] = 5;  // an unused piece
  EXPECT_EQ(encoded("abc"), (Ids{1, 5}));
  v.scores[4] = v.scores[5];
  EXPECT_EQ(encoded("abc"), (Ids{4, 3}));
  v.scores[4] = 0.0f, v.scores[5] = -0.0f;
  EXPECT_EQ(encoded("abc"), (Ids{4, 3}));
}

// The definition itself: look through all neighbours, merge the best, begin again.
Ids merged_slowly(const Vocabulary& v, const std::string& text) {
  std::vector<std::string> symbols;
  for (char c : text) symbols.emplace_back(1, c);
  auto piece = [&](const std::string& s) {
    const auto at = std::find(v.tokens.begin(), v.tokens.end(), s);
    return at == v.tokens.end() || v.types[static_cast<size_t>(at - v.tokens.begin())] != 1
               ? -1
               : static_cast<int32_t>(at - v.tokens.begin());
  };
  for (;;) {
    size_t best = symbols.size();
    float score = 0;
    for (size_t i = 0; i + 1 < symbols.size(); i++) {
      const int32_t id = piece(symbols[i] + symbols[i + 1]);
      if (id < 0 || (best < symbols.size() && v.scores[static_cast<size_t>(id)] <= score)) continue;
      best = i, score = v.scores[static_cast<size_t>(id)];
    }
    if (best == symbols.size()) break;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
  Ids ids;
  for (const std::string& s : symbols) {
    if (piece(s) >= 0) {
      ids.push_back(piece(s));
    } else {
      for (unsigned char c : s) {
        const std::string token = byte_token(c);
        ids.push_back(static_cast<int32_t>(std::find(v.tokens.begin(), v.tokens.end(), token) - v.tokens.begin()));
      }
    }
  }
  return ids;
}

TEST(Pieces, MergeAsTheDefinitionDoesForRandomVocabularies) {
  std::mt19937 random(5);
  for (int round = 0; round < 60; round++) {
    Vocabulary v = with_bytes(tiny());
    std::set<std::string> known(v.tokens.begin(), v.tokens.end());
    for (int i = 0; i < 40; i++) {  // also pieces whose parts are none, and many equal scores
      std::string piece;
      for (size_t n = 1 + random() % 5; n > 0; n--) piece += static_cast<char>('a' + random() % 4);
      if (!known.insert(piece).second) continue;
      v.tokens.push_back(piece), v.types.push_back(1);
      v.scores.push_back(-static_cast<float>(random() % 12));
    }
    const Tokenizer tokenizer(v);
    for (int i = 0; i < 40; i++) {
      std::string text(random() % 30, '\0');
      for (char& c : text) c = static_cast<char>('a' + random() % 5);
      ASSERT_EQ(tokenizer.encode(text, SpecialTokens::as_text), merged_slowly(v, text)) << text;
    }
  }
}

TEST(Pieces, BytesStandForWhatIsNoPieceAndElseOneUnknownTokenForARun) {
  const Tokenizer bytes(with_bytes(tiny())), unknown(tiny());
  EXPECT_EQ(bytes.encode("aé\xFF", SpecialTokens::as_text), (Ids{1, 8 + 0xC3, 8 + 0xA9, 8 + 0xFF}));
  EXPECT_EQ(bytes.decode_bytes(Ids{8 + 0xC3, 8 + 0xA9, 8 + 0xFF}), "é\xFF");
  EXPECT_EQ(unknown.encode("aéxxzb z", SpecialTokens::as_text), (Ids{1, 0, 2, 7, 0}));
  EXPECT_EQ(unknown.encode("a\xFF\x80\x80z\xC3z", SpecialTokens::as_text), (Ids{1, 0, 0, 0, 0, 0, 0}));
  Vocabulary v = tiny();
  v.unk.reset();
  EXPECT_EQ(Tokenizer(v).encode("aéb", SpecialTokens::as_text), (Ids{1, 2}));
}

TEST(Pieces, ByteTokensInTheTextAreText) {
  const Tokenizer tokenizer(with_bytes(tiny()));
  EXPECT_EQ(tokenizer.encode("<0x61>", SpecialTokens::parse).size(), 6u);
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("<0x61>", SpecialTokens::parse)), "<0x61>");
  EXPECT_EQ(tokenizer.token_text(8 + 'a'), "<0x61>");
  EXPECT_EQ(tokenizer.token_bytes(8 + 'a'), "a");
}

TEST(Pieces, ASpaceComesBeforeTextAndGoesFromIt) {
  Vocabulary v = with_bytes(tiny());
  v.add_space_prefix.reset();  // as such models expect
  const Tokenizer tokenizer(v);
  auto encoded = [&](std::string_view text) { return tokenizer.encode(text, SpecialTokens::as_text); };
  EXPECT_EQ(encoded("ab"), (Ids{7, 4}));
  EXPECT_EQ(encoded(" ab"), (Ids{7, 7, 4}));
  EXPECT_EQ(encoded(""), Ids{});
  EXPECT_EQ(tokenizer.decode(Ids{7, 7, 4}), " ab");
  EXPECT_EQ(tokenizer.decode(Ids{4, 7}), "ab ");
  EXPECT_EQ(tokenizer.decode_bytes(Ids{7, 4}), "ab");
  StreamDecoder from_middle(tokenizer, ControlTokens::show, DecodeFrom::middle);
  EXPECT_EQ(from_middle.push(7) + from_middle.push(4), " ab");
  EXPECT_FALSE(tokenizer.add_bos());  // there is none
  v.bos = 0;
  EXPECT_TRUE(Tokenizer(v).add_bos());
}

TEST(Pieces, TypesMayBeAbsent) {
  Vocabulary v = with_bytes(tiny());
  v.types.clear();
  EXPECT_EQ(Tokenizer(v).encode("abé", SpecialTokens::as_text), (Ids{4, 8 + 0xC3, 8 + 0xA9}));
}

struct Case {
  const char* name;
  const char* message;  // a part of it
  void (*change)(Vocabulary&);
};

class RefusedPieces : public testing::TestWithParam<Case> {};

TEST_P(RefusedPieces, WithAReason) {
  Vocabulary v = with_bytes(tiny());
  GetParam().change(v);
  try {
    Tokenizer tokenizer(v);
    FAIL() << "not refused";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::bad_data);
    EXPECT_EQ(e.id(), "bad_vocabulary");
    EXPECT_NE(std::string(e.what()).find(GetParam().message), std::string::npos) << e.what();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Vocabulary, RefusedPieces,
    testing::Values(
        Case{"NoScores", "264 tokens but 0 scores", [](Vocabulary& v) { v.scores.clear(); }},
        Case{"FewerScores", "263 scores", [](Vocabulary& v) { v.scores.pop_back(); }},
        Case{"ScoreNan", "token 1 has the score", [](Vocabulary& v) { v.scores[1] = NAN; }},
        Case{"ScoreInfinite", "score inf", [](Vocabulary& v) { v.scores[2] = INFINITY; }},
        Case{"Merges", "both scores and merges", [](Vocabulary& v) { v.merges = {"a b"}; }},
        Case{"ByteSigned", "<0x00> to <0xFF>", [](Vocabulary& v) { v.tokens[8] = "<0x-1>"; }},
        Case{"ByteNotHex", "<0x00> to <0xFF>", [](Vocabulary& v) { v.tokens[8] = "<0x0G>"; }},
        Case{"ByteLong", "<0x00> to <0xFF>", [](Vocabulary& v) { v.tokens[8] = "<0x100>"; }},
        Case{"BytePlain", "<0x00> to <0xFF>", [](Vocabulary& v) { v.tokens[8] = "z"; }},
        Case{"ByteTwice", "both the byte 0x0A", [](Vocabulary& v) { v.tokens[8] = "<0x0a>"; }},
        Case{"ByteMissing", "255 of the 256",
             [](Vocabulary& v) { v.tokens.pop_back(), v.types.pop_back(), v.scores.pop_back(); }},
        Case{"MergeIdNegative", "token -1", [](Vocabulary& v) { v.rules.emplace(), v.merge_ids = {{-1, 2}}; }},
        Case{"MergeIdAtSize", "token 264", [](Vocabulary& v) { v.rules.emplace(), v.merge_ids = {{1, 264}}; }},
        Case{"MergeIdToNothing", "\"ba\"", [](Vocabulary& v) { v.rules.emplace(), v.merge_ids = {{2, 1}}; }}),
    [](const auto& p) { return p.param.name; });

}  // namespace
}  // namespace ridgeline
