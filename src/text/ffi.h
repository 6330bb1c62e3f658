// What tokenizer.cpp and chat_template.cpp share of the border to the Rust library.
#pragma once
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "text/text_ffi.h"

namespace ridgeline {

inline rl_slice slice(std::string_view text) { return {text.data(), text.size()}; }

// A sink that collects what the library writes; it decides what it is once the status is known.
struct Collected {
  std::vector<char> bytes;

  rl_sink sink() {
    return {this, [](void* to, const void* data, size_t size) {
              const char* first = static_cast<const char*>(data);
              auto& all = static_cast<Collected*>(to)->bytes;
              all.insert(all.end(), first, first + size);
            }};
  }
  std::string text() const { return {bytes.begin(), bytes.end()}; }
};

}  // namespace ridgeline
