// The command line where arguments, paths, descriptors, limits and the environment are not as one would like them: every
// refusal has its exit status at once, and nothing ends by a signal.
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstring>
#include <regex>

#include "base/scratch_folder.h"
#include "formats/tokenizer_image.h"
#include "goldens.h"
#include "process.h"

namespace ridgeline {
namespace {

const std::string tiny = std::string(RIDGELINE_TEST_DATA) + "/goldens/tiny_llama.gguf";
const std::vector<std::string> greedy = {"-n", "8", "--temp", "0", "--ignore-eos", "-q"};

Finished run_tiny(std::vector<std::string> more, const ProcessOptions& o = {}) {
  std::vector<std::string> line = {"run", tiny, "Hello"};
  line.insert(line.end(), more.begin(), more.end());
  return run_ridgeline(line, o);
}
std::function<void()> limit(__rlimit_resource which, rlim_t most) {
  return [=] {
    rlimit r{most, most};
    setrlimit(which, &r);
  };
}

// A model of a directory with this chat template.
void write_directory_with_template(const ScratchFolder& folder, const std::string& source) {
  for (const char* name : {"config.json", "model.safetensors"})
    std::filesystem::copy(golden_directory("tiny_llama3") + "/" + name, folder / name,
                          std::filesystem::copy_options::overwrite_existing);
  folder.write("tokenizer.json", tokenizer_image().dump());
  folder.write("tokenizer_config.json", nlohmann::json{{"chat_template", source}}.dump());
}

TEST(CommandLineC01, WrongOptionsAreOneLineThatNamesTheNearest) {
  struct Case {
    std::vector<std::string> line;
    const char* words;
  };
  for (const auto& [line, words] : std::vector<Case>{{{"--tempp", "1"}, "no option --tempp; did you mean --temp?"},
                                                     {{"--top_k=4"}, "no option --top_k; did you mean --top-k?"},
                                                     {{"--ctx", "-1"}, "no option --ctx; did you mean --ctx-size?"},
                                                     {{"--nonsense"}, "no option --nonsense ("},
                                                     {{"--temp"}, "--temp"},
                                                     {{"--temp", "1", "--temp", "2"}, "--temp"},
                                                     {{"-t", "1", "-t", "2"}, "--threads"},
                                                     {{"-c", "-1"}, "not in range"},
                                                     {{"-c", "1e9"}, "'1e9'"},
                                                     {{"-c", "1000000000"}, "not in range"},
                                                     {{"-t", "-1"}, "not in range"},
                                                     {{"-t", "100000"}, "not in range"},
                                                     {{"one\nmore"}, "one more"}}) {
    auto f = run_tiny(line);
    EXPECT_EQ(f.status, 2) << line[0];
    EXPECT_NE(f.err.find(words), f.err.npos) << words << "\nis not in\n" << f.err;
    EXPECT_EQ(std::count(f.err.begin(), f.err.end(), '\n'), 1) << f.err;
    EXPECT_EQ(f.out, "");
  }
  auto command = run_ridgeline({"bnech", tiny});
  EXPECT_EQ(command.status, 2);
  EXPECT_NE(command.err.find("no command 'bnech'; did you mean bench?"), command.err.npos) << command.err;
}

TEST(CommandLineC02, PathsThatAreNoModel) {
  ScratchFolder folder;
  std::string fifo = folder / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  std::string control = folder / "\x1b[2J.gguf";
  for (const char* command : {"run", "inspect", "verify", "bench", "explain"})
    for (const std::string& path :
         {folder / "missing", folder.path(), fifo, std::string("/dev/zero"), std::string("/proc/self/mem"),
          folder.path() + std::string(5000, 'a'), folder / "\xff\xfe.gguf", tiny + "\n", control}) {
      auto start = std::chrono::steady_clock::now();
      auto f = run_ridgeline({command, path}, {.input = "Hello", .seconds = 10});
      EXPECT_TRUE(f.status == 66 || f.status == 65) << command << " " << path << ": " << f.status << " " << f.err;
      EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2)) << command << " " << path;
      EXPECT_EQ(f.err.find('\x1b'), f.err.npos) << "a name is no command to the terminal";
      EXPECT_EQ(f.err.find('\xff'), f.err.npos);
      EXPECT_EQ(f.out, "");
    }
}

