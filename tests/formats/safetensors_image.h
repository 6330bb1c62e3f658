// Images of safetensors files, to be changed in one place and read.
#pragma once
#include <cstring>
#include <span>
#include <string>

namespace ridgeline::safetensors_image {

// The length of the header (or another), the header, and so many bytes of data.
inline std::string image(const std::string& header, size_t data_bytes, uint64_t length) {
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + header + std::string(data_bytes, '\x11');
}
inline std::string image(const std::string& header, size_t data_bytes) {
  return image(header, data_bytes, header.size());
}
// An entry of a header: "a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}
inline std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                         const std::string& offsets) {
  return '"' + name + R"(":{"dtype":")" + dtype + R"(","shape":[)" + shape + R"(],"data_offsets":[)" + offsets + "]}";
}
inline std::string minimal_header() {
  return "{" + entry("a", "F32", "2,3", "0,24") + "," + entry("b", "BF16", "4", "24,32") +
         R"(,"__metadata__":{"format":"pt"}})";
}
inline std::string minimal() { return image(minimal_header(), 32); }

inline std::span<const std::byte> as_bytes(const std::string& image) {
  return std::as_bytes(std::span(image.data(), image.size()));
}

}  // namespace ridgeline::safetensors_image
