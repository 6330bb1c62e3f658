// SHA-256 (FIPS 180-4), for telling whether two things are the same to the bit, on any machine.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ridgeline {

class Sha256 {
 public:
  void add(std::span<const std::byte> bytes);
  // The hash of all that was added, as 64 hexadecimal digits. Nothing may be added afterwards.
  std::string hex();

 private:
  void block(const std::byte* at);  // 64 bytes
  std::array<uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> rest_{};  // the first added_ % 64 bytes of a block that is not whole
  uint64_t added_ = 0;                // bytes
};

}  // namespace ridgeline
