// Where the hub and its cache are, from the environment variables that every tool of the hub reads
// (huggingface.co/docs/huggingface_hub/package_reference/environment_variables).
#pragma once
#include <chrono>
#include <string>

namespace ridgeline {

struct HubSettings {
  std::string cache;     // HF_HUB_CACHE, $HF_HOME/hub, $XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub
  std::string endpoint;  // HF_ENDPOINT, https://huggingface.co; no slash at the end
  std::string token;     // HF_TOKEN, the file HF_TOKEN_PATH, $HF_HOME/token; empty: none. Never printed
  bool offline = false;  // HF_HUB_OFFLINE
  std::chrono::seconds stall{30};         // without a byte for so long, a transfer has failed: HF_HUB_DOWNLOAD_TIMEOUT
  std::chrono::milliseconds pause{1000};  // before a failed request is made again; twice as long each time
};

// Throws Error (bad_config) for a value that cannot be meant: an endpoint that is no URL, a token with a line break, or no
// home directory to put a cache in.
HubSettings hub_settings();

}  // namespace ridgeline
