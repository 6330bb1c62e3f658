#include "hub/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <memory>

#include "base/error.h"
#include "base/limits.h"

namespace ridgeline {
namespace {

std::string lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return out;
}
std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.back() <= ' ')) s.remove_suffix(1);
  while (!s.empty() && (s.front() <= ' ')) s.remove_prefix(1);
  return s;
}

struct CurlEnd {
  void operator()(CURL* c) const { curl_easy_cleanup(c); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(CURLU* u) const { curl_url_cleanup(u); }
};
using Curl = std::unique_ptr<CURL, CurlEnd>;
using CurlList = std::unique_ptr<curl_slist, CurlEnd>;
using CurlUrl = std::unique_ptr<CURLU, CurlEnd>;

Curl new_curl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  Curl curl(started ? nullptr : curl_easy_init());
  if (!curl) fail(ExitCode::unavailable, "no_http", "libcurl cannot be started");
  return curl;
}

// What the C callbacks see of an exchange. They may not let an exception through.
struct Exchange {
  HttpAnswer answer;
  const HttpCallbacks* call;
  bool begun = false, enough = false;
  size_t header_bytes = 0;
  std::exception_ptr thrown = {};

  template <class F>
  bool guarded(F f) {
    try {
      f();
      return true;
    } catch (...) {
      thrown = std::current_exception();
      return false;
    }
  }
  void header(std::string_view line) {
    if ((header_bytes += line.size()) > limits::hub_header_bytes)
      fail(ExitCode::bad_data, "hub_headers", "the hub's answer has more than {} bytes of headers",
           limits::hub_header_bytes);
    line = trimmed(line);
    auto& responses = answer.responses;
    if (line.starts_with("HTTP/")) {
      size_t space = line.find(' ');
      HttpResponse next;
      if (space != line.npos) std::from_chars(line.data() + space + 1, line.data() + line.size(), next.status);
      if (!responses.empty() && responses.back().status < 200) responses.pop_back();  // 100 Continue, 103 Early Hints
      responses.push_back(std::move(next));
    } else if (size_t colon = line.find(':'); colon != line.npos && !responses.empty()) {
      responses.back().headers.emplace_back(lower(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
    }
  }
  void body(std::string_view part) {
    if (!begun && call->begin && !answer.responses.empty()) call->begin(answer.responses.back());
    begun = true;
    enough = call->body && !call->body(part);
  }
};

size_t on_header(char* data, size_t size, size_t n, void* at) {
  auto* x = static_cast<Exchange*>(at);
  return x->guarded([&] { x->header({data, size * n}); }) ? size * n : 0;
}
size_t on_body(char* data, size_t size, size_t n, void* at) {
  auto* x = static_cast<Exchange*>(at);
  return x->guarded([&] { x->body({data, size * n}); }) && !x->enough ? size * n : 0;
}
int on_progress(void* at, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto* x = static_cast<Exchange*>(at);
  bool stop = false;
  bool fine = x->guarded([&] { stop = x->call->interrupted && x->call->interrupted(); });
  return stop || !fine;
}

HttpFault fault_of(CURLcode code) {
  switch (code) {
    case CURLE_OK: return HttpFault::none;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY: return HttpFault::unreachable;
    case CURLE_OPERATION_TIMEDOUT: return HttpFault::timed_out;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return HttpFault::tls;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return HttpFault::cut;
    case CURLE_TOO_MANY_REDIRECTS: return HttpFault::redirects;
    case CURLE_ABORTED_BY_CALLBACK: return HttpFault::interrupted;
    default: return HttpFault::other;
  }
}

template <class T>
void set(const Curl& curl, CURLoption option, T value) {
  if (CURLcode code = curl_easy_setopt(curl.get(), option, value))
    fail(ExitCode::unavailable, "no_http", "libcurl refuses an option: {}", curl_easy_strerror(code));
}

void set_all(const Curl& curl, const HttpRequest& r, Exchange& x, curl_slist* headers) {
  bool secure = lower(r.url).starts_with("https://");
  set(curl, CURLOPT_URL, r.url.c_str());
  set(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  set(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");  // never from https back to http
  set(curl, CURLOPT_USERAGENT, "ridgeline/" RIDGELINE_VERSION);
  set(curl, CURLOPT_HTTPHEADER, headers);
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_CONNECTTIMEOUT, 15L);
  set(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);  // bytes per second
  set(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(r.stall.count()));
  set(curl, CURLOPT_FOLLOWLOCATION, r.head ? 0L : 1L);
  set(curl, CURLOPT_MAXREDIRS, static_cast<long>(limits::hub_redirects));
  if (r.head) set(curl, CURLOPT_NOBODY, 1L);
  std::string range = fmt::format("{}-", r.from);
  if (r.from) set(curl, CURLOPT_RANGE, range.c_str());  // not RESUME_FROM: that refuses an answer with the whole
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"})
    if (const char* file = std::getenv(name); file && *file) {
      set(curl, CURLOPT_CAINFO, file);
      break;
    }
  set(curl, CURLOPT_HEADERFUNCTION, &on_header);
  set(curl, CURLOPT_HEADERDATA, &x);
  set(curl, CURLOPT_WRITEFUNCTION, &on_body);
  set(curl, CURLOPT_WRITEDATA, &x);
  set(curl, CURLOPT_NOPROGRESS, 0L);
  set(curl, CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(curl, CURLOPT_XFERINFODATA, &x);
}

}  // namespace

std::optional<std::string> HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}
std::optional<std::string> HttpAnswer::header(std::string_view name) const {
  for (const auto& r : responses)
    if (auto value = r.header(name)) return value;
  return {};
}

HttpAnswer http_exchange(const HttpRequest& r, const HttpCallbacks& callbacks) {
  Curl curl = new_curl();
  Exchange x{.answer = {}, .call = &callbacks};
  CurlList headers;
  if (!r.token.empty()) headers.reset(curl_slist_append(nullptr, ("Authorization: Bearer " + r.token).c_str()));
  char words[CURL_ERROR_SIZE] = "";
  set(curl, CURLOPT_ERRORBUFFER, words);
  set_all(curl, r, x, headers.get());
  CURLcode code = curl_easy_perform(curl.get());
  if (x.thrown) std::rethrow_exception(x.thrown);
  if (x.enough) code = CURLE_OK;
  x.answer.fault = fault_of(code);
  if (code) x.answer.fault_text = *words ? words : curl_easy_strerror(code);
  if (!code && !x.begun && callbacks.begin && !x.answer.responses.empty()) callbacks.begin(x.answer.responses.back());
  curl_off_t connected = 0;  // microseconds until all was ready to send; 0: it never was
  curl_easy_getinfo(curl.get(), CURLINFO_PRETRANSFER_TIME_T, &connected);
  if (x.answer.fault == HttpFault::timed_out && !connected) x.answer.fault = HttpFault::unreachable;
  char* to = nullptr;
  if (r.head && !curl_easy_getinfo(curl.get(), CURLINFO_REDIRECT_URL, &to) && to) x.answer.redirect = to;
  return std::move(x.answer);
}

std::string origin_of(std::string_view url) {
  CurlUrl parsed(curl_url());
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, std::string(url).c_str(), 0)) return {};
  std::string origin;
  for (CURLUPart part : {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT}) {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), part, &text, CURLU_DEFAULT_PORT)) return {};
    origin += (origin.empty() ? "" : part == CURLUPART_HOST ? "://" : ":") + lower(text);
    curl_free(text);
  }
  return origin;
}

std::string url_escaped(std::string_view text, bool keep_slashes) {
  std::string out;
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 std::string_view("-._~").find(c) != std::string_view::npos || (c == '/' && keep_slashes);
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace ridgeline
