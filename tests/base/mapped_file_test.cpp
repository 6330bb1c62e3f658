#include "base/mapped_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/scratch_folder.h"

namespace ridgeline {
namespace {

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The words a refusal to open must say.
void expect_refused(const std::string& path, std::string_view words) {
  try {
    MappedFile::open(path);
    FAIL() << path << " was opened";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::cannot_open);
    EXPECT_NE(std::string_view(e.what()).find(path), std::string_view::npos) << e.what();
    EXPECT_NE(std::string_view(e.what()).find(words), std::string_view::npos) << e.what();
  }
}

TEST(MappedFile, has_the_bytes_of_the_file) {
  ScratchFolder folder;
  MappedFile file = MappedFile::open(folder.write("a", "hello"));
  EXPECT_EQ(text_of(file.bytes()), "hello");
  EXPECT_EQ(file.path(), folder / "a");
  auto copy = file.copy(1, 3);
  EXPECT_EQ(text_of(copy), "ell");
  EXPECT_TRUE(MappedFile::open(folder.write("empty", "")).bytes().empty());
}

TEST(MappedFile, T38_only_regular_files) {
  ScratchFolder folder;
  std::string fifo = folder / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  expect_refused(fifo, "a FIFO");  // returns at once: nobody will ever write to it
  expect_refused(folder.path(), "a directory");
  expect_refused("/dev/zero", "a device");
  expect_refused(folder / "missing", "No such file");
  expect_refused("", "No such file");
  std::filesystem::create_symlink("loop", folder / "loop");
  expect_refused(folder / "loop", "symbolic links");
  std::filesystem::create_symlink(folder.write("a", "hello"), folder / "link");
  EXPECT_EQ(MappedFile::open(folder / "link").bytes().size(), 5u);
}

TEST(MappedFile, no_permission) {
  ScratchFolder folder;
  std::string path = folder.write("secret", "hello");
  chmod(path.c_str(), 0);
  chmod(folder.path().c_str(), 0755);
  pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && seteuid(65'534)) _exit(1);  // root may read everything
    try {
      MappedFile::open(path);
    } catch (const Error& e) {
      _exit(std::string_view(e.what()).ends_with("Permission denied") ? static_cast<int>(e.code()) : 2);
    }
    _exit(3);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 66);
}

TEST(MappedFile, moves) {
  ScratchFolder folder;
  MappedFile a = MappedFile::open(folder.write("a", "first")), b = MappedFile::open(folder.write("b", "second"));
  const std::byte* at = b.bytes().data();
  a = std::move(b);
  EXPECT_EQ(a.bytes().data(), at);
  EXPECT_EQ(text_of(a.bytes()), "second");
  MappedFile c = std::move(a);
  EXPECT_EQ(text_of(c.bytes()), "second");
}

TEST(MappedFile, T10_tells_when_the_file_changed) {
  ScratchFolder folder;
  auto open = [&] { return MappedFile::open(folder.write("a", "content")); };
  {
    MappedFile file = open();
    EXPECT_FALSE(file.changed());
    EXPECT_NO_THROW(file.require_unchanged());
    chmod(file.path().c_str(), 0600);  // not a change of what it holds
    EXPECT_FALSE(file.changed());
  }
  {
    MappedFile file = open();
    ASSERT_EQ(truncate(file.path().c_str(), 3), 0);
    EXPECT_TRUE(file.changed());
    try {
      file.copy(0, 7);
      FAIL() << "read what is not there";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::io);
      EXPECT_EQ(e.id(), "file_changed");
    }
  }
  {
    MappedFile file = open();
    timespec times[2] = {{0, UTIME_OMIT}, {1'000'000'000, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, file.path().c_str(), times, 0), 0);
    EXPECT_TRUE(file.changed());
  }
  {
    MappedFile file = open();
    std::filesystem::rename(folder.write("b", "CONTENT"), file.path());
    EXPECT_TRUE(file.changed());
    EXPECT_EQ(text_of(file.bytes()), "content");  // and what is mapped is still the old file
  }
  {
    MappedFile file = open();
    std::filesystem::remove(file.path());
    EXPECT_TRUE(file.changed());
    try {
      file.require_unchanged();
      FAIL() << "the change was not noticed";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::io);
      EXPECT_EQ(e.id(), "file_changed");
    }
  }
}

TEST(MappedFile, dropped_pages_leave_memory_and_come_back) {
  ScratchFolder folder;
  MappedFile file = MappedFile::open(folder.write("a", std::string(1 << 20, 'x')));
  auto resident = [&] {  // of this process, unlike mincore, which asks about the page cache
    std::ifstream statm("/proc/self/statm");
    long size = 0, rss = 0, shared = 0;
    statm >> size >> rss >> shared;
    return shared * sysconf(_SC_PAGESIZE);
  };
  file.will_need(file.bytes());
  long sum = 0;
  for (std::byte b : file.bytes()) sum += static_cast<long>(b);
  long before = resident();
  file.drop(file.bytes().subspan(100));
  EXPECT_LT(resident(), before - (900 << 10));
  for (std::byte b : file.bytes()) sum -= static_cast<long>(b);
  EXPECT_EQ(sum, 0);
  file.drop(file.bytes().subspan(100, 0));
  file.drop(file.bytes().subspan(100, 10));
}

using SigbusGuardDeathTest = ::testing::Test;

// Reads beyond what a truncated file has left.
void read_what_is_gone(bool named) {
  ScratchFolder folder;
  MappedFile first = MappedFile::open(folder.write("model", std::string(1 << 20, 'x')));
  MappedFile file = std::move(first);
  if (truncate(file.path().c_str(), 10)) _exit(1);
  std::filesystem::remove_all(folder.path());  // nothing runs after the signal
  volatile const std::byte* bytes = file.bytes().data();
  ReadingScope outer("tensor blk.0.attn_q.weight");
  if (named) {
    ReadingScope inner("tensor blk.1.attn_q.weight");
    (void)bytes[500'000];
  }
  (void)bytes[500'000];
}

TEST(SigbusGuardDeathTest, T10_names_the_file_and_the_tensor) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto dies = [](bool named) { install_sigbus_guard(), read_what_is_gone(named); };
  EXPECT_EXIT(dies(true), ::testing::ExitedWithCode(74), "reading .*/model failed in tensor blk.1.attn_q.weight");
  EXPECT_EXIT(dies(false), ::testing::ExitedWithCode(74), "reading .*/model failed in tensor blk.0.attn_q.weight");
}

TEST(SigbusGuardDeathTest, leaves_other_faults_alone) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto dies = [] {
    install_sigbus_guard();
    char name[] = "/tmp/ridgeline-XXXXXX";
    int descriptor = mkstemp(name);
    unlink(name);
    void* nowhere = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, descriptor, 0);  // of an empty file
    (void)*static_cast<volatile char*>(nowhere);
  };
  EXPECT_EXIT(dies(), ::testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace ridgeline
