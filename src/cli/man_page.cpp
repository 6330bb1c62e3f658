#include "cli/man_page.h"

#include <fmt/format.h>

#include <utility>

namespace ridgeline {
namespace {

// Text that roff prints as it is: no escapes, no requests, hyphens that can be searched for and copied.
std::string roff(std::string_view text) {
  std::string out;
  bool begins = true;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    begins = c == '\n';
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '~')
      out += "\\(ti";
    else if (c == '^')
      out += "\\(ha";
    else
      out += c;
  }
  return out;
}

std::string names_of(const CLI::Option& o) {
  std::string names;
  for (const auto& name : o.get_snames())
    names += fmt::format("{}\\fB\\-{}\\fR", names.empty() ? "" : ", ", roff(name));
  for (const auto& name : o.get_lnames())
    names += fmt::format("{}\\fB\\-\\-{}\\fR", names.empty() ? "" : ", ", roff(name));
  return names;
}
// What stands in the place of its argument, as the help has it: "N [40]".
std::string argument_of(const CLI::Option& o) {
  if (o.get_items_expected_max() == 0) return "";
  if (!o.get_option_text().empty()) return o.get_option_text();
  std::string type = o.get_type_name(), text = type.substr(0, type.find(':'));
  if (!o.get_default_str().empty()) text += " [" + o.get_default_str() + "]";
  return text;
}
std::string option_entry(const CLI::Option& o) {
  std::string argument = argument_of(o);
  std::string head = o.get_positional() ? fmt::format("\\fI{}\\fR", roff(argument)) : names_of(o);
  if (!o.get_positional() && !argument.empty()) head += fmt::format(" \\fI{}\\fR", roff(argument));
  return fmt::format(".TP\n{}\n{}\n", head, roff(o.get_description()));
}
std::string options_of(const CLI::App& app) {
  std::string out;
  for (bool positional : {true, false})
    for (const CLI::Option* o : app.get_options())
      if (o->get_positional() == positional && !o->get_group().empty() &&
          !(app.get_parent() && o == app.get_help_ptr()))
        out += option_entry(*o);
  return out;
}
std::string as_it_is(const std::string& text) { return fmt::format(".PP\n.nf\n{}\n.fi\n", roff(text)); }

std::string command_section(const CLI::App& c) {
  std::string usage = fmt::format("\\fBridgeline {}\\fR", roff(c.get_name()));
  for (const CLI::Option* o : c.get_options())
    if (o->get_positional())
      usage += (o->get_required() ? " " : " [") + fmt::format("\\fI{}\\fR", roff(argument_of(*o))) +
               (o->get_required() ? "" : "]");
  return fmt::format(".SS {}\n{} [options]\n.PP\n{}.\n{}{}", roff(c.get_name()), usage, roff(c.get_description()),
                     options_of(c), c.get_footer().empty() ? "" : as_it_is(c.get_footer()));
}

using Entries = std::initializer_list<std::pair<const char*, const char*>>;
std::string entries(const char* title, Entries list) {
  std::string out = fmt::format(".SH {}\n", title);
  for (const auto& [name, text] : list) out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(name), roff(text));
  return out;
}

// As base/error.h has them.
constexpr Entries exit_statuses = {
    {"0", "All went well."},
    {"1", "A check failed: bits differ, or a bound is exceeded."},
    {"2", "The command line is wrong."},
    {"65", "A file or text from outside is malformed."},
    {"66", "A file or model is missing, may not be read, or is no regular file."},
    {"69", "It does not fit in memory, or is not available: no network, no permission, no such instruction set."},
    {"70", "A fault of the program itself."},
    {"74", "Reading or writing failed half way: a full disk, a closed pipe, a connection that was cut."},
    {"78", "An environment variable or a configuration file is wrong."},
    {"130, 143", "Ended by SIGINT (Ctrl-C), by SIGTERM."}};

constexpr Entries variables = {
    {"HF_HUB_CACHE",
     "The cache of models; else $HF_HOME/hub, $XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub."},
    {"HF_TOKEN",
     "A token for gated and private models; else the file HF_TOKEN_PATH, or $HF_HOME/token. Sent to the hub alone."},
    {"HF_ENDPOINT", "The hub, where it is not https://huggingface.co."},
    {"HF_HUB_OFFLINE", "1: pull asks no network."},
    {"HF_HUB_DOWNLOAD_TIMEOUT", "Seconds without a byte after which a transfer has failed; 30."},
    {"https_proxy, no_proxy, CURL_CA_BUNDLE", "As curl(1) reads them, for pull."},
    {"NO_COLOR, CLICOLOR_FORCE, TERM", "No colour; colour everywhere; \"dumb\": no colour."},
    {"XDG_CACHE_HOME", "Where the measured machine lies; else ~/.cache."},
    {"XDG_STATE_HOME", "Where the history of chats lies; else ~/.local/state."}};

constexpr Entries files = {{"$XDG_STATE_HOME/ridgeline/history", "What was typed in chats."},
                           {"$XDG_CACHE_HOME/ridgeline/hardware.json", "This machine, as calibrate measured it."},
                           {"~/.cache/huggingface/hub", "Models that were pulled."}};

}  // namespace

std::string man_page(const CLI::App& app) {
  std::string out = ".\\\" Made by `ridgeline \\-\\-man`.\n";
  out += fmt::format(".TH RIDGELINE 1 \"\" \"ridgeline {}\" \"User Commands\"\n", RIDGELINE_VERSION);
  out += ".SH NAME\nridgeline \\- an LLM engine that counts every FLOP and traces every byte\n";
  out +=
      ".SH SYNOPSIS\n\\fBridgeline\\fR \\fIcommand\\fR [\\fIarguments\\fR]\n.br\n\\fBridgeline\\fR \\-\\-help | "
      "\\-\\-version\n";
  out += ".SH DESCRIPTION\n" + roff(app.get_description()) + "\n";
  out +=
      ".PP\nA \\fIMODEL\\fR is a GGUF file; USER/REPO[:QUANT] of the hub, once it was pulled; or, where no weights are "
      "needed, a name of the catalogue.\n";
  out += ".SH OPTIONS\n" + options_of(app);
  out += ".SH COMMANDS\n";
  for (const CLI::App* command : app.get_subcommands({})) out += command_section(*command);
  out += ".SH EXAMPLES\n" + as_it_is(app.get_footer());
  return out + entries("EXIT STATUS", exit_statuses) + entries("ENVIRONMENT", variables) + entries("FILES", files);
}

}  // namespace ridgeline
