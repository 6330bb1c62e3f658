// One HTTP exchange at a time, over libcurl: http and https, proxies from the environment as curl knows them (https_proxy,
// no_proxy), CURL_CA_BUNDLE or SSL_CERT_FILE for certificates of one's own.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ridgeline {

struct HttpRequest {
  std::string url;
  std::string token = {};          // a bearer token; a redirect to another host, port or scheme does not get it
  bool head = false;               // HEAD: no body, and no redirect is followed
  uint64_t from = 0;               // the first byte wanted; 0: all of them
  std::chrono::seconds stall{30};  // give up after so long without a byte
};

enum class HttpFault : uint8_t { none, unreachable, timed_out, tls, cut, redirects, interrupted, other };

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::optional<std::string> header(std::string_view name) const;
};

// What came back: every response of a chain of redirects, the last one last. Empty where a fault came before any.
struct HttpAnswer {
  std::vector<HttpResponse> responses;
  HttpFault fault = HttpFault::none;
  std::string fault_text;  // libcurl's words
  std::string redirect;    // of a HEAD: the address it is sent on to
  bool ok() const { return fault == HttpFault::none && status() >= 200 && status() < 300; }
  int status() const { return responses.empty() ? 0 : responses.back().status; }
  // The header of the first response of the chain that has it: the hub's own word, not that of the store it points to.
  std::optional<std::string> header(std::string_view name) const;
};

struct HttpCallbacks {
  std::function<void(const HttpResponse&)> begin = {};  // before the first byte of the last response
  std::function<bool(std::string_view)> body = {};      // a part of it; false: no more is wanted, and that is no fault
  std::function<bool()> interrupted = {};               // asked about once a second; true ends the transfer
};
// Never throws for what the network does; what a callback throws ends the transfer and comes out here.
HttpAnswer http_exchange(const HttpRequest& request, const HttpCallbacks& callbacks);

// "scheme://host:port" of a URL, in lower case; empty where it is none.
std::string origin_of(std::string_view url);

// Text as it stands between the slashes of a URL: '/' is kept where keep_slashes.
std::string url_escaped(std::string_view text, bool keep_slashes);

}  // namespace ridgeline
