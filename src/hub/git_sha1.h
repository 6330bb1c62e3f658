// SHA-1 (FIPS 180-4) as git names a file by it: of "blob LENGTH\0" and the content. It tells a file that arrived whole from
// one that did not; it is no protection against someone who makes two files with one name.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace ridgeline {

class GitSha1 {
 public:
  explicit GitSha1(uint64_t length);  // bytes of the whole content
  void add(std::string_view bytes);
  std::string hex();  // 40 digits. Nothing may be added afterwards.

 private:
  void block(const unsigned char* at);  // 64 bytes
  std::array<uint32_t, 5> state_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  std::array<unsigned char, 64> rest_{};  // the first added_ % 64 bytes of a block that is not whole
  uint64_t added_ = 0;                    // bytes
};

}  // namespace ridgeline
