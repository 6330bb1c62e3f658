// Pulls from a stand-in of the hub on the loopback: the cache's layout, resuming, selection, offline use.
#include "hub/pull_fixture.h"

namespace ridgeline {
namespace {

TEST_F(Pull, LaysOutTheCacheAsTheHubsToolsDo) {
  hub_.add("README.md", "a model\n", false);
  hub_.add("model-Q4_K_M.gguf", model_);
  auto done = pull_it();
  std::string etag = sha256_of(model_), top = settings_.cache + "/models--maker--model";
  EXPECT_EQ(done.path, top + "/snapshots/" + hub_.commit + "/model-Q4_K_M.gguf");
  EXPECT_EQ(done.commit, hub_.commit);
  ASSERT_EQ(done.files.size(), 1u);
  EXPECT_TRUE(done.files[0].fetched);
  EXPECT_EQ(content_of(done.path), model_);
  EXPECT_EQ(fs::read_symlink(done.path), "../../blobs/" + etag);
  EXPECT_EQ(content_of(top + "/refs/main"), hub_.commit);
  EXPECT_TRUE(
      content_of(settings_.cache + "/CACHEDIR.TAG").starts_with("Signature: 8a477f597d28d172789f06886806bc55\n"));
  std::vector<std::string> found;
  for (const auto& e : fs::recursive_directory_iterator(settings_.cache))
    if (!e.is_directory()) found.push_back(e.path().lexically_relative(settings_.cache).string());
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<std::string>{".locks/models--maker--model/" + etag + ".lock", "CACHEDIR.TAG",
                                             "models--maker--model/blobs/" + etag, "models--maker--model/refs/main",
                                             "models--maker--model/snapshots/" + hub_.commit + "/model-Q4_K_M.gguf"}));
}

TEST_F(Pull, ASecondPullFetchesNothing) {
  hub_.add("model-Q4_K_M.gguf", model_);
  pull_it();
  size_t before = hub_.count("GET", "resolve");
  auto again = pull_it();
  EXPECT_FALSE(again.files[0].fetched);
  EXPECT_EQ(hub_.count("GET", "resolve"), before);
  EXPECT_EQ(content_of(again.path), model_);
}

TEST_F(Pull, ABlobThatLostBytesIsFetchedAgain) {
  hub_.add("model-Q4_K_M.gguf", model_);
  std::string path = pull_it().path;
  fs::resize_file(path, 1000);
  EXPECT_TRUE(pull_it().files[0].fetched);
  EXPECT_EQ(content_of(path), model_);
}

TEST_F(Pull, GoesOnWhereAConnectionWasCut) {
  hub_.add("model-Q4_K_M.gguf", model_);
  hub_.edit = [n = 0](const Request& r, Reply& reply) mutable {
    if (r.method == "GET" && r.target.starts_with("/blobs/") && n++ < 6)
      reply.cut = 40'000;  // more often than the attempts
  };
  EXPECT_EQ(content_of(pull_it().path), model_);
  std::vector<std::string> ranges;
  for (const auto& r : hub_.requests())
    if (r.target.starts_with("/blobs/")) ranges.push_back(r.header("range"));
  EXPECT_EQ(ranges, (std::vector<std::string>{"", "bytes=40000-", "bytes=80000-", "bytes=120000-", "bytes=160000-",
                                              "bytes=200000-", "bytes=240000-"}));
}

