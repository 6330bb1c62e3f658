#include "hub/client.h"

#include <algorithm>
#include <charconv>
#include <thread>

#include "base/error.h"
#include "base/limits.h"
#include "base/printable.h"

namespace ridgeline {
namespace {

int64_t number_or(const std::optional<std::string>& text, int64_t otherwise) {
  int64_t n = otherwise;
  if (text && std::from_chars(text->data(), text->data() + text->size(), n).ptr != text->data() + text->size())
    return otherwise;
  return n;
}

// "huggingface.co": what people call the hub.
std::string_view host_of(std::string_view endpoint) { return endpoint.substr(endpoint.find("//") + 2); }

}  // namespace

bool HubClient::may_pass(const HttpAnswer& a) {
  if (a.fault == HttpFault::cut || a.fault == HttpFault::timed_out) return true;
  static constexpr int statuses[] = {408, 425, 429, 500, 502, 503, 504};
  return a.fault == HttpFault::none &&
         std::find(std::begin(statuses), std::end(statuses), a.status()) != std::end(statuses);
}

void HubClient::wait(int attempt, const HttpAnswer& answer) const {
  constexpr std::chrono::milliseconds most{60'000};
  auto pause = std::min(settings_.pause * (1 << std::min(attempt - 1, 6)), most);
  if (int64_t asked = number_or(answer.header("retry-after"), 0); asked > 0)
    pause = std::min(most, std::chrono::milliseconds(1000 * std::min<int64_t>(asked, 60)));
  for (auto end = std::chrono::steady_clock::now() + pause; std::chrono::steady_clock::now() < end;) {
    if (observer_.interrupted && observer_.interrupted()) return;
    std::this_thread::sleep_for(std::min(pause, std::chrono::milliseconds(20)));
  }
}

HttpAnswer HubClient::with_retries(const HttpRequest& request, std::string* body) const {
  HttpCallbacks callbacks{.interrupted = observer_.interrupted};
  if (body) {
    callbacks.begin = [&](const HttpResponse&) { body->clear(); };
    callbacks.body = [&](std::string_view part) {
      if (body->size() + part.size() > limits::hub_listing_bytes)
        fail(ExitCode::bad_data, "hub_listing", "the hub's list of files exceeds {} MiB",
             limits::hub_listing_bytes >> 20);
      body->append(part);
      return true;
    };
  }
  for (int attempt = 1;; ++attempt) {
    HttpAnswer answer = http_exchange(request, callbacks);
    if (attempt == limits::hub_attempts || !may_pass(answer)) return answer;
    wait(attempt, answer);
  }
}

std::string HubClient::address_of(const std::string& file) const {
  return fmt::format("{}/{}/resolve/{}/{}", settings_.endpoint, repository_, url_escaped(revision_, false),
                     url_escaped(file, true));
}

std::vector<HubFile> HubClient::list() const {
  std::vector<HubFile> files;
  std::string url = fmt::format("{}/api/models/{}/tree/{}?recursive=true", settings_.endpoint, repository_,
                                url_escaped(revision_, false));
  for (uint64_t page = 0; !url.empty(); ++page) {
    if (page == limits::hub_listing_pages)
      fail(ExitCode::bad_data, "hub_listing", "the hub's list of files has more than {} pages",
           limits::hub_listing_pages);
    std::string body;
    HttpAnswer answer = with_retries(request(url), &body);
    if (!answer.ok()) fail_with(answer, "listing " + repository_);
    auto part = parse_listing(body);
    files.insert(files.end(), part.begin(), part.end());
    url = next_page(answer.header("link").value_or(""));
    if (url.starts_with('/')) url = settings_.endpoint + url;
    if (!url.empty() && origin_of(url) != origin_of(settings_.endpoint))
      fail(ExitCode::bad_data, "hub_listing", "the hub's list of files goes on at another address: {}", escaped(url));
  }
  return files;
}

HubClient::Head HubClient::read_head(const HttpAnswer& answer) {
  Head head;
  if (auto commit = answer.header("x-repo-commit")) {
    if (!is_plain_name(*commit))
      fail(ExitCode::bad_data, "hub_commit", "the hub names a commit '{}', which cannot be a name", escaped(*commit));
    head.commit = *commit;
  }
  auto etag = answer.header("x-linked-etag");
  if (!etag) etag = answer.header("etag");
  if (etag) head.etag = plain_etag(*etag);
  head.bytes = number_or(answer.header("x-linked-size"), -1);
  return head;
}

HubClient::Head HubClient::head(const std::string& file) const {
  HttpRequest r = request(address_of(file));
  r.head = true;
  HttpAnswer answer = with_retries(r, nullptr);
  // A renamed repository: sent on within the hub. What points to a store says who it is itself, and goes no further: the
  // signed addresses of a store are for GET alone.
  for (uint64_t hops = 0; !answer.redirect.empty() && !answer.header("x-repo-commit"); ++hops) {
    if (hops == limits::hub_redirects || origin_of(answer.redirect) != origin_of(r.url)) break;
    r.url = answer.redirect;
    answer = with_retries(r, nullptr);
  }
  if (answer.status() == 405 || answer.status() == 501)  // no HEAD here: a GET, of which the headers are read
    answer = http_exchange(request(address_of(file)), {.body = [](std::string_view) { return false; }});
  bool elsewhere =
      answer.status() >= 300 && answer.status() < 400;  // the content is in a store: this is the hub's answer
  if (answer.fault != HttpFault::none || (!answer.ok() && !elsewhere)) fail_with(answer, file);
  Head head = read_head(answer);
  if (head.bytes < 0 && !elsewhere) head.bytes = number_or(answer.responses.back().header("content-length"), -1);
  return head;
}

HttpAnswer HubClient::get(const std::string& file, uint64_t from, const HttpCallbacks& callbacks) const {
  HttpRequest r = request(address_of(file));
  r.from = from;
  return http_exchange(r, callbacks);
}

void HubClient::fail_with(const HttpAnswer& a, const std::string& what) const {
  auto host = host_of(settings_.endpoint);
  switch (a.fault) {
    case HttpFault::none: break;
    case HttpFault::interrupted:
      fail(ExitCode::interrupted, "interrupted",
           "interrupted; what has arrived is kept, and the next pull goes on from there");
    case HttpFault::unreachable:
      fail(ExitCode::unavailable, "hub_unreachable",
           "{} cannot be reached: {}\n  Is there a network? `pull` is the only command that needs one. Behind a proxy, "
           "set "
           "https_proxy;\n  for a mirror, HF_ENDPOINT; with --offline, what is in the cache is used.",
           host, a.fault_text);
    case HttpFault::timed_out:
      fail(ExitCode::unavailable, "hub_timeout",
           "{} does not answer: {} ({})\n  What has arrived is kept; try again later. HF_HUB_DOWNLOAD_TIMEOUT is the "
           "number "
           "of seconds to wait.",
           host, a.fault_text, what);
    case HttpFault::tls:
      fail(ExitCode::unavailable, "hub_tls",
           "no safe connection to {}: {}\n  Is the clock right? Where a proxy has certificates of its own, "
           "CURL_CA_BUNDLE names "
           "their file.",
           host, a.fault_text);
    case HttpFault::cut:
      fail(ExitCode::io, "hub_cut",
           "the connection was cut {} times: {} ({})\n  What has arrived is kept; try again later.",
           limits::hub_attempts, a.fault_text, what);
    case HttpFault::redirects:
      fail(ExitCode::unavailable, "hub_redirects", "{} sends in circles: {} ({})", host, a.fault_text, what);
    case HttpFault::other: fail(ExitCode::unavailable, "hub_failed", "{}: {} ({})", host, a.fault_text, what);
  }
  auto code = a.header("x-error-code").value_or("");
  std::string page = fmt::format("{}/{}", settings_.endpoint, repository_);
  if (a.status() == 404 || code == "RepoNotFound")
    fail(ExitCode::cannot_open, "hub_not_found",
         "{} has no {} ({}, revision {})\n  Check the spelling at {}; a private repository looks the same to one "
         "without HF_TOKEN.",
         host,
         code == "EntryNotFound"      ? "file of that name"
         : code == "RevisionNotFound" ? "revision of that name"
                                      : "such repository or revision",
         what, escaped(revision_), page);
  if (a.status() == 401 || a.status() == 403)
    fail(ExitCode::unavailable, "hub_no_permission",
         "{} does not give {} to {}: the repository is gated or private, or does not exist\n  Accept its licence at "
         "{}, make a "
         "token at {}/settings/tokens, and set HF_TOKEN to it.",
         host, repository_, settings_.token.empty() ? "one without a token" : "the owner of this token", page,
         settings_.endpoint);
  fail(ExitCode::unavailable, "hub_status", "{} answered with status {} ({}){}", host, a.status(), what,
       may_pass(a) ? fmt::format(", {} times; try again later", limits::hub_attempts) : "");
}

}  // namespace ridgeline
