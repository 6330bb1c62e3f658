#include "base/json.h"

#include <gtest/gtest.h>

#include "base/refused.h"

namespace ridgeline {
namespace {

const JsonSource source{"config_json", "config.json"};
Json read(std::string_view text) { return read_json(text, source, {.bytes = 4096, .values = 100}); }
::testing::AssertionResult bad(std::string_view text, std::initializer_list<std::string_view> words = {}) {
  return refused(ExitCode::bad_data, "config_json", words, [&] { read(text); });
}

TEST(JsonText, is_read_whole) {
  Json j = read(" {\"a\":[1,-2,3.5,\"\\u00e9\",null,true],\"b\":{}} \n");
  EXPECT_EQ(j["a"][0].get<int>(), 1);
  EXPECT_EQ(j["a"][3].get<std::string>(), "é");
  EXPECT_TRUE(j["b"].is_object());
  EXPECT_TRUE(read("7").is_number());
}

TEST(JsonText, refuses_what_is_not_JSON) {
  for (auto text : {"", " ", "{", "{\"a\"}", "{\"a\":1,}", "[1 2]", "nul", "{} {}", "01", "1.", "\"a", "\"\n\"",
                    "{\"a\":Infinity}", "// x\n{}", "\"\\ud800\"", "\"\xff\""})
    EXPECT_TRUE(bad(text, {"config.json is not JSON", "byte"})) << text;
  EXPECT_TRUE(bad("{\"a\":1\x1b}", {"\\x1b"}));
  EXPECT_TRUE(bad(std::string_view("{}\0", 3)));
  EXPECT_TRUE(bad("\xEF\xBB\xBF{}", {"byte order mark"}));
  EXPECT_TRUE(bad("[1e400]", {"too large"}));
}

TEST(JsonText, refuses_keys_that_are_there_twice) {
  EXPECT_TRUE(bad("{\"a\":1,\"a\":1}", {"\"a\" twice"}));
  EXPECT_TRUE(bad("{\"b\":{\"a\":{},\"c\":[{}],\"a\":1}}", {"\"a\" twice"}));
  EXPECT_EQ(read("[{\"a\":1},{\"a\":{\"a\":2}}]").size(), 2u);
}

TEST(JsonText, is_bounded) {
  EXPECT_TRUE(bad(std::string(5000, ' ') + "1", {"5001 bytes", "4096"}));
  EXPECT_TRUE(bad(std::string(100, '[') + std::string(100, ']'), {"nested more than 64 deep"}));
  EXPECT_TRUE(bad(std::string(2000, '['), {"nested"}));
  std::string many = "[0";
  for (int i = 0; i < 300; i++) many += ",0";
  EXPECT_TRUE(bad(many + "]", {"more than 100 values"}));
}

TEST(JsonText, says_where) {
  EXPECT_TRUE(bad("{\"a\":{\"b\":[{\"c\":1,\"c\":2}]}}", {"config.json, a.b: it has the key \"c\" twice"}));
  EXPECT_TRUE(bad("[1, 2,, 3]", {"breaks off at byte 6 of 10, after \"[1, 2,,\""}));
  EXPECT_TRUE(bad("\xFF\xFE[\0]\0", {"UTF-16"}));
  EXPECT_TRUE(bad(std::string_view("[\0]\0", 4), {"byte 1 of 4", "UTF-16"}));
}

TEST(JsonText, integers_are_kept_whole) {
  Json j = read("[18446744073709551615, -9223372036854775808, 9223372036854775807]");
  EXPECT_EQ(j[0].get<uint64_t>(), UINT64_MAX);
  EXPECT_EQ(j[1].get<int64_t>(), INT64_MIN);
  EXPECT_TRUE(j[2].is_number_unsigned());
  EXPECT_EQ(j[2].get<int64_t>(), INT64_MAX);
  EXPECT_TRUE(read("[18446744073709551616]")[0].is_number_float());
}

// Takes lists called "large", which may then hold what the limits on the tree would not allow.
class Taking : public JsonReader {
 public:
  Taking() : JsonReader({"config_json", "config.json"}, {.bytes = 1 << 20, .values = 6}) {}
  std::string seen;

 private:
  bool takes(const std::vector<std::string>& path, JsonEvent::Kind kind) override {
    return !path.empty() && path.back() == "large" && kind == JsonEvent::begin_array;
  }
  void taken(const JsonEvent& e) override {
    if (e.kind == JsonEvent::integer) seen += std::to_string(e.number) + ",";
    if (e.kind == JsonEvent::null) bad("null is not wanted.");
  }
};

TEST(JsonReader, takes_large_parts_event_by_event) {
  Taking reader;
  Json rest = reader.read(R"({"a":{"large":[1,2,[3,{"k":4,"k":5}],6,7]},"large":{"b":[8]}})");
  EXPECT_EQ(reader.seen, "1,2,3,4,5,6,7,");
  EXPECT_EQ(rest, Json::parse(R"({"a":{"large":null},"large":{"b":[8]}})"));
  EXPECT_TRUE(refused(ExitCode::bad_data, "config_json", {"config.json, a.large: null is not wanted"},
                      [] { Taking().read(R"({"a":{"large":[null]}})"); }));
  EXPECT_TRUE(refused(ExitCode::bad_data, "config_json", {"18446744073709551615 is too large"},
                      [] { Taking().read(R"({"large":[18446744073709551615]})"); }));
  EXPECT_TRUE(refused(ExitCode::bad_data, "config_json", {"nested more than 64 deep"},
                      [] { Taking().read("{\"large\":" + std::string(64, '[')); }));
  EXPECT_TRUE(refused(ExitCode::bad_data, "config_json", {"more than 6 values"},
                      [] { Taking().read(R"({"large":[1],"b":[1,2,3,4]})"); }));
}

}  // namespace
}  // namespace ridgeline
