// The hub's interface, for one revision of one repository.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/http.h"
#include "hub/listing.h"
#include "hub/settings.h"

namespace ridgeline {

// What a pull says while it works, and how it is stopped. Each may be empty.
struct PullObserver {
  std::function<void(const HubFile&, int64_t done)> progress = {};  // bytes of the file that are there; often
  std::function<void(std::string_view)> note = {};                  // a line
  std::function<bool()> interrupted = {};
};

class HubClient {
 public:
  HubClient(const HubSettings& settings, std::string repository, std::string revision, const PullObserver& observer)
      : settings_(settings), repository_(std::move(repository)), revision_(std::move(revision)), observer_(observer) {}

  // Every file. Follows pages within the hub's own address. Throws Error, as fail_with says; (bad_data) for a listing that
  // cannot be used.
  std::vector<HubFile> list() const;

  struct Head {
    std::string commit;  // what the revision means now; empty: not said
    std::string etag;
    int64_t bytes = -1;
  };
  Head head(const std::string& file) const;
  // One attempt at the bytes of a file from `from` on: redirects are followed, nothing is retried.
  HttpAnswer get(const std::string& file, uint64_t from, const HttpCallbacks& callbacks) const;
  // The names in an answer about a file. Throws Error (bad_data) for one that cannot be a name.
  static Head read_head(const HttpAnswer& answer);

  // True where the same request may well succeed later: a cut connection, a time-out, a busy server.
  static bool may_pass(const HttpAnswer& answer);
  // Waits before attempt number `attempt` (1 is the second): twice as long each time, or as the answer says.
  void wait(int attempt, const HttpAnswer& answer) const;
  // The error that an answer is: (interrupted); (unavailable) no network, time-out, TLS, no permission, a server in trouble;
  // (cannot_open) there is no such repository, revision or file; (io) a connection that was cut again and again.
  [[noreturn]] void fail_with(const HttpAnswer& answer, const std::string& what) const;

 private:
  HttpAnswer with_retries(const HttpRequest& request, std::string* body) const;
  HttpRequest request(const std::string& url) const {
    return {.url = url, .token = settings_.token, .stall = settings_.stall};
  }
  std::string address_of(const std::string& file) const;
  const HubSettings& settings_;
  std::string repository_, revision_;
  const PullObserver& observer_;
};

}  // namespace ridgeline
