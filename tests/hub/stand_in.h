// A hub of one repository on the loopback: the addresses, headers and redirects of the real one, over plain sockets. What
// goes wrong on the way is a test's `edit` of a reply.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/sha256.h"
#include "hub/git_sha1.h"

namespace ridgeline {

inline std::string sha256_of(std::string_view content) {
  Sha256 hash;
  hash.add(std::as_bytes(std::span(content)));
  return hash.hex();
}
inline std::string git_hash_of(std::string_view content) {
  GitSha1 hash(content.size());
  hash.add(content);
  return hash.hex();
}

class StandInHub {
 public:
  struct Request {
    std::string method, target;                  // "/api/models/...?recursive=true"
    std::map<std::string, std::string> headers;  // names in lower case
    std::string header(const std::string& name) const {
      auto at = headers.find(name);
      return at == headers.end() ? "" : at->second;
    }
  };
  struct Reply {
    int status = 200;
    std::map<std::string, std::string> headers = {};
    std::string body = {};
    size_t cut = std::string::npos;     // the connection ends after so many bytes of the body
    std::chrono::milliseconds wait{0};  // before the body
    std::chrono::milliseconds hold{0};  // after it, before the connection ends
  };
  struct File {
    std::string name, content;
    bool large;
    std::string etag() const { return large ? sha256_of(content) : git_hash_of(content); }
  };

  const std::string repository = "maker/model", commit = "0123456789abcdef0123456789abcdef01234567";
  size_t page = 1000;  // entries of a listing's page
  bool ranges = true;  // a store that honours Range
  std::string store;   // where large files are; empty: here
  std::function<void(const Request&, Reply&)> edit = {};

  StandInHub() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) || listen(listener_, 64) ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size))
      throw std::runtime_error("no loopback socket");
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~StandInHub() {
    stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    for (auto& t : answering_) t.join();
    close(listener_);
  }
  StandInHub(const StandInHub&) = delete;

  std::string url(const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port_);
  }
  void add(const std::string& name, const std::string& content, bool large = true) {
    files_.push_back({name, content, large});
  }
  std::vector<Request> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  // Requests whose method is `method` and whose target holds `part`.
  size_t count(std::string_view method, std::string_view part) const {
    size_t n = 0;
    for (const auto& r : requests()) n += r.method == method && r.target.find(part) != std::string::npos;
    return n;
  }

 private:
  void accept_all() {
    for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;)
      answering_.emplace_back([this, fd] { answer(fd), close(fd); });
  }
  void answer(int fd) {
    std::string text;
    char part[4096];
    while (text.find("\r\n\r\n") == text.npos) {
      ssize_t n = recv(fd, part, sizeof part, 0);
      if (n <= 0) return;
      text.append(part, static_cast<size_t>(n));
      if (text[0] == 0x16) return send_all(fd, "HTTP/1.1 400 this is no TLS\r\n\r\n");
    }
    Request request = parse(text);
    Reply reply = reply_to(request);
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(request);
      if (edit) edit(request, reply);
    }
    send_reply(fd, request, reply);
  }
  static Request parse(const std::string& text) {
    Request r;
    size_t space = text.find(' '), second = text.find(' ', space + 1), at = text.find("\r\n") + 2;
    r.method = text.substr(0, space), r.target = text.substr(space + 1, second - space - 1);
    for (size_t end; (end = text.find("\r\n", at)) != text.npos && end > at; at = end + 2) {
      std::string line = text.substr(at, end - at), name = line.substr(0, line.find(':'));
      for (char& c : name) c = static_cast<char>(tolower(c));
      r.headers[name] = line.substr(line.find(':') + 2);
    }
    return r;
  }
  Reply reply_to(const Request& r) const {
    std::string tree = "/api/models/" + repository + "/tree/", resolve = "/" + repository + "/resolve/",
                blobs = "/blobs/";
    if (r.target.starts_with(tree)) return listing(r);
    if (r.target.starts_with(resolve)) return file(r.target.substr(r.target.find('/', resolve.size()) + 1));
    if (r.target.starts_with(blobs))
      for (const auto& f : files_)
        if (f.etag() == r.target.substr(blobs.size())) return content(f, r);
    return {.status = 404, .headers = {{"X-Error-Code", "RepoNotFound"}}, .body = "no"};
  }
  Reply listing(const Request& r) const {
    size_t at = r.target.find("cursor="), begin = at == r.target.npos ? 0 : std::stoul(r.target.substr(at + 7));
    std::string body = begin ? "" : R"({"type":"directory","oid":"x","size":0,"path":"folder"})";
    size_t end = std::min(files_.size(), begin + page);
    for (size_t i = begin; i < end; ++i) {
      const auto& f = files_[i];
      std::string size = std::to_string(f.content.size());
      body +=
          (body.empty() ? "" : ",") + std::string(R"({"type":"file","path":")") + f.name + "\"," +
          (f.large ? R"("size":)" + size + R"(,"oid":"d0d0","lfs":{"oid":")" + f.etag() + R"(","size":)" + size + "}}"
                   : R"("size":)" + size + R"(,"oid":")" + f.etag() + "\"}");
    }
    Reply reply{.body = "[" + body + "]"};
    if (end < files_.size())
      reply.headers["Link"] = "<" + url() + r.target.substr(0, r.target.find('?')) +
                              "?recursive=true&cursor=" + std::to_string(end) + ">; rel=\"next\"";
    return reply;
  }
  Reply file(const std::string& name) const {
    for (const auto& f : files_) {
      if (f.name != name) continue;
      Reply reply{.headers = {{"X-Repo-Commit", commit}, {"ETag", "\"" + f.etag() + "\""}}};
      if (!f.large) {
        reply.body = f.content;
        return reply;
      }
      reply.status = 302;
      reply.headers["X-Linked-Etag"] = "\"" + f.etag() + "\"";
      reply.headers["X-Linked-Size"] = std::to_string(f.content.size());
      reply.headers["Location"] = (store.empty() ? url() : store) + "/blobs/" + f.etag();
      return reply;
    }
    return {.status = 404, .headers = {{"X-Error-Code", "EntryNotFound"}}};
  }
  Reply content(const File& f, const Request& r) const {
    std::string range = r.header("range");
    Reply reply{.headers = {{"ETag", "\"of the store\""}}, .body = f.content};
    if (!ranges || !range.starts_with("bytes=")) return reply;
    size_t from = std::stoul(range.substr(6));
    if (from >= f.content.size()) return {.status = 416};
    reply.status = 206;
    reply.headers["Content-Range"] = "bytes " + std::to_string(from) + "-" + std::to_string(f.content.size() - 1) +
                                     "/" + std::to_string(f.content.size());
    reply.body = f.content.substr(from);
    return reply;
  }
  void send_reply(int fd, const Request& request, const Reply& reply) const {
    std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " x\r\nConnection: close\r\n";
    auto headers = reply.headers;
    headers.try_emplace("Content-Length", std::to_string(reply.body.size()));
    for (const auto& [name, value] : headers) head += name + ": " + value + "\r\n";
    send_all(fd, head + "\r\n");
    pause(reply.wait);
    if (request.method != "HEAD") send_all(fd, std::string_view(reply.body).substr(0, reply.cut));
    pause(reply.hold);
  }
  void pause(std::chrono::milliseconds time) const {
    auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end && !stopping_)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  static void send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }

  int listener_, port_;
  std::vector<File> files_;
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::vector<std::thread> answering_;  // touched by the accepting thread, and after it has ended
  std::thread accepting_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace ridgeline
