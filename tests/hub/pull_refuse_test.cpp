// Pulls that cannot end well: each has its message and its exit code, and leaves nothing wrong in the cache.
#include <set>

#include "hub/pull_fixture.h"

namespace ridgeline {
namespace {

using PullRefuses = Pull;

TEST_F(PullRefuses, ContentThatIsNotWhatWasPromisedIsNotKept) {
  hub_.add("model-Q4_K_M.gguf", model_);
  hub_.edit = [](const Request& r, Reply& reply) {
    if (r.target.starts_with("/blobs/")) reply.body[100] ^= 1;
  };
  EXPECT_EQ(fault(ExitCode::bad_data, "SHA-256"), "hash_differs");
  EXPECT_FALSE(fs::exists(incomplete(model_)));
  EXPECT_THROW(find_in_cache(settings_, {{hub_.repository, ""}}), Error);
  hub_.edit = [](const Request& r, Reply& reply) {
    if (r.target.starts_with("/blobs/")) reply.body += "more";
  };
  EXPECT_EQ(fault(ExitCode::bad_data, "more arrive"), "hash_differs");
}

TEST_F(PullRefuses, PlainFilesAreHeldToGitsHash) {
  hub_.add("config.json", "{}", false);
  hub_.add("model.safetensors", model_);
  hub_.edit = [](const Request& r, Reply& reply) {
    if (r.method == "GET" && r.target.ends_with("config.json")) reply.body = "[]";
  };
  EXPECT_EQ(fault(ExitCode::bad_data, "git hash"), "hash_differs");
}

TEST_F(PullRefuses, AListingDoesNotLeadElsewhere) {
  StandInHub other;
  hub_.add("model-Q4_K_M.gguf", model_);
  hub_.edit = [&](const Request& r, Reply& reply) {
    if (r.target.find("/tree/") != r.target.npos) reply.headers["Link"] = "<" + other.url() + "/x>; rel=\"next\"";
  };
  EXPECT_EQ(fault(ExitCode::bad_data, "another address"), "hub_listing");
  EXPECT_TRUE(other.requests().empty());
  hub_.edit = [&](const Request& r, Reply& reply) { reply.headers["Link"] = "<" + r.target + ">; rel=\"next\""; };
  EXPECT_EQ(fault(ExitCode::bad_data, "pages"), "hub_listing");
}

TEST_F(PullRefuses, AnswersThatAreNoFile) {
  hub_.add("model-Q4_K_M.gguf", model_);
  settings_.token = "hf_secret";
  int status = 0;
  hub_.edit = [&](const Request&, Reply& reply) { reply = {.status = status}; };
  auto with = [&](int s, ExitCode code, std::string_view words) { return status = s, fault(code, words); };
  EXPECT_EQ(with(401, ExitCode::unavailable, "set HF_TOKEN"), "hub_no_permission");
  EXPECT_EQ(with(403, ExitCode::unavailable, "Accept its licence at " + hub_.url() + "/maker/model"),
            "hub_no_permission");
  EXPECT_EQ(with(404, ExitCode::cannot_open, "no such repository"), "hub_not_found");
  size_t before = hub_.requests().size();
  EXPECT_EQ(with(503, ExitCode::unavailable, "status 503"), "hub_status");
  EXPECT_EQ(hub_.requests().size() - before, 4u) << "a busy server is asked again, a few times";
  std::set<std::string> seen;
  hub_.edit = [&](const Request& r, Reply& reply) {
    if (seen.insert(r.method + r.target).second) reply = {.status = 503};  // everything once
  };
  EXPECT_EQ(content_of(pull_it().path), model_);
}

TEST_F(PullRefuses, RedirectsThatLeadNowhere) {
  hub_.add("model-Q4_K_M.gguf", model_);
  hub_.edit = [&](const Request& r, Reply& reply) {
    if (r.target.find("resolve") != r.target.npos) reply.status = 302, reply.headers["Location"] = r.target;
  };
  EXPECT_EQ(fault(ExitCode::unavailable, "circles"), "hub_redirects");
  hub_.edit = [&](const Request& r, Reply& reply) {
    if (r.target.starts_with("/blobs")) reply = {.status = 302, .headers = {{"Location", "file:///etc/passwd"}}};
  };
  EXPECT_EQ(fault(ExitCode::unavailable, "file"), "hub_failed");
}

TEST_F(PullRefuses, AServerThatFallsSilent) {
  hub_.add("model-Q4_K_M.gguf", bytes(100, 1));
  hub_.edit = [](const Request& r, Reply& reply) {
    if (r.target.starts_with("/blobs")) reply.wait = std::chrono::minutes(1);
  };
  observer_.interrupted = [at = std::chrono::steady_clock::now()] {  // one attempt is enough to see it
    return std::chrono::steady_clock::now() - at > std::chrono::milliseconds(2800);
  };
  std::string id = fault(ExitCode::interrupted, "is kept");
  EXPECT_EQ(id, "interrupted");
  EXPECT_GE(hub_.count("GET", "/blobs/"), 2u) << "after a second without a byte the request is made again";
}

TEST_F(PullRefuses, NoSafeConnection) {
  settings_.endpoint.replace(0, 4, "https");  // the stand-in speaks no TLS
  EXPECT_EQ(fault(ExitCode::unavailable, "no safe connection"), "hub_tls");
}

TEST_F(PullRefuses, HostileListings) {
  std::string name, size = "10", oid(40, 'a');
  hub_.edit = [&](const Request& r, Reply& reply) {
    if (r.target.find("/tree/") != r.target.npos)
      reply.body = "[{\"type\":\"file\",\"path\":\"" + name + "\",\"size\":" + size + ",\"oid\":\"" + oid + "\"}]";
  };
  for (const char* path :
       {"../../x.gguf", "/etc/x.gguf", "a/../x.gguf", "a//x.gguf", "./x.gguf", "x\\u0000.gguf", "", ".."}) {
    name = path;
    EXPECT_EQ(fault(ExitCode::bad_data, "names a file"), "unsafe_path") << path;
  }
  name = std::string(2000, 'x');
  EXPECT_EQ(fault(ExitCode::bad_data, "too long"), "unsafe_path");
  name = "m.gguf";
  for (const char* wrong : {"-1", "1.5", "1e3", "18446744073709551615", "\"10\"", "{}"}) {
    size = wrong;
    EXPECT_EQ(fault(ExitCode::bad_data, "size"), "hub_listing") << wrong;
  }
  for (const char* wrong : {"", "{}", "[", "[1]", "[{\"path\": 3}]", "<html>"}) {
    hub_.edit = [&](const Request&, Reply& reply) { reply.body = wrong; };
    EXPECT_EQ(fault(ExitCode::bad_data, "list of files"), "hub_listing") << wrong;
  }
  hub_.edit = [&](const Request&, Reply& reply) { reply.body = std::string(1'000'000, '['); };
  EXPECT_EQ(fault(ExitCode::bad_data, "nested more than"), "hub_listing");
  EXPECT_FALSE(fs::exists(settings_.cache));
}

TEST_F(PullRefuses, HostileHeaders) {
  hub_.add("model-Q4_K_M.gguf", model_);
  auto with = [&](const std::string& header, const std::string& value) {
    hub_.edit = [=](const Request& r, Reply& reply) {
      if (r.method == "HEAD") reply.headers[header] = value;
    };
  };
  with("X-Repo-Commit", "../../../x");
  EXPECT_EQ(fault(ExitCode::bad_data, "commit"), "hub_commit");
  with("X-Linked-Etag", "\"../../x\"");
  EXPECT_EQ(fault(ExitCode::bad_data, "content"), "hub_etag");
  with("X-Linked-Etag", "\"" + std::string(64, 'a') + "\"");
  EXPECT_EQ(fault(ExitCode::unavailable, "was changed"), "hub_changed");
  hub_.edit = [](const Request&, Reply& reply) {
    for (int i = 0; i < 20; ++i) reply.headers["X-" + std::to_string(i)] = std::string(60'000, 'x');
  };
  EXPECT_EQ(fault(ExitCode::bad_data, "bytes of headers"), "hub_headers");
}

TEST_F(PullRefuses, SpaceIsAskedForFirst) {
  hub_.edit = [&](const Request& r, Reply& reply) {
    if (r.target.find("/tree/") != r.target.npos)
      reply.body =
          R"([{"type":"file","path":"m.gguf","size":9000000000000000000,"oid":")" + std::string(40, 'a') + "\"}]";
    if (r.method == "HEAD")
      reply.status = 200, reply.headers = {{"X-Repo-Commit", hub_.commit}, {"ETag", std::string(40, 'a')}};
  };
  EXPECT_EQ(fault(ExitCode::unavailable, "too little space"), "no_space");
  EXPECT_EQ(hub_.count("GET", "resolve"), 0u);
}

TEST_F(PullRefuses, ACacheThatCannotBeWritten) {
  hub_.add("model-Q4_K_M.gguf", model_);
  settings_.cache = folder_.write("file", "not a folder") + "/hub";
  EXPECT_EQ(fault(ExitCode::io, "HF_HUB_CACHE"), "cache_unwritable");
  settings_.cache = "/proc/hub";
  EXPECT_EQ(fault(ExitCode::io, "/proc/hub"), "cache_unwritable");
}

}  // namespace
}  // namespace ridgeline
