#include "hub/git_sha1.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace ridgeline {

GitSha1::GitSha1(uint64_t length) { add(fmt::format("blob {}", length) + '\0'); }

void GitSha1::block(const unsigned char* at) {
  std::array<uint32_t, 80> w;
  for (int i = 0; i < 16; ++i)
    w[i] = uint32_t{at[4 * i]} << 24 | uint32_t{at[4 * i + 1]} << 16 | uint32_t{at[4 * i + 2]} << 8 | at[4 * i + 3];
  for (int i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  auto [a, b, c, d, e] = state_;
  for (int i = 0; i < 80; ++i) {
    uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
    uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
    uint32_t next = std::rotl(a, 5) + f + e + k + w[i];
    e = d, d = c, c = std::rotl(b, 30), b = a, a = next;
  }
  state_ = {state_[0] + a, state_[1] + b, state_[2] + c, state_[3] + d, state_[4] + e};
}

void GitSha1::add(std::string_view bytes) {
  while (!bytes.empty()) {
    size_t at = added_ % 64, n = std::min<size_t>(64 - at, bytes.size());
    std::memcpy(rest_.data() + at, bytes.data(), n);
    added_ += n;
    bytes.remove_prefix(n);
    if (at + n == 64) block(rest_.data());
  }
}

std::string GitSha1::hex() {
  uint64_t bits = added_ * 8;
  std::string end(1, '\x80');
  end.append((119 - added_ % 64) % 64, '\0');  // so that the eight bytes of the length end a block
  for (int shift = 56; shift >= 0; shift -= 8) end += static_cast<char>(bits >> shift);
  add(end);
  return fmt::format("{:08x}{:08x}{:08x}{:08x}{:08x}", state_[0], state_[1], state_[2], state_[3], state_[4]);
}

}  // namespace ridgeline
