#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <new>

#include "base/error.h"
#include "base/mapped_file.h"
#include "cli/commands.h"
#include "cli/terminal.h"

namespace ridgeline {
namespace {

// Help as people read it: what it is, how it is called, examples, and then the options.
class ExamplesFirst : public CLI::Formatter {
 public:
  ExamplesFirst() { column_width(34); }
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode) const override {
    if (app->get_parent()) name = app->get_parent()->get_name() + " " + app->get_name();
    std::string out =
        make_description(app) + make_usage(app, name) + "\n" + app->get_footer() + "\n" + make_positionals(app);
    return out + make_groups(app, CLI::AppFormatMode::Normal) + make_subcommands(app, CLI::AppFormatMode::Normal);
  }
};

// The message, its further lines indented.
int report(const Error& e) {
  std::string text;
  for (const char* c = e.what(); *c; ++c) {
    text += *c;
    if (*c == '\n' && c[1] != ' ') text += "  ";
  }
  fmt::print(stderr, "{}ridgeline:{} {}\n", style(Style::error, stderr), style(Style::plain, stderr), text);
  return static_cast<int>(e.code());
}

int parse_and_run(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    if (std::fflush(stdout) || std::ferror(stdout))
      fail(ExitCode::io, "output_failed", "standard output cannot be written: is the disk full, or the pipe closed?");
    return static_cast<int>(ExitCode::ok);
  } catch (const CLI::CallForHelp& e) { return app.exit(e); } catch (const CLI::CallForAllHelp& e) {
    return app.exit(e);
  } catch (const CLI::CallForVersion& e) { return app.exit(e); } catch (const CLI::ParseError& e) {
    return report({ExitCode::usage, "usage",
                   fmt::format("{}\n  Run `ridgeline --help`, or `ridgeline COMMAND --help`.", e.what())});
  } catch (const Error& e) { return report(e); } catch (const std::bad_alloc&) {
    return report(
        {ExitCode::unavailable, "out_of_memory", "out of memory: use a smaller -c, a smaller model or a smaller type"});
  } catch (const std::exception& e) {
    return report({ExitCode::internal, "internal", fmt::format("a fault of this program: {}", e.what())});
  }
}

}  // namespace

int run_command_line(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of the write, not a signal
  std::signal(SIGXFSZ, SIG_IGN);  // and so is a file that may not grow
  install_sigbus_guard();
  CLI::App app("Ridgeline: an LLM engine that counts every FLOP and traces every byte.", "ridgeline");
  app.set_version_flag("--version", RIDGELINE_VERSION);
  app.footer(
      "Examples:\n"
      "  ridgeline run model.gguf \"Why is the sky blue?\"     complete a prompt\n"
      "  ridgeline run model.gguf                            chat\n"
      "  ridgeline explain llama-3-8b --batch 64x1@1000      what a step costs, op by op, without weights\n"
      "  ridgeline verify model.gguf                         one hash for every way of computing the same thing\n"
      "  ridgeline bench model.gguf -p 500 -n 64             speed, beside the machine's limits\n"
      "\n"
      "Exit status: 0 ok, 1 a check failed, 2 usage, 65 bad data, 66 cannot open, 69 does not fit, 70 internal, 74 "
      "I/O.");
  app.require_subcommand(0, 1);
  app.formatter(std::make_shared<ExamplesFirst>());
  add_run(app);
  add_explain(app);
  add_verify(app);
  add_bench(app);
  add_inspect(app);
  add_synth(app);
  add_pull(app);
  if (argc < 2) {
    fmt::print("{}", app.help());
    return static_cast<int>(ExitCode::ok);
  }
  return parse_and_run(app, argc, argv);
}

}  // namespace ridgeline
