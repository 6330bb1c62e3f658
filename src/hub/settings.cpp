#include "hub/settings.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace ridgeline {
namespace {

namespace fs = std::filesystem;

// The first of several variables that is set and not empty.
std::string variable(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const char* value = std::getenv(name); value && *value) return value;
  return {};
}

std::string home() {
  std::string folder = variable({"HOME"});
  if (folder.empty())
    fail(ExitCode::bad_config, "no_home", "neither HF_HUB_CACHE nor HOME is set, so there is no place for a cache");
  return folder;
}
std::string without_tilde(std::string path) {
  return path == "~" || path.starts_with("~/") ? home() + path.substr(1) : path;
}

std::string hub_home() {
  if (std::string folder = variable({"HF_HOME"}); !folder.empty()) return without_tilde(folder);
  std::string caches = variable({"XDG_CACHE_HOME"});
  return (fs::path(caches.empty() ? home() + "/.cache" : caches) / "huggingface").string();
}

bool is_on(std::string value) {
  std::transform(value.begin(), value.end(), value.begin(), [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

std::string read_token() {
  std::string token = variable({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}), path;
  if (token.empty()) {
    path = variable({"HF_TOKEN_PATH"});
    path = path.empty() ? hub_home() + "/token" : without_tilde(path);
    std::error_code none;
    if (!fs::is_regular_file(path, none) || fs::file_size(path, none) > 4096) return {};
    std::ifstream in(path);
    token.assign(std::istreambuf_iterator<char>(in), {});
  }
  constexpr auto space = " \t\r\n";
  size_t first = token.find_first_not_of(space);
  if (first == token.npos) return {};
  token = token.substr(first, token.find_last_not_of(space) - first + 1);
  if (std::any_of(token.begin(), token.end(), [](char c) { return c <= ' ' || c == 127; }))
    fail(ExitCode::bad_config, "bad_token", "the token in {} holds a character that no token has",
         path.empty() ? "HF_TOKEN" : path);
  return token;
}

std::string read_endpoint() {
  std::string url = variable({"HF_ENDPOINT"});
  if (url.empty()) return "https://huggingface.co";
  while (url.ends_with('/')) url.pop_back();
  bool good = (url.starts_with("https://") || url.starts_with("http://")) && !url.ends_with(':') &&
              std::none_of(url.begin(), url.end(), [](char c) { return c <= ' ' || c == 127; });
  if (!good)
    fail(ExitCode::bad_config, "bad_endpoint", "HF_ENDPOINT is not the address of a hub: '{}'; expected https://...",
         url);
  return url;
}

}  // namespace

HubSettings hub_settings() {
  HubSettings s;
  s.cache = variable({"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"});
  s.cache = s.cache.empty() ? hub_home() + "/hub" : without_tilde(s.cache);
  s.endpoint = read_endpoint();
  s.token = read_token();
  s.offline = is_on(variable({"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"}));
  if (std::string seconds = variable({"HF_HUB_DOWNLOAD_TIMEOUT"}); !seconds.empty()) {
    char* end = nullptr;
    long n = std::strtol(seconds.c_str(), &end, 10);
    if (*end || n < 1 || n > 86'400)
      fail(ExitCode::bad_config, "bad_timeout", "HF_HUB_DOWNLOAD_TIMEOUT is '{}'; expected seconds, 1 to 86400",
           seconds);
    s.stall = std::chrono::seconds(n);
  }
  return s;
}

}  // namespace ridgeline
