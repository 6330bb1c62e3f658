#include "formats/gguf_writer.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <string>

#include "base/refused.h"
#include "base/scratch_folder.h"
#include "formats/gguf.h"
#include "formats/gguf_image.h"

namespace ridgeline {
namespace {

using namespace gguf_image;

const GgmlType& type(uint32_t id) { return *find_ggml_type(id); }
size_t files_in(const ScratchFolder& folder) {
  auto all = std::filesystem::directory_iterator(folder.path());
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

GgufHeader minimal_header() {
  GgufHeader header;
  header.set("general.architecture", "llama");
  header.set("general.name", std::string("tiny"));
  header.set("llama.block_count", uint32_t{1});
  header.set("test.u8", uint8_t{200});
  header.set("test.i8", int8_t{-5});
  header.set("test.u16", uint16_t{60'000});
  header.set("test.i16", int16_t{-300});
  header.set("test.i32", int32_t{-70'000});
  header.set("test.f32", 1e-5f);
  header.set("test.bool", true);
  header.set("test.u64", uint64_t{1} << 63);
  header.set("test.i64", -(int64_t{1} << 40));
  header.set("test.f64", 0.1);
  header.set_array("tokens", std::vector<std::string>{"<s>", "", "\xff\n"});
  header.set_array("scores", std::vector<float>{0.5f, -1.0f});
  bool flags[] = {false, true};
  header.set_array("flags", std::span<const bool>(flags));
  header.set_array("nothing", std::vector<int32_t>());
  for (auto& t : minimal().tensors) {
    std::vector<int64_t> shape(t.ne.rbegin(), t.ne.rend());
    header.declare(t.name, type(t.type), shape);
  }
  return header;
}

// Written in pieces of `piece` bytes.
void write_minimal(GgufWriter& out, size_t piece) {
  std::string image = minimal().bytes();
  GgufFile source = GgufFile::parse(as_bytes(image));
  for (auto& t : source.tensors()) {
    auto data = source.data(t);
    for (size_t at = 0; at < data.size(); at += piece) out.write(data.subspan(at, std::min(piece, data.size() - at)));
  }
}

TEST(GgufWriter, writes_the_bytes_of_the_format) {
  EXPECT_TRUE(minimal().bytes().starts_with(minimal_header().bytes()));
  for (size_t piece : {1, 7, 1000}) {
    ScratchFolder folder;
    GgufWriter out(folder / "a.gguf", minimal_header());
    write_minimal(out, piece);
    EXPECT_FALSE(std::filesystem::exists(folder / "a.gguf"));  // whole or absent
    out.finish();
    std::ifstream in(folder / "a.gguf", std::ios::binary);
    EXPECT_TRUE(std::string(std::istreambuf_iterator<char>(in), {}) == minimal().bytes()) << piece;
    EXPECT_EQ(files_in(folder), 1u);
  }
}

TEST(GgufWriter, other_alignments_are_written_down) {
  ScratchFolder folder;
  GgufHeader header(4096);
  header.declare("a", type(GGML_F32), std::vector<int64_t>{2, 3});
  header.declare("b", type(GGML_F32), std::vector<int64_t>{1});
  GgufWriter out(folder / "a.gguf", header);
  out.write(std::vector<std::byte>(24, std::byte{1}));
  out.write(std::vector<std::byte>(4, std::byte{2}));
  out.finish();
  GgufFile file = GgufFile::open(folder / "a.gguf");
  EXPECT_EQ(file.alignment(), 4096u);
  EXPECT_EQ(file.tensor("b").offset, file.data_begin() + 4096);
  EXPECT_EQ(file.tensor("a").shape(), (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(file.data(file.tensor("b"))[3], std::byte{2});
  EXPECT_EQ(file.file_bytes(), file.data_begin() + 2 * 4096);
}

TEST(GgufWriter, replaces_the_old_file_only_at_the_end) {
  ScratchFolder folder;
  folder.write("a.gguf", "old");
  {
    GgufWriter out(folder / "a.gguf", minimal_header());
    write_minimal(out, 1000);
  }  // never finished
  EXPECT_EQ(files_in(folder), 1u);
  EXPECT_EQ(std::filesystem::file_size(folder / "a.gguf"), 3u);
  GgufWriter out(folder / "a.gguf", minimal_header());
  write_minimal(out, 1000);
  out.finish();
  EXPECT_EQ(std::filesystem::file_size(folder / "a.gguf"), minimal().bytes().size());
}

TEST(GgufWriter, failures_of_the_disk_are_io_errors_and_leave_nothing_behind) {
  ScratchFolder folder;
  std::string nowhere = folder / "missing/a.gguf";
  EXPECT_TRUE(
      refused(ExitCode::io, "cannot_write", {nowhere, "No such file"}, [&] { GgufWriter(nowhere, GgufHeader()); }));
  std::filesystem::create_directory(folder / "taken");
  EXPECT_TRUE(
      refused(ExitCode::io, "cannot_write", {"taken"}, [&] { GgufWriter(folder / "taken", GgufHeader()).finish(); }));

  rlimit old, small = {4 << 20, RLIM_INFINITY};
  getrlimit(RLIMIT_FSIZE, &old);
  small.rlim_max = old.rlim_max;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  GgufHeader header;
  header.declare("a", type(GGML_F32), std::vector<int64_t>{2 << 20});
  EXPECT_TRUE(refused(ExitCode::io, "cannot_write", {"File too large"}, [&] {
    GgufWriter out(folder / "a.gguf", header);
    out.write(std::vector<std::byte>(8 << 20));
    out.finish();
  }));
  setrlimit(RLIMIT_FSIZE, &old);
  signal(SIGXFSZ, SIG_DFL);
  EXPECT_EQ(files_in(folder), 1u);  // the directory
}

TEST(GgufWriter, wrong_use_is_an_internal_error) {
  auto internal = [](auto f) { return refused(ExitCode::internal, "internal", {}, f); };
  GgufHeader header;
  std::vector<int64_t> one = {1};
  EXPECT_TRUE(internal([&] { header.set("a b", true); }));
  EXPECT_TRUE(internal([&] { header.set("", true); }));
  EXPECT_TRUE(internal([&] { GgufHeader(24); }));
  EXPECT_TRUE(internal([&] { header.declare(std::string(64, 'x'), type(GGML_F32), one); }));
  EXPECT_TRUE(internal([&] { header.declare("x", type(GGML_Q4_0), std::vector<int64_t>{33}); }));
  EXPECT_TRUE(internal([&] { header.declare("x", type(4), one); }));
  EXPECT_TRUE(internal([&] { header.declare("x", type(GGML_F32), std::vector<int64_t>{0}); }));
  EXPECT_TRUE(internal([&] { header.declare("x", type(GGML_F32), std::vector<int64_t>{1ll << 32, 1ll << 32}); }));
  EXPECT_TRUE(internal([&] { header.declare("x", type(GGML_F32), {}); }));
  EXPECT_TRUE(internal([&] { header.declare("x", type(GGML_F32), std::vector<int64_t>{1, 1, 1, 1, 1}); }));

  ScratchFolder folder;
  GgufHeader two;
  two.declare("a", type(GGML_F32), one);
  two.declare("b", type(GGML_F32), one);
  GgufWriter out(folder / "a.gguf", two);
  EXPECT_TRUE(internal([&] { out.write(std::vector<std::byte>(8)); }));  // beyond the end of a
  out.write(std::vector<std::byte>(4));
  EXPECT_TRUE(internal([&] { out.finish(); }));  // b is missing
}

}  // namespace
}  // namespace ridgeline
