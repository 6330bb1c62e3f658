// Files damaged at random, but the same ones each time: bits, lengths, the end, and blocks of bytes; and for JSON its values,
// keys and commas.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline {

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  // A whole number below n.
  size_t below(size_t n) { return n ? random_() % n : 0; }

  // One to three changes to the bytes of a file; most of them among the first `header` bytes.
  std::string bytes(std::string file, size_t header) {
    for (size_t changes = 1 + below(3); changes; changes--) {
      const size_t end = std::min(below(8) ? header : file.size(), file.size());
      change_bytes(file, end);
    }
    return file;
  }

  // The same of a text, whose numbers, quoted texts and parts between commas are changed too.
  std::string text(std::string file) {
    for (size_t changes = 1 + below(3); changes; changes--) {
      if (below(3))
        change_words(file);
      else
        change_bytes(file, file.size());
    }
    return file;
  }

 private:
  void change_bytes(std::string& file, size_t end) {
    const size_t at = below(end), length = std::min(1 + below(below(4) ? 16 : 512), file.size() - at);
    switch (below(8)) {
      case 0:
      case 1:
        if (at < file.size()) file[at] = static_cast<char>(file[at] ^ 1 << below(8));
        break;
      case 2: file.resize(at); break;
      case 3:
      case 4: write_number(file, at); break;
      case 5: file.insert(at, file.substr(below(end), length)); break;  // there twice
      case 6: {
        std::string random(length, '\0');
        for (char& c : random) c = static_cast<char>(random_());
        file.insert(at, random);
        break;
      }
      default: swap_blocks(file, at, below(end), length);
    }
  }

  // A length, a count or an offset as no file should have it, of 1 to 8 bytes.
  void write_number(std::string& file, size_t at) {
    static constexpr uint64_t numbers[] = {
        0,          1,         0x7F,       0xFF,       0x7FFF,          0x7FFFFFFF, 1ull << 31, 0xFFFFFFFF,
        1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX, UINT64_MAX - 31, 1ull << 40, 3,          1'000'000'000,
        65'537,     1ull << 61};
    const size_t size = std::min(size_t{1} << below(4), file.size() - at);
    uint64_t number = numbers[below(std::size(numbers))], found = 0;
    std::memcpy(&found, file.data() + at, size);
    if (!below(3)) number = found + below(5) - 2;  // beside what is right
    std::memcpy(file.data() + at, &number, size);
  }

  static void swap_blocks(std::string& file, size_t a, size_t b, size_t length) {
    if (a > b) std::swap(a, b);
    length = std::min({length, b - a, file.size() - b});
    std::swap_ranges(file.begin() + static_cast<ptrdiff_t>(a), file.begin() + static_cast<ptrdiff_t>(a + length),
                     file.begin() + static_cast<ptrdiff_t>(b));
  }

  // From one of these characters to the next.
  struct Span {
    size_t begin, size;
  };
  Span part(const std::string& file, std::string_view around) {
    const size_t first = file.find_first_of(around, below(file.size()));
    if (first == file.npos) return {0, 0};
    const size_t next = file.find_first_of(around, first + 1);
    return {first + 1, (next == file.npos ? file.size() : next) - first - 1};
  }

  void change_words(std::string& file) {
    static constexpr std::string_view values[] = {
        "0",         "-1",          "1",          "3",          "1.0",
        "1e9",       "-0",          "2147483648", "4294967296", "18446744073709551615",
        "1e400",     "null",        "true",       "[]",         "{}",
        "\"\"",      "\"x\"",       "[[[[[[[[",   "}",          "NaN",
        "0.5",       "1e-9",        "false",      "[-1]",       "[null]",
        "{\"a\":1}", "\"\\ud800\"", "1048577",    "\"1\"",      "9223372036854775807"};
    const std::string_view value = values[below(std::size(values))];
    switch (below(5)) {
      case 0: {  // a value
        const Span s = part(file, ":,[]{}");
        file.replace(s.begin, s.size, value);
        break;
      }
      case 1: {  // what stands between two commas, twice
        const Span s = part(file, ",{[");
        file.insert(s.begin, file.substr(s.begin, s.size) + ",");
        break;
      }
      case 2: {  // or not at all
        const Span s = part(file, ",{[");
        file.erase(s.begin, s.size + 1);
        break;
      }
      case 3: {  // or elsewhere
        const Span from = part(file, ",{[]}"), to = part(file, ",{[]}");
        file.insert(to.begin, file.substr(from.begin, from.size) + ",");
        break;
      }
      default: {  // a text
        const Span s = part(file, "\"");
        const Span other = part(file, "\"");
        file.replace(s.begin, s.size, below(2) ? file.substr(other.begin, other.size) : std::string(below(2000), 'x'));
      }
    }
  }

  std::mt19937 random_;
};

}  // namespace ridgeline
