// `ridgeline pull`, and the commands that use what it fetched, against a stand-in of the hub.
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/scratch_folder.h"
#include "hub/pull.h"
#include "hub/stand_in.h"
#include "models/catalogue.h"
#include "process.h"

namespace ridgeline {
namespace {

class PullCommand : public testing::Test {
 protected:
  Finished call(const std::vector<std::string>& arguments, ProcessOptions o = {}) {
    for (const char* name :
         {"http_proxy", "all_proxy", "ALL_PROXY", "HF_HOME", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"})
      o.environment.insert(o.environment.begin(), {name, ""});
    o.environment.insert(o.environment.begin(), {{"HF_HUB_CACHE", folder_ / "hub"},
                                                 {"HF_ENDPOINT", endpoint_.empty() ? hub_.url() : endpoint_},
                                                 {"HF_TOKEN", "hf_secret"}});
    auto f = run_ridgeline(arguments, o);
    EXPECT_EQ((f.out + f.err).find("secret"), std::string::npos) << "a token is never printed";
    return f;
  }
  ScratchFolder folder_;
  StandInHub hub_;
  std::string endpoint_;
  const std::string tiny_ = std::string(RIDGELINE_TEST_DATA) + "/goldens/tiny_llama.gguf";
};

TEST_F(PullCommand, PrintsWhereTheModelLiesAndTheOthersFindIt) {
  hub_.add("tiny-Q8_0.gguf", content_of(tiny_));
  auto f = call({"pull", "maker/model"});
  ASSERT_EQ(f.status, 0) << f.err;
  ASSERT_TRUE(f.out.ends_with("/tiny-Q8_0.gguf\n")) << f.out;
  EXPECT_EQ(content_of(f.out.substr(0, f.out.size() - 1)), content_of(tiny_));

  size_t before = hub_.requests().size();
  std::vector<std::string> rest = {"Hello", "-n", "8", "--temp", "0", "--ignore-eos", "-q"};
  auto run = [&](const std::string& model) {
    std::vector<std::string> line = {"run", model};
    line.insert(line.end(), rest.begin(), rest.end());
    return call(line);
  };
  auto here = run("maker/model:q8_0"), there = run(tiny_);
  EXPECT_EQ(here.status, 0) << here.err;
  EXPECT_EQ(here.out, there.out);
  for (const char* command : {"inspect", "explain"}) {
    auto g = call({command, "maker/model"});
    EXPECT_EQ(g.status, 0) << g.err;
    EXPECT_EQ(g.out, call({command, tiny_}).out);
  }
  EXPECT_EQ(hub_.requests().size(), before) << "only pull asks the network";
}

TEST_F(PullCommand, AFolderOfSafetensorsIsAModelToo) {
  std::string golden = std::string(RIDGELINE_TEST_DATA) + "/goldens/hf/tiny_llama3";
  for (std::string name : {"config.json", "model.safetensors"})
    hub_.add(name, content_of(golden + "/" + name), name.ends_with(".safetensors"));
  auto pulled = call({"pull", "maker/model"});
  ASSERT_EQ(pulled.status, 0) << pulled.err;
  EXPECT_TRUE(std::filesystem::is_directory(pulled.out.substr(0, pulled.out.size() - 1))) << pulled.out;
  for (const char* command : {"explain", "verify"}) {  // through the links of the cache
    std::vector<std::string> here = {command, "maker/model"}, there = {command, golden};
    if (command == std::string("verify"))
      for (auto* line : {&here, &there}) line->insert(line->end(), {"--quick", "-t", "1", "--json"});
    auto f = call(here), g = call(there);
    EXPECT_EQ(f.status, 0) << f.err;
    auto hash = [](const std::string& text) { return text.substr(text.find("logits_sha256"), 90); };
    if (command == std::string("verify"))
      EXPECT_EQ(hash(f.out), hash(g.out));
    else
      EXPECT_EQ(f.out.substr(f.out.find('\n')), g.out.substr(g.out.find('\n'))) << "but for the name";
  }
}

TEST_F(PullCommand, WhatWasNotPulledIsSaid) {
  for (const char* command : {"run", "inspect", "bench", "verify", "explain"}) {
    auto f = call({command, "maker/model:Q4_0"}, {.input = "Hello"});
    EXPECT_EQ(f.status, 66) << command << ": " << f.err;
    EXPECT_NE(f.err.find("ridgeline pull maker/model:Q4_0"), f.err.npos) << f.err;
  }
  auto named = call({"run", "smollm2-135m", "x"});
  EXPECT_EQ(named.status, 66);
  EXPECT_NE(named.err.find("ridgeline pull smollm2-135m"), named.err.npos) << named.err;
  EXPECT_TRUE(hub_.requests().empty());
}

TEST_F(PullCommand, ProgressIsALineForEveryTenth) {
  hub_.add("big-Q4_K_M.gguf", std::string(5'000'000, 'x'));
  auto f = call({"pull", "maker/model"});
  EXPECT_EQ(f.status, 0) << f.err;
  for (const char* line : {"big-Q4_K_M.gguf: fetching 5.00 MB\n", "big-Q4_K_M.gguf: 50 % of 5.00 MB\n", ": 100 % of"})
    EXPECT_NE(f.err.find(line), f.err.npos) << line << "\nis not in\n" << f.err;
  EXPECT_LE(std::count(f.err.begin(), f.err.end(), '\n'), 11);
  EXPECT_EQ(f.err.find('\r'), f.err.npos);
  std::filesystem::remove_all(folder_ / "hub");
  EXPECT_EQ(call({"pull", "maker/model", "-q"}).err, "");
}

TEST_F(PullCommand, SpeaksJson) {
  hub_.add("a-Q4_K_M.gguf", "GGUF...");
  hub_.add("a-Q8_0.gguf", "GGUF......");
  auto list = nlohmann::json::parse(call({"pull", "maker/model", "--list", "--json"}).out);
  ASSERT_EQ(list["files"].size(), 2u);
  EXPECT_EQ(list["files"][1]["bytes"], 10);
  EXPECT_EQ(list["files"][0]["cached"], false);
  auto j = nlohmann::json::parse(call({"pull", "maker/model", "--json"}).out);
  EXPECT_EQ(j["repository"], "maker/model");
  EXPECT_EQ(j["commit"], hub_.commit);
  EXPECT_EQ(j["files"][0]["name"], "a-Q4_K_M.gguf");
  EXPECT_EQ(j["files"][0]["fetched"], true);
  EXPECT_EQ(content_of(j["path"]), "GGUF...");
  auto table = call({"pull", "maker/model", "--list"}).out;
  EXPECT_NE(table.find("a-Q4_K_M.gguf   7 B  cached"), table.npos) << table;
  EXPECT_NE(table.find("a-Q8_0.gguf    10 B\n"), table.npos) << table;
}

TEST_F(PullCommand, AnInterruptKeepsWhatCame) {
  hub_.add("big-Q4_K_M.gguf", std::string(3'000'000, 'x'));
  hub_.edit = [](const StandInHub::Request& r, StandInHub::Reply& reply) {
    if (r.target.starts_with("/blobs/")) reply.cut = 1'000'000, reply.hold = std::chrono::seconds(20);
  };
  auto started = std::chrono::steady_clock::now();
  auto f = call({"pull", "maker/model"}, {.signal = SIGINT, .signal_on_stderr = true});
  EXPECT_EQ(f.status, 130) << f.err;
  EXPECT_NE(f.err.find("goes on from there"), f.err.npos) << f.err;
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10));
  EXPECT_EQ(call({"pull", "maker/model"}, {.signal = SIGTERM, .signal_on_stderr = true}).status, 143);
  hub_.edit = nullptr;
  auto again = call({"pull", "maker/model"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_NE(hub_.requests().back().header("range"), "");
}

TEST_F(PullCommand, EachRefusalHasItsStatus) {
  hub_.add("a-Q4_K_M.gguf", "GGUF");
  hub_.add("b-Q4_K_M.gguf", "GGUFGGUF");
  auto expect = [&](std::vector<std::string> line, int status, const char* words, ProcessOptions o = {}) {
    line.insert(line.begin(), "pull");
    auto f = call(line, std::move(o));
    EXPECT_EQ(f.status, status) << f.err;
    EXPECT_NE(f.err.find(words), f.err.npos) << words << "\nis not in\n" << f.err;
    EXPECT_EQ(f.out, "");
  };
  expect({}, 2, "required");
  expect({"nonsense"}, 2, "smollm2-135m");
  expect({"a/../b"}, 2, "USER/REPO");
  expect({"maker/model"}, 2, "b-Q4_K_M.gguf");
  expect({"maker/model:Q5_0"}, 66, "no GGUF model 'Q5_0'");
  expect({"maker/model", "--file", "c"}, 66, "no file 'c'");
  expect({"maker/model", "--revision", "../x"}, 2, "revision");
  expect({"maker/other"}, 66, "no such repository");
  expect({"maker/model", "--offline"}, 69, "not in the cache");
  expect({"maker/model"}, 69, "not in the cache", {.environment = {{"HF_HUB_OFFLINE", "1"}}});
  expect({"maker/model"}, 78, "HF_ENDPOINT", {.environment = {{"HF_ENDPOINT", "hub"}}});
  expect({"maker/model", "--file", "a-Q4_K_M.gguf"}, 74, "HF_HUB_CACHE",
         {.environment = {{"HF_HUB_CACHE", "/dev/null/x"}}});
  endpoint_ = "http://127.0.0.1:9";
  expect({"maker/model"}, 69, "Is there a network?");
}

TEST_F(PullCommand, AFullDiskIsExit74) {
  hub_.add("big-Q4_K_M.gguf", std::string(3'000'000, 'x'));
  auto f = call({"pull", "maker/model"}, {.before = [] {
                  rlimit small{1'000'000, 1'000'000};
                  setrlimit(RLIMIT_FSIZE, &small);
                }});
  EXPECT_EQ(f.status, 74) << f.err;
  EXPECT_NE(f.err.find(".incomplete cannot be written"), f.err.npos) << f.err;
  EXPECT_EQ(call({"pull", "maker/model"}).status, 0) << "and what was written is taken up again";
}

TEST_F(PullCommand, NamesAreThoseOfTheCatalogue) {
  for (const auto& m : published_models()) EXPECT_TRUE(find_in_catalogue(m.name)) << m.name;
}

}  // namespace
}  // namespace ridgeline
