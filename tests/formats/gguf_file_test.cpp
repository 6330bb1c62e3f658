// GGUF files on disk: what GgufFile::open adds to the parsing of an image.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "base/limits.h"
#include "base/refused.h"
#include "base/scratch_folder.h"
#include "formats/cpu_time.h"
#include "formats/gguf.h"
#include "formats/gguf_image.h"

namespace ridgeline {
namespace {

using namespace gguf_image;

TEST(GgufFile, opens_a_file) {
  ScratchFolder folder;
  GgufFile file = GgufFile::open(folder.write("a.gguf", minimal().bytes()));
  EXPECT_EQ(file.metadata().get<std::string>("general.architecture"), "llama");
  EXPECT_EQ(file.data(file.tensor("blk.0.a.weight"))[0], std::byte{14});
  ASSERT_EQ(file.files().size(), 1u);
  EXPECT_FALSE(file.files()[0]->changed());
  file.files()[0]->drop(file.data(file.tensor("blk.0.a.weight")));
  EXPECT_EQ(file.data(file.tensor("blk.0.a.weight"))[0], std::byte{14});
}

TEST(GgufFile, T38_not_a_regular_file) {
  ScratchFolder folder;
  ASSERT_EQ(mkfifo((folder / "fifo").c_str(), 0600), 0);
  for (std::string path : {folder.path(), folder / "fifo", std::string("/dev/zero"), folder / "missing"}) {
    EXPECT_TRUE(refused(ExitCode::cannot_open, "cannot_open", {path}, [&] { GgufFile::open(path); }));
  }
}

TEST(GgufFile, G01_G04_G23_messages_name_the_file) {
  ScratchFolder folder;
  auto refuses = [&](std::string_view id, std::string_view content, std::string_view words) {
    std::string path = folder.write("a.gguf", content);
    return refused(ExitCode::bad_data, id, {"cannot load " + path + "\n", words}, [&] { GgufFile::open(path); });
  };
  std::string whole = minimal().bytes();
  EXPECT_TRUE(refuses("gguf_truncated", "", "empty"));
  EXPECT_TRUE(refuses("gguf_truncated", whole.substr(0, 700), "unfinished download"));
  EXPECT_TRUE(refuses("gguf_truncated", whole.substr(0, whole.size() - 1), "ends 1 bytes early"));
  EXPECT_TRUE(refuses("bad_magic", "not a model", "begins with"));
  EXPECT_TRUE(refuses("lfs_pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "LFS"));
}

TEST(GgufFile, G13_a_gigabyte_of_string_in_a_sparse_file) {
  ScratchFolder folder;
  Image image = minimal();
  image.tensors.clear();
  image.entries.push_back({"x", STRING, raw<uint64_t>(1ull << 30), {}});
  std::string path = folder.write("a.gguf", image.bytes());
  ASSERT_EQ(truncate(path.c_str(), 2ll << 30), 0);
  CpuTime time;
  EXPECT_TRUE(refused(ExitCode::bad_data, "gguf_limit", {"1073741824"}, [&] { GgufFile::open(path); }));
  EXPECT_LT(time.seconds(), 0.05);
}

// The header of a file is read in growing pieces.
TEST(GgufFile, large_headers) {
  ScratchFolder folder;
  Image image = minimal();
  std::string words;
  for (int i = 0; i < 300'000; i++) words += string("word");
  image.entries.push_back({"words", ARRAY, array(STRING, 300'000, words), {}});
  std::string whole = image.bytes();
  GgufFile file = GgufFile::open(folder.write("a.gguf", whole));
  EXPECT_EQ(file.metadata().get_array<std::string_view>("words").back(), "word");
  EXPECT_EQ(file.data(file.tensor("norm.weight")).size(), 20u);
  for (size_t size : {size_t{1} << 20, (size_t{1} << 20) + 1, size_t{3} << 20, whole.size() - 1}) {
    std::string path = folder.write("a.gguf", whole.substr(0, size));
    EXPECT_TRUE(refused(ExitCode::bad_data, "gguf_truncated", {"unfinished download"}, [&] { GgufFile::open(path); }))
        << size;
  }
}

TEST(GgufFile, headers_larger_than_the_limit) {  // many strings that are each allowed, and nearly nothing on disk
  ScratchFolder folder;
  constexpr uint64_t count = limits::gguf_header_bytes / sizeof(uint64_t);
  Image image = minimal();
  image.tensors.clear();
  image.entries.push_back({"x", ARRAY, array(STRING, count, ""), {}});
  std::string path = folder.write("a.gguf", image.bytes());
  ASSERT_EQ(truncate(path.c_str(), 1ll << 40), 0);
  EXPECT_TRUE(refused(ExitCode::bad_data, "gguf_limit", {"header", "134217728"}, [&] { GgufFile::open(path); }));
}

// A file far larger than memory: its sizes are known, and nothing has been allocated for them.
TEST(GgufFile, G26_a_sparse_terabyte) {
  ScratchFolder folder;
  Image image = minimal();
  constexpr uint64_t elements = 1ull << 38;  // 1 TiB of F32
  image.tensors.push_back({.name = "huge", .ne = {1ull << 20, elements >> 20}});
  std::string path = folder.write("a.gguf", image.bytes());
  off_t size = static_cast<off_t>(image.bytes().size() + 4 * elements);
  ASSERT_EQ(truncate(path.c_str(), size), 0) << "the test folder's file system holds no sparse file of 1 TiB";
  rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  GgufFile file = GgufFile::open(path);
  getrusage(RUSAGE_SELF, &after);
  EXPECT_EQ(file.tensor("huge").bytes, 1ull << 40);
  EXPECT_EQ(file.data(file.tensor("huge")).size(), 1ull << 40);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 16 << 10);  // KiB
}

// The header was copied: what another process writes into the file afterwards changes nothing that was checked.
TEST(GgufFile, T10_the_header_is_private) {
  ScratchFolder folder;
  std::string path = folder.write("a.gguf", minimal().bytes());
  GgufFile file = GgufFile::open(path);
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary) << std::string(500, '\xff');
  EXPECT_EQ(file.metadata().get<std::string>("general.name"), "tiny");
  EXPECT_EQ(file.metadata().get_array<std::string>("tokens").size(), 3u);
  EXPECT_EQ(file.tensor("norm.weight").name, "norm.weight");
}

// While one thread replaces the file by one of two others, again and again, an open file is wholly the one or the
// other.
TEST(GgufFile, G41_replaced_while_loading) {
  ScratchFolder folder;
  auto variant = [](std::string_view name, size_t more) {
    Image image = minimal();
    image.entries[1].value = string(name);
    image.tensors[0].ne = {5 + more};
    image.tensors[0].bytes = 4 * (5 + more);
    return image.bytes();
  };
  std::string one = variant("tiny", 0), two = variant("another", 4'000), path = folder.write("a.gguf", one);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; !done; i++) std::filesystem::rename(folder.write("next", i % 2 ? one : two), path);
  });
  int seen[2] = {};
  for (int i = 0; i < 300; i++) {
    GgufFile file = GgufFile::open(path);
    bool second = file.metadata().get<std::string>("general.name") == "another";
    seen[second]++;
    EXPECT_EQ(file.file_bytes(), second ? two.size() : one.size());
    EXPECT_EQ(file.tensor("norm.weight").elements, second ? 4'005u : 5u);
    auto data = file.data(file.tensor("norm.weight"));
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(data.data()), 20), one.substr(one.size() - 192, 20));
  }
  done = true;
  writer.join();
  EXPECT_GT(seen[0] + seen[1], 0);
}

// While one thread writes the file in place, shorter and longer, opening it ends with the old content, the new one, or
// an error; and what was opened during a change says so.
TEST(GgufFile, G41_rewritten_while_loading) {
  ScratchFolder folder;
  std::string whole = minimal().bytes(), path = folder.write("a.gguf", whole);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    while (!done) {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      for (size_t at = 0; at < whole.size(); at += 100) {
        file.seekp(static_cast<std::streamoff>(at))
            << std::string(std::min<size_t>(100, whole.size() - at), '\xee') << std::flush;
      }
      file.seekp(0) << whole << std::flush;
    }
  });
  int opened = 0;
  for (int i = 0; i < 2'000; i++) {
    try {
      GgufFile file = GgufFile::open(path);
      opened++;
      for (auto& t : file.tensors()) EXPECT_LE(t.offset + t.bytes, whole.size());
      for (auto& e : file.metadata().entries()) EXPECT_FALSE(file.metadata().show(e).empty());
    } catch (const Error& e) { EXPECT_TRUE(e.code() == ExitCode::bad_data || e.code() == ExitCode::io) << e.what(); }
  }
  done = true;
  writer.join();
  EXPECT_GT(opened, 0);
}

}  // namespace
}  // namespace ridgeline
