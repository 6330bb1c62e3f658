// Runs a fuzz target once over every file of the folders named as arguments: the corpus as an ordinary test, with any
// compiler. A finding ends the process; a folder that holds nothing is a failure, since it would test nothing.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  for (int i = 1; i < argc; i++) {
    int files = 0;
    for (auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream in(entry.path(), std::ios::binary);
      std::vector<char> bytes(std::istreambuf_iterator<char>(in), {});
      std::printf("%s\n", entry.path().c_str());
      std::fflush(stdout);  // so that the last line names the file that broke it
      // A copy of exactly this size, so that a sanitizer sees the first byte read beyond it.
      std::vector<uint8_t> exact(bytes.begin(), bytes.end());
      LLVMFuzzerTestOneInput(exact.data(), exact.size());
      files++;
    }
    std::printf("%s: %d files\n", argv[i], files);
    if (!files) return 1;
  }
  return argc > 1 ? 0 : 2;
}