TEST_F(Pull, GoesOnWhereAnotherProcessEnded) {
  hub_.add("model-Q4_K_M.gguf", model_);
  hub_.edit = [](const Request& r, Reply& reply) {
    if (r.target.starts_with("/blobs/")) reply.cut = r.header("range").empty() ? 100'000 : 0;
  };
  EXPECT_EQ(fault(ExitCode::io, "the connection was cut"), "hub_cut");
  EXPECT_EQ(fs::file_size(incomplete(model_)), 100'000u);
  EXPECT_FALSE(fs::exists(settings_.cache + "/models--maker--model/refs/main"));
  hub_.edit = nullptr;
  EXPECT_EQ(content_of(pull_it().path), model_);
  EXPECT_EQ(hub_.requests().back().header("range"), "bytes=100000-");
  EXPECT_FALSE(fs::exists(incomplete(model_)));
}

TEST_F(Pull, AServerThatIgnoresRangeSendsTheWhole) {
  hub_.add("model-Q4_K_M.gguf", model_);
  hub_.ranges = false;
  hub_.edit = [n = 0](const Request& r, Reply& reply) mutable {
    if (r.target.starts_with("/blobs/") && n++ < 1) reply.cut = 50'000;
  };
  EXPECT_EQ(content_of(pull_it().path), model_);
}

TEST_F(Pull, LeftoversOfAnyKindDoNoHarm) {
  hub_.add("model-Q4_K_M.gguf", model_);
  fs::create_directories(settings_.cache + "/models--maker--model/blobs");
  for (const std::string& left : {model_, model_ + "x", bytes(1000, 7), bytes(300'000, 7)}) {
    fs::remove(HubCache(settings_.cache, hub_.repository).blob(sha256_of(model_)));
    std::ofstream(incomplete(model_), std::ios::binary) << left;
    EXPECT_EQ(content_of(pull_it().path), model_);
  }
}

TEST_F(Pull, TheTokenStaysWithTheHub) {
  StandInHub store;
  store.add("model-Q4_K_M.gguf", model_);
  hub_.add("model-Q4_K_M.gguf", model_);
  settings_.token = "hf_secret";
  auto all = [](const StandInHub& hub, const std::string& what) {
    for (const auto& r : hub.requests())
      if (r.header("authorization") != what) return false;
    return !hub.requests().empty();
  };
  hub_.store = store.url();
  EXPECT_EQ(content_of(pull_it().path), model_);
  EXPECT_TRUE(all(hub_, "Bearer hf_secret"));
  EXPECT_TRUE(all(store, "")) << "another port is another host";

  fs::remove_all(settings_.cache);
  hub_.store = store.url("localhost");
  EXPECT_EQ(content_of(pull_it().path), model_);
  EXPECT_TRUE(all(store, ""));
}

TEST_F(Pull, FollowsAListingThroughItsPages) {
  hub_.page = 2;
  for (int i = 0; i < 6; ++i) hub_.add("notes-" + std::to_string(i) + ".txt", "x", false);
  hub_.add("model-Q4_K_M.gguf", model_);
  EXPECT_EQ(content_of(pull_it().path), model_);
  EXPECT_EQ(hub_.count("GET", "/tree/"), 4u);
}

TEST_F(Pull, AllPartsOfASplitModel) {
  for (int i = 3; i >= 1; --i) hub_.add("Q8_0/model-Q8_0-0000" + std::to_string(i) + "-of-00003.gguf", bytes(1000, i));
  auto done = pull_it("q8_0");
  ASSERT_EQ(done.files.size(), 3u);
  EXPECT_TRUE(done.path.ends_with("/Q8_0/model-Q8_0-00001-of-00003.gguf")) << done.path;
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(content_of(done.files[i - 1].path), bytes(1000, i));
  EXPECT_EQ(fs::read_symlink(done.path).string(), "../../../blobs/" + sha256_of(bytes(1000, 1)));
  fs::remove(done.files[1].path);
  try {
    find_in_cache(settings_, {{hub_.repository, ""}});
    ADD_FAILURE() << "two of three parts are no model";
  } catch (const Error& e) {
    EXPECT_EQ(e.id(), "not_in_cache");
    EXPECT_NE(std::string_view(e.what()).find("3 files, of which 2"), std::string_view::npos) << e.what();
  }
}

TEST_F(Pull, ASafetensorsRepository) {
  for (const char* name :
       {"config.json", "tokenizer.json", "README.md", "generation_config.json", "model.safetensors.index.json"})
    hub_.add(name, std::string("{\"") + name + "\": 1}", false);
  for (const char* name : {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                           "consolidated.safetensors", "onnx/model.safetensors"})
    hub_.add(name, bytes(5000, name[8]));
  auto done = pull_it();
  EXPECT_EQ(done.path, settings_.cache + "/models--maker--model/snapshots/" + hub_.commit);
  std::vector<std::string> names;
  for (const auto& f : done.files) names.push_back(f.file.name);
  EXPECT_EQ(names, (std::vector<std::string>{"config.json", "tokenizer.json", "generation_config.json",
                                             "model.safetensors.index.json", "model-00001-of-00002.safetensors",
                                             "model-00002-of-00002.safetensors"}));
  EXPECT_EQ(find_in_cache(settings_, {{hub_.repository, ""}}).path, done.path);
}

TEST_F(Pull, ARevisionAndFilesByName) {
  hub_.add("model-Q4_K_M.gguf", model_);
  hub_.add("notes.txt", "x", false);
  auto done = pull(settings_, {{hub_.repository, ""}, "refs/pr/1", {"notes.txt"}}, {});
  EXPECT_TRUE(done.path.ends_with("/notes.txt"));
  EXPECT_EQ(hub_.count("GET", "/tree/refs%2Fpr%2F1"), 1u);
  EXPECT_EQ(content_of(settings_.cache + "/models--maker--model/refs/refs/pr/1"), hub_.commit);
  auto by_commit = pull(settings_, {{hub_.repository, ""}, hub_.commit, {}}, {});
  EXPECT_FALSE(fs::exists(settings_.cache + "/models--maker--model/refs/" + hub_.commit));
  EXPECT_EQ(content_of(by_commit.path), model_);
  for (const char* wrong : {"../../x", "/etc", "", "a//b"})
    EXPECT_THROW(pull(settings_, {{hub_.repository, ""}, wrong, {}}, {}), Error) << wrong;
}

TEST_F(Pull, OfflineTheCacheAnswersOrSaysThatItCannot) {
  hub_.add("model-Q4_K_M.gguf", model_);
  settings_.offline = true;
  EXPECT_EQ(fault(ExitCode::unavailable, "offline"), "not_in_cache");
  EXPECT_TRUE(hub_.requests().empty());
  settings_.offline = false;
  pull_it();
  size_t before = hub_.requests().size();
  settings_.offline = true;
  EXPECT_EQ(content_of(pull_it().path), model_);
  EXPECT_EQ(content_of(pull_it("Q4_K_M").path), model_);
  EXPECT_EQ(fault(ExitCode::unavailable, "there are:", "Q8_0"), "not_in_cache");
  EXPECT_EQ(hub_.requests().size(), before);
}

TEST_F(Pull, WithoutANetworkTheCacheAnswersToo) {
  hub_.add("model-Q4_K_M.gguf", model_);
  std::string path = pull_it().path, note;
  observer_.note = [&](std::string_view text) { note = text; };
  settings_.endpoint = "http://127.0.0.1:9";  // discard: nobody listens
  EXPECT_EQ(pull_it().path, path);
  EXPECT_NE(note.find("cannot be reached"), note.npos) << note;
  fs::remove_all(settings_.cache);
  EXPECT_EQ(fault(ExitCode::unavailable, "Is there a network?"), "hub_unreachable");
  settings_.endpoint = "http://hub.invalid";
  EXPECT_EQ(fault(ExitCode::unavailable, "hub.invalid cannot be reached"), "hub_unreachable");
}

TEST_F(Pull, AServerWithoutHeadIsAskedWithGet) {
  hub_.add("model-Q4_K_M.gguf", model_);
  hub_.edit = [&](const Request& r, Reply& reply) {
    if (r.method == "HEAD") reply = {.status = 501};
  };
  EXPECT_EQ(content_of(pull_it().path), model_);
}

TEST_F(Pull, OneOfManyProcessesFetches) {
  hub_.add("model-Q4_K_M.gguf", model_);
  hub_.edit = [](const Request& r, Reply& reply) {
    if (r.target.starts_with("/blobs")) reply.wait = std::chrono::milliseconds(150);
  };
  std::atomic<int> fetched = 0, waited = 0, right = 0;
  std::vector<std::thread> pulls;
  for (int i = 0; i < 5; ++i)
    pulls.emplace_back([&] {
      PullObserver observer{.note = [&](std::string_view) { ++waited; }};
      auto done = pull(settings_, {{hub_.repository, ""}}, observer);
      fetched += done.files[0].fetched;
      right += content_of(done.path) == model_;
    });
  for (auto& p : pulls) p.join();
  EXPECT_EQ(fetched, 1);
  EXPECT_EQ(right, 5);
  EXPECT_GE(waited, 1);
  EXPECT_EQ(hub_.count("GET", "/blobs/"), 1u);
}

TEST_F(Pull, ANewCommitBesideTheOld) {
  hub_.add("model-Q4_K_M.gguf", model_);
  std::string old_path = pull_it().path, next(40, 'b'), changed = bytes(1000, 3);
  StandInHub later;
  later.add("model-Q4_K_M.gguf", changed);
  later.edit = [&](const Request&, Reply& reply) {
    if (reply.headers.contains("X-Repo-Commit")) reply.headers["X-Repo-Commit"] = next;
  };
  settings_.endpoint = later.url();
  EXPECT_EQ(content_of(pull_it().path), changed);
  EXPECT_EQ(content_of(old_path), model_);
  EXPECT_EQ(find_in_cache(settings_, {{hub_.repository, ""}}).commit, next);
}

}  // namespace
}  // namespace ridgeline
