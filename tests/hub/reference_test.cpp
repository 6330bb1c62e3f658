#include "hub/reference.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <set>

#include "base/error.h"
#include "base/scratch_folder.h"
#include "hub/http.h"
#include "hub/listing.h"
#include "hub/settings.h"

namespace ridgeline {
namespace {

TEST(HubReference, UserRepositoryAndTag) {
  for (const char* prefix : {"", "hf.co/", "https://huggingface.co/"}) {
    auto r = parse_hub_reference(std::string(prefix) + "Qwen/Qwen2.5-0.5B-Instruct-GGUF:q8_0");
    ASSERT_TRUE(r) << prefix;
    EXPECT_EQ(r->repository, "Qwen/Qwen2.5-0.5B-Instruct-GGUF");
    EXPECT_EQ(r->tag, "q8_0");
  }
  EXPECT_EQ(parse_hub_reference("a/b")->tag, "");
  EXPECT_EQ(parse_hub_reference("a/b:Q4_0")->text(), "a/b:Q4_0");
}

TEST(HubReference, WhatIsNone) {
  for (const char* text : {"",
                           "a",
                           "a/",
                           "/b",
                           "a/b/c",
                           "./b",
                           "../b",
                           "a/..",
                           "~/b",
                           "a/.b",
                           "a/b.",
                           "-a/b",
                           "a--x/b",
                           "a/b c",
                           "a/b:",
                           "a/b:c/d",
                           "a/b:c:d",
                           "models/m.gguf",
                           "dir/model.safetensors",
                           "a/b\n",
                           "a\\b/c"})
    EXPECT_FALSE(parse_hub_reference(text)) << text;
  EXPECT_FALSE(parse_hub_reference(std::string_view("a/b\0", 4)));
  EXPECT_FALSE(parse_hub_reference(std::string(97, 'a') + "/b"));
}

TEST(HubReference, NamesOfTheCatalogue) {
  EXPECT_EQ(find_hub_reference("smollm2-135m")->repository, "HuggingFaceTB/SmolLM2-135M-Instruct");
  EXPECT_EQ(find_hub_reference("qwen3-0.6b:Q8_0")->tag, "Q8_0");
  EXPECT_FALSE(find_hub_reference("nonsense"));
  std::set<std::string_view> names;
  for (const auto& m : published_models()) {
    EXPECT_TRUE(names.insert(m.name).second) << m.name;
    EXPECT_TRUE(parse_hub_reference(m.repository)) << m.repository;
  }
}

TEST(HubListing, LinkHeaders) {
  EXPECT_EQ(next_page(R"(<https://hub/x?cursor=a,b>; rel="next")"), "https://hub/x?cursor=a,b");
  EXPECT_EQ(next_page(R"(<https://hub/1>; rel="first", <https://hub/2>; rel="next")"), "https://hub/2");
  EXPECT_EQ(next_page(R"(<https://hub/1>; rel="prev")"), "");
  for (const char* broken : {"", "<", ">", "><", "next", "<x", R"(x>; rel="next")"})
    EXPECT_EQ(next_page(broken), "") << broken;
}

TEST(HubHttp, OriginsAndEscapes) {
  EXPECT_EQ(origin_of("https://Hub.Example/a?b"), "https://hub.example:443");
  EXPECT_EQ(origin_of("http://hub:8080/"), "http://hub:8080");
  EXPECT_EQ(origin_of("nonsense"), "");
  EXPECT_EQ(url_escaped("a b/ü.gguf", true), "a%20b/%C3%BC.gguf");
  EXPECT_EQ(url_escaped("refs/pr/1", false), "refs%2Fpr%2F1");
}

// The variables of one test, put back after it.
class HubSettingsTest : public testing::Test {
 protected:
  HubSettingsTest() {
    for (const char* name : names_) {
      const char* value = getenv(name);
      before_.push_back(value ? std::optional<std::string>(value) : std::nullopt);
      unsetenv(name);
    }
    setenv("HOME", "/home/x", 1);
  }
  ~HubSettingsTest() override {
    for (size_t i = 0; i < before_.size(); ++i)
      before_[i] ? setenv(names_[i], before_[i]->c_str(), 1) : unsetenv(names_[i]);
  }
  static constexpr const char* names_[] = {"HF_HUB_CACHE",
                                           "HUGGINGFACE_HUB_CACHE",
                                           "HF_HOME",
                                           "XDG_CACHE_HOME",
                                           "HOME",
                                           "HF_TOKEN",
                                           "HUGGING_FACE_HUB_TOKEN",
                                           "HF_TOKEN_PATH",
                                           "HF_ENDPOINT",
                                           "HF_HUB_OFFLINE",
                                           "TRANSFORMERS_OFFLINE",
                                           "HF_HUB_DOWNLOAD_TIMEOUT"};
  std::vector<std::optional<std::string>> before_;
};

TEST_F(HubSettingsTest, TheCacheFromTheMostParticularVariable) {
  auto cache = [] { return hub_settings().cache; };
  EXPECT_EQ(cache(), "/home/x/.cache/huggingface/hub");
  setenv("XDG_CACHE_HOME", "/xdg", 1);
  EXPECT_EQ(cache(), "/xdg/huggingface/hub");
  setenv("HF_HOME", "~/hf", 1);
  EXPECT_EQ(cache(), "/home/x/hf/hub");
  setenv("HF_HUB_CACHE", "/hub", 1);
  EXPECT_EQ(cache(), "/hub");
  for (const char* name : {"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME"}) setenv(name, "", 1);
  EXPECT_THROW(cache(), Error);
}

TEST_F(HubSettingsTest, TheTokenFromTheEnvironmentOrAFile) {
  ScratchFolder folder;
  auto token = [] { return hub_settings().token; };
  setenv("HF_HOME", folder.path().c_str(), 1);
  EXPECT_EQ(token(), "");
  folder.write("token", "hf_one\n");
  EXPECT_EQ(token(), "hf_one");
  setenv("HF_TOKEN_PATH", folder.write("other", " hf_two ").c_str(), 1);
  EXPECT_EQ(token(), "hf_two");
  setenv("HF_TOKEN", "hf_three", 1);
  EXPECT_EQ(token(), "hf_three");
  setenv("HF_TOKEN", "hf\r\nX-Evil: 1", 1);
  try {
    token();
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::bad_config);
    EXPECT_EQ(std::string_view(e.what()).find("Evil"), std::string_view::npos) << "a token is not printed";
  }
}

TEST_F(HubSettingsTest, EndpointAndSwitches) {
  EXPECT_EQ(hub_settings().endpoint, "https://huggingface.co");
  setenv("HF_ENDPOINT", "http://127.0.0.1:80//", 1);
  EXPECT_EQ(hub_settings().endpoint, "http://127.0.0.1:80");
  for (const char* wrong : {"huggingface.co", "ftp://x", "http://", "file:///etc", "https://a b"}) {
    setenv("HF_ENDPOINT", wrong, 1);
    EXPECT_THROW(hub_settings(), Error) << wrong;
  }
  unsetenv("HF_ENDPOINT");
  for (const char* on : {"1", "true", "Yes", "ON"})
    EXPECT_TRUE((setenv("HF_HUB_OFFLINE", on, 1), hub_settings().offline)) << on;
  for (const char* off : {"", "0", "false"})
    EXPECT_FALSE((setenv("HF_HUB_OFFLINE", off, 1), hub_settings().offline)) << off;
  setenv("HF_HUB_DOWNLOAD_TIMEOUT", "7", 1);
  EXPECT_EQ(hub_settings().stall.count(), 7);
  for (const char* wrong : {"0", "x", "1.5", "-1"})
    EXPECT_THROW((setenv("HF_HUB_DOWNLOAD_TIMEOUT", wrong, 1), hub_settings()), Error);
}

}  // namespace
}  // namespace ridgeline
