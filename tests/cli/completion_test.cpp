// Completion scripts and the manual page, which are made from the commands: each is used as its reader uses it.
#include "cli/completion.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "base/scratch_folder.h"
#include "cli/application.h"
#include "cli/man_page.h"
#include "models/catalogue.h"
#include "process.h"

namespace ridgeline {
namespace {

// What a shell command prints; its exit status.
Finished shell(const std::string& command) {
  Finished f;
  std::FILE* pipe = popen(command.c_str(), "r");
  char part[4096];
  for (size_t n; (n = std::fread(part, 1, sizeof part, pipe)) > 0;) f.out.append(part, n);
  int status = pclose(pipe);
  f.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return f;
}
bool have(const std::string& program) { return shell("command -v " + program + " >/dev/null 2>&1").status == 0; }

class BashCompletion : public testing::Test {
 protected:
  BashCompletion() { folder_.write("c.bash", completion_script(*make_application(), "bash")); }
  // What bash offers for the last of the words, one a line.
  std::set<std::string> offers(const std::vector<std::string>& words) {
    std::string line;
    for (const auto& w : words) line += " '" + w + "'";
    std::string script = "cd '" + folder_.path() + "'; source ./c.bash; COMP_WORDS=(ridgeline" + line +
                         "); COMP_CWORD=" + std::to_string(words.size()) +
                         "; _ridgeline 2>&1; printf '%s\\n' \"${COMPREPLY[@]}\"";
    auto f = shell("bash --norc --noprofile -uc \"$(cat <<'END'\n" + script + "\nEND\n)\"");
    EXPECT_EQ(f.status, 0) << f.out;
    std::set<std::string> out;
    std::istringstream lines(f.out);
    for (std::string l; std::getline(lines, l);)
      if (!l.empty()) out.insert(l);
    return out;
  }
  ScratchFolder folder_;
};
using Words = std::set<std::string>;

TEST_F(BashCompletion, CommandsAndOptions) {
  EXPECT_EQ(offers({"ver"}), (Words{"verify"}));
  EXPECT_EQ(offers({"--vers"}), (Words{"--version"}));
  EXPECT_EQ(offers({"run", "--top"}), (Words{"--top-k", "--top-p"}));
  EXPECT_EQ(offers({"run", "m.gguf", "--check"}), (Words{"--check-tensors"}));
  EXPECT_EQ(offers({"explain", "--top"}), Words{}) << "another command's";
  auto commands = offers({""});
  auto app = make_application();
  for (const CLI::App* c : app->get_subcommands({})) EXPECT_TRUE(commands.contains(c->get_name())) << c->get_name();
}

TEST_F(BashCompletion, Values) {
  folder_.write("my model.gguf", "");
  folder_.write("prompt.txt", "");
  EXPECT_EQ(offers({"run", "my"}), (Words{"my model.gguf"}));
  EXPECT_EQ(offers({"run", "m.gguf", "-f", "pro"}), (Words{"prompt.txt"}));
  EXPECT_EQ(offers({"run", "m.gguf", "--system-file", "pro"}), (Words{"prompt.txt"}));
  EXPECT_EQ(offers({"run", "m.gguf", "--system", "pro"}), Words{}) << "a text is expected";
  EXPECT_EQ(offers({"run", "m.gguf", "--raw", "pro"}), (Words{"prompt.txt"})) << "a flag takes no value";
  EXPECT_EQ(offers({"run", "m.gguf", "--temp", "p"}), Words{}) << "a number is expected";
  EXPECT_EQ(offers({"bench", "m.gguf", "-o", "js"}), (Words{"json", "jsonl"}));
  EXPECT_EQ(offers({"explain", "llama-3.1-4"}), (Words{"llama-3.1-405b"}));
  EXPECT_EQ(offers({"synth", "gpt2-x"}), (Words{"gpt2-xl"}));
  EXPECT_EQ(offers({"pull", "smollm2-13"}), (Words{"smollm2-135m"}));
  EXPECT_EQ(offers({"--completion", "f"}), (Words{"fish"}));
}

TEST(Completion, EveryOptionIsInEveryShell) {
  auto app = make_application();
  auto commands = completion_commands(*app);
  for (const char* shell_name : {"bash", "zsh", "fish"}) {
    std::string script = completion_script(*app, shell_name);
    for (const auto& c : commands)
      for (const auto& o : c.options)
        for (const auto& name : o.names) {
          std::string as = std::string(shell_name) != "fish" ? name
                           : name.starts_with("--")          ? "-l " + name.substr(2)
                                                             : "-s " + name.substr(1);
          EXPECT_NE(script.find(as), script.npos) << shell_name << " " << c.name << " " << name;
        }
    for (const auto& e : catalogue()) EXPECT_NE(script.find(e.name), script.npos) << shell_name << " " << e.name;
    if (!have(shell_name)) continue;
    ScratchFolder folder;
    auto f = shell(std::string(shell_name) + " -n '" + folder.write("script", script) + "' 2>&1");
    EXPECT_EQ(f.status, 0) << shell_name << " cannot parse it: " << f.out;
  }
}

TEST(Completion, FishOffersTheSame) {
  if (!have("fish")) GTEST_SKIP() << "fish is not installed";
  ScratchFolder folder;
  std::string script = folder.write("c.fish", completion_script(*make_application(), "fish"));
  auto offers = [&](const std::string& line) {
    return shell("HOME=" + folder.path() + " fish --no-config -c \"source '" + script + "'; complete -C '" + line +
                 "'\" | cut -f1")
        .out;
  };
  EXPECT_EQ(offers("ridgeline ver"), "verify\n");
  EXPECT_EQ(offers("ridgeline run --te"), "--temp\n");
  EXPECT_EQ(offers("ridgeline bench m -o js"), "json\njsonl\n");
}

TEST(Completion, FromTheCommandLine) {
  for (const char* name : {"bash", "zsh", "fish"}) {
    auto f = run_ridgeline({"--completion", name});
    EXPECT_EQ(f.status, 0);
    EXPECT_TRUE(f.out == completion_script(*make_application(), name)) << name;
  }
  EXPECT_EQ(run_ridgeline({"--completion", "csh"}).status, 2);
  EXPECT_EQ(run_ridgeline({"--completion"}).status, 2);
}

TEST(ManPage, SaysAllThatTheHelpSays) {
  auto app = make_application();
  std::string page = man_page(*app);
  for (const char* part :
       {".TH RIDGELINE 1", ".SH NAME\nridgeline \\- ", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS", ".SH COMMANDS",
        ".SH EXAMPLES", ".SH EXIT STATUS", ".SH ENVIRONMENT", ".SH FILES"})
    EXPECT_NE(page.find(part), page.npos) << part;
  for (const auto& c : completion_commands(*app)) {
    EXPECT_NE(page.find((c.name == "ridgeline" ? ".SH NAME\n" : ".SS ") + c.name), page.npos) << c.name;
    for (const auto& o : c.options)
      for (auto name : o.names) {
        for (size_t at = 0; (at = name.find('-', at)) != name.npos; at += 2) name.insert(at, "\\");
        EXPECT_NE(page.find("\\fB" + name + "\\fR"), page.npos) << c.name << " " << name;
      }
  }
  for (ExitCode code :
       {ExitCode::ok, ExitCode::check_failed, ExitCode::usage, ExitCode::bad_data, ExitCode::cannot_open,
        ExitCode::unavailable, ExitCode::internal, ExitCode::io, ExitCode::bad_config})
    EXPECT_NE(page.find("\n\\fB" + std::to_string(static_cast<int>(code)) + "\\fR\n"), page.npos)
        << static_cast<int>(code);
  EXPECT_TRUE(run_ridgeline({"--man"}).out == page);
}

TEST(ManPage, IsWellFormed) {
  std::string page = man_page(*make_application());
  std::istringstream lines(page);
  const std::set<std::string> requests = {".TH", ".SH", ".SS", ".TP", ".PP", ".nf", ".fi", ".br", ".\\\""};
  for (std::string line; std::getline(lines, line);)
    EXPECT_TRUE(!(line.starts_with('.') || line.starts_with('\'')) || requests.contains(line.substr(0, line.find(' '))))
        << line;
  ScratchFolder folder;
  std::string path = folder.write("ridgeline.1", page);
  if (have("groff")) {
    auto f = shell("groff -man -ww -Tutf8 -z '" + path + "' 2>&1");
    EXPECT_EQ(f.out, "") << "groff warns";
  }
  if (have("man")) {
    auto f = shell("MANWIDTH=100 LC_ALL=C.UTF-8 man --warnings -l '" + path + "' 2>&1");
    EXPECT_EQ(f.status, 0);
    EXPECT_TRUE(f.out.find("ignoring") == f.out.npos && f.out.find("warning:") == f.out.npos) << f.out;
    EXPECT_NE(f.out.find("--top-k"), f.out.npos);
  }
}

}  // namespace
}  // namespace ridgeline