TEST(CommandLineC02, AFileThatMayNotBeRead) {
  ScratchFolder folder;
  std::string path = folder.write("secret.gguf", "GGUF");
  chmod(path.c_str(), 0);
  chmod(folder.path().c_str(), 0755);
  auto f = run_ridgeline({"inspect", path}, {.before = [] {
                           if (!geteuid()) (void)!setuid(65'534);  // root may read everything
                         }});
  if (f.status == 127) GTEST_SKIP() << "another user cannot run the program here";
  EXPECT_EQ(f.status, 66) << f.err;
  EXPECT_NE(f.err.find("Permission denied"), f.err.npos) << f.err;
}

TEST(CommandLineC06, NumbersAreDecimalInEveryCountry) {
  for (const char* text : {"nan", "NaN", "inf", "-inf", "infinity", "1e400", "-1e400", "0x10", "1,5", "", " 1", "1 ",
                           "1.5x", "-1", "0b1", "1_0", "--1", "1e", "."})
    for (const char* locale : {"C", "de_DE.UTF-8"}) {
      auto f = run_tiny({"--temp", text}, {.environment = {{"LC_ALL", locale}}});
      EXPECT_EQ(f.status, 2) << "--temp '" << text << "': " << f.err;
      EXPECT_EQ(f.out, "");
    }
  for (const char* text : {"nan", "0x10", "1e3", "1.0", "", "99999999999999999999"})
    for (const char* option : {"--top-k", "-n", "-c", "-t", "--seed"})
      EXPECT_EQ(run_tiny({option, text}).status, 2) << option << " " << text;
  for (const char* text : {"0", "0.5", ".5", "1e0", "007"})
    EXPECT_EQ(run_tiny({"-n", "2", "--temp", text}).status, 0) << text;
  auto seed = [](const char* text) {
    return run_tiny({"-n", "20", "--temp", "2", "-q", "--ignore-eos", "--seed", text}).out;
  };
  EXPECT_EQ(seed("010"), seed("10")) << "a leading 0 is not octal";
}

TEST(CommandLineC07, WhatDoesNotFitIsATableWithTheContextThatDoes) {
  auto limited = limit(RLIMIT_AS, 400 << 20);
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer's shadow does not fit under a limit of the address space";
#endif
  auto f = run_tiny({"-c", "60000000"}, {.before = limited});
  EXPECT_EQ(f.status, 69) << f.err;
  for (const char* part : {"weights", "KV cache, 60,000,000 tokens", "scratch", "together", "ulimit -v"})
    EXPECT_NE(f.err.find(part), f.err.npos) << part << "\nis not in\n" << f.err;
  std::smatch fits;
  ASSERT_TRUE(std::regex_search(f.err, fits, std::regex("-c (\\d+) fits"))) << f.err;
  auto again = run_tiny({"-n", "2", "-c", fits[1]}, {.before = limited});
  EXPECT_EQ(again.status, 0) << again.err;
}

TEST(CommandLineC08, OutputThatCannotBeWrittenIsExit74) {
  auto redirected = [](const char* to, int descriptor) {
    return [=] {
      close(descriptor);
      if (to && open(to, O_WRONLY) != descriptor) _exit(99);
    };
  };
  for (const std::vector<std::string>& line :
       std::vector<std::vector<std::string>>{{"run", tiny, "Hello", "-n", "4", "-q"},
                                             {"inspect", tiny},
                                             {"inspect", tiny, "--json"},
                                             {"explain", "gpt2"},
                                             {"explain", "gpt2", "--json"},
                                             {"verify", tiny, "--quick", "-t", "1"},
                                             {"run", "--help"},
                                             {"--help"},
                                             {"--version"},
                                             {}}) {
    std::string name = line.empty() ? "nothing" : line[0];
    EXPECT_EQ(run_ridgeline(line, {.before = redirected("/dev/full", 1)}).status, 74) << name << " > /dev/full";
    EXPECT_EQ(run_ridgeline(line, {.before = redirected(nullptr, 1)}).status, 74) << name << " >&-";
    EXPECT_EQ(run_ridgeline(line, {.close_output = true}).status, 74) << name << " | true";
  }
  EXPECT_EQ(run_ridgeline({"run", tiny}, {.before = redirected(nullptr, 0)}).status, 74) << "no standard input";
  std::string answer = run_tiny(greedy).out;
  EXPECT_EQ(run_tiny(greedy, {.before = redirected(nullptr, 0)}).out, answer)
      << "none is needed where there is a prompt";
  auto silent = run_tiny(greedy, {.before = redirected(nullptr, 2)});
  EXPECT_EQ(silent.status, 0);
  EXPECT_EQ(silent.out, answer) << "messages that nobody wants do no harm";
  EXPECT_EQ(run_tiny({"-n", "2"}, {.before = redirected("/dev/full", 2)}).status, 74);
}

TEST(CommandLineC09, LimitsOfTheSystem) {
  std::string answer = run_tiny(greedy).out;
  EXPECT_EQ(run_tiny(greedy, {.before = limit(RLIMIT_NOFILE, 16)}).out, answer);
  EXPECT_EQ(run_tiny(greedy, {.before = [] { (void)!chdir("/proc"); }}).out, answer)
      << "a folder that cannot be written";
  for (const char* variable : {"TMPDIR", "HOME", "XDG_STATE_HOME"})
    EXPECT_EQ(run_tiny(greedy, {.environment = {{variable, "/nowhere"}}}).out, answer) << variable;
  EXPECT_EQ(run_tiny(greedy, {.before = [] { clearenv(); }}).out, answer) << "no environment at all";
}

TEST(CommandLineC09, ThreadsThatTheSystemRefuses) {
  auto one_thread = [] {
    if (!geteuid() && (setgroups(0, nullptr) || setgid(65'534) || setuid(65'534))) _exit(99);
    rlimit one{1, 1};
    setrlimit(RLIMIT_NPROC, &one);
  };
  // The sanitizer would look for leaks with a thread of its own.
  auto f = run_tiny({"-t", "4"}, {.environment = {{"ASAN_OPTIONS", "detect_leaks=0"}}, .before = one_thread});
  if (f.status == 127) GTEST_SKIP() << "another user cannot run the program here";
  EXPECT_EQ(f.status, 69) << f.err;
  EXPECT_NE(f.err.find("threads"), f.err.npos) << f.err;
}

// What recursed over its input would end by a signal at once.
TEST(CommandLineC09, AQuarterOfAMebibyteOfStack) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's frames are several times as large";
#endif
  const ProcessOptions small = {.before = limit(RLIMIT_STACK, 256 << 10)};
  auto whole = run_tiny(greedy, small);
  EXPECT_EQ(whole.status, 0) << whole.err;
  EXPECT_EQ(whole.out, run_tiny(greedy).out);
  EXPECT_EQ(run_ridgeline({"explain", "llama-3.1-405b"}, small).status, 0);

  ScratchFolder folder;
  auto deep = [](std::string open, size_t count) {
    std::string text;
    for (size_t i = 0; i < count; i++) text += open;
    return text;
  };
  for (const std::string& config :
       {deep("[", 1'000'000), deep("{\"a\":", 100'000), "{\"model_type\":" + deep("[", 5'000)}) {
    folder.write("config.json", config);
    EXPECT_EQ(run_ridgeline({"explain", folder.path()}, small).status, 65);
  }
  std::string header = deep("{\"a\":", 100'000), length(8, '\0');
  const uint64_t size = header.size();
  std::memcpy(length.data(), &size, 8);
  EXPECT_EQ(run_ridgeline({"inspect", folder.write("deep.safetensors", length + header)}, small).status, 65);

  // A template or a text that is deep is refused or answered; the rest of the model works.
  for (const std::string& source :
       {"{{ " + deep("(", 100'000), deep("{% if x %}", 10'000), "{{ x" + deep("|e", 100'000) + " }}",
        std::string("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")}) {
    write_directory_with_template(folder, source + "Hello");
    auto f = run_ridgeline({"run", folder.path(), "Hello", "-n", "1", "-q"}, small);
    EXPECT_TRUE(f.status == 0 || f.status == 65) << f.status << " " << f.err << source.substr(0, 20);
  }
  auto text = run_ridgeline({"run", folder.path(), "--raw", "-n", "1", "-q"},
                            {.input = deep("(", 20'000), .before = small.before});
  EXPECT_EQ(text.status, 69) << text.err;  // more than the context
}

TEST(CommandLineC10, VariablesThatMeanNothing) {
  std::string answer = run_tiny(greedy).out;
  std::vector<std::pair<std::string, std::string>> variables = {
      {"OMP_NUM_THREADS", "garbage"}, {"LANG", "xx"}, {"LC_ALL", "nonsense"}, {"TERM", ""}, {"COLUMNS", "-1"}};
  for (int i = 0; i < 10; ++i) variables.emplace_back("BIG_" + std::to_string(i), std::string(100'000, 'x'));
  auto f = run_tiny(greedy, {.environment = variables});
  EXPECT_EQ(f.status, 0) << f.err;
  EXPECT_EQ(f.out, answer);
}

TEST(CommandLineC11, HelpAndVersionNeedNoModel) {
  for (const std::vector<std::string>& line :
       std::vector<std::vector<std::string>>{{"--help", "/nowhere"},
                                             {"--version", "/nowhere"},
                                             {"run", "/nowhere", "--help"},
                                             {"run", "/nowhere", "--version"},
                                             {"bench", "--help", "/nowhere"},
                                             {"inspect", "/nowhere", "--version"},
                                             {"explain", "--version"}}) {
    auto f = run_ridgeline(line);
    EXPECT_EQ(f.status, 0) << line[0] << ": " << f.err;
    EXPECT_NE(f.out, "");
  }
}

}  // namespace
}  // namespace ridgeline
