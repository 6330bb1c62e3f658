#include "hub/pull.h"

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/printable.h"
#include "base/text_table.h"
#include "cli/commands.h"
#include "cli/terminal.h"

namespace ridgeline {
namespace {

using Json = nlohmann::ordered_json;

struct PullOptions {
  std::string model;
  PullRequest request;
  bool offline = false, list = false, json = false, quiet = false;
};

std::string size_text(int64_t bytes) {
  return bytes < 0 ? "-" : bytes < 1000 ? fmt::format("{} B", bytes) : quantity(static_cast<double>(bytes)) + "B";
}
std::string time_text(double seconds) {
  auto s = static_cast<int64_t>(seconds + 0.5);
  return s < 60     ? fmt::format("{} s", s)
         : s < 3600 ? fmt::format("{}:{:02}", s / 60, s % 60)
                    : fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

// How far a file is, on stderr: a line that is written over at a terminal, else a line for every tenth.
class Progress {
 public:
  explicit Progress(bool quiet) : quiet_(quiet), terminal_(is_terminal(stderr)) {}
  ~Progress() { clear(); }
  void show(const HubFile& file, int64_t done) {
    if (quiet_) return;
    if (file.name != name_) begin(file, done);
    auto now = Clock::now();
    int64_t tenth = file.bytes > 0 ? done * 10 / file.bytes : 0;
    if (!terminal_ && std::exchange(tenth_, tenth) != tenth && file.bytes >= 1'000'000)  // small ones come at once
      fmt::print(stderr, "{}: {} % of {}\n", escaped(name_), tenth * 10, size_text(file.bytes));
    if (!terminal_ || (now - drawn_ < std::chrono::milliseconds(100) && done != file.bytes)) return;
    drawn_ = now;
    double seconds = std::chrono::duration<double>(now - begun_).count();
    double rate = seconds > 0.2 ? static_cast<double>(done - from_) / seconds : 0;
    std::string line = fmt::format("{}  {} of {}", escaped(name_), size_text(done), size_text(file.bytes));
    if (file.bytes > 0) line += fmt::format("  {} %", done * 100 / file.bytes);
    if (rate > 0) line += fmt::format("  {}B/s", quantity(rate));
    if (rate > 0 && file.bytes > done)
      line += fmt::format("  {} left", time_text(static_cast<double>(file.bytes - done) / rate));
    fmt::print(stderr, "\r\x1b[K{}{}{}", style(Style::dim, stderr), line, style(Style::plain, stderr));
    drawn_line_ = true;
  }
  void note(std::string_view text) {
    clear();
    if (!quiet_) fmt::print(stderr, "{}\n", text);
  }
  void clear() {
    if (std::exchange(drawn_line_, false)) std::fputs("\r\x1b[K", stderr);
  }

 private:
  using Clock = std::chrono::steady_clock;
  void begin(const HubFile& file, int64_t done) {
    name_ = file.name, begun_ = Clock::now(), from_ = done;
    tenth_ = file.bytes > 0 ? done * 10 / file.bytes : 0;
    if (!terminal_) fmt::print(stderr, "{}: fetching {}\n", escaped(name_), size_text(file.bytes));
  }
  bool quiet_, terminal_, drawn_line_ = false;
  std::string name_;
  Clock::time_point begun_, drawn_;
  int64_t from_ = 0, tenth_ = 0;
};

Json file_json(const HubFile& f) {
  Json j{{"name", f.name}, {"bytes", nullptr}, {"etag", nullptr}};
  if (f.bytes >= 0) j["bytes"] = f.bytes;
  if (!f.etag.empty()) j["etag"] = f.etag;
  return j;
}
// What a listing says may be no UTF-8.
void print_json(const Json& j) { fmt::print("{}\n", j.dump(2, ' ', false, Json::error_handler_t::replace)); }

void print_list(const PullOptions& o, const Listed& listed) {
  if (o.json) {
    Json j{{"repository", o.request.what.repository}, {"revision", o.request.revision}, {"files", Json::array()}};
    for (size_t i = 0; i < listed.files.size(); ++i) {
      j["files"].push_back(file_json(listed.files[i]));
      j["files"].back()["cached"] = static_cast<bool>(listed.cached[i]);
    }
    return print_json(j);
  }
  auto is_cached = [&](const std::string& name) {
    for (size_t i = 0; i < listed.files.size(); ++i)
      if (listed.files[i].name == name) return static_cast<bool>(listed.cached[i]);
    return false;
  };
  using Align = TextTable::Align;
  auto models = gguf_models(listed.files);
  TextTable table({{models.empty() ? "file" : "model", Align::left}, {"size"}, {"", Align::left}});
  for (const auto& m : models) {
    bool all = m.complete();
    for (const auto& p : m.parts) all = all && is_cached(p.name);
    std::string notes = m.expected > 1 ? fmt::format("{} files", m.expected) : "";
    if (all) notes += notes.empty() ? "cached" : ", cached";
    table.row({escaped(m.name()), size_text(m.bytes()), notes});
  }
  if (models.empty())
    for (const auto& f : listed.files)
      table.row({escaped(f.name), size_text(f.bytes), is_cached(f.name) ? "cached" : ""});
  fmt::print("{}", table.text());
}

void print_pulled(const PullOptions& o, const Pulled& done) {
  if (!o.json) return fmt::print("{}\n", done.path);
  Json j{{"repository", done.repository}, {"revision", done.revision}, {"commit", done.commit}, {"path", done.path}};
  j["files"] = Json::array();
  for (const auto& f : done.files) {
    j["files"].push_back(file_json(f.file));
    j["files"].back()["path"] = f.path;
    j["files"].back()["fetched"] = f.fetched;
  }
  print_json(j);
}

void pull_command(PullOptions o) {
  auto reference = find_hub_reference(o.model);
  if (!reference)
    fail(ExitCode::usage, "bad_reference", "'{}' is neither USER/REPO[:QUANT] nor a model known by name; names are: {}",
         escaped(o.model), [] {
           std::string names;
           for (const auto& m : published_models()) names += (names.empty() ? "" : ", ") + std::string(m.name);
           return names;
         }());
  o.request.what = *reference;
  HubSettings settings = hub_settings();
  settings.offline = settings.offline || o.offline;
  InterruptScope scope;
  Progress progress(o.quiet);
  PullObserver observer{[&](const HubFile& file, int64_t done) { progress.show(file, done); },
                        [&](std::string_view text) { progress.note(text); }, InterruptScope::interrupted};
  try {
    if (o.list) return print_list(o, list_repository(settings, o.request, observer));
    Pulled done = pull(settings, o.request, observer);
    progress.clear();
    print_pulled(o, done);
  } catch (const Error& e) {
    if (InterruptScope::signal_number() == SIGTERM) throw Error(ExitCode::terminated, e.id(), e.what());
    throw;
  }
}

}  // namespace

void add_pull(CLI::App& app) {
  auto* c = app.add_subcommand("pull", "Fetch a model from the hub into the cache, whole and checked");
  auto o = std::make_shared<PullOptions>();
  c->add_option("model", o->model, "USER/REPO, USER/REPO:QUANT, or a name: smollm2-135m, qwen2.5-0.5b, ...")
      ->required()
      ->option_text("MODEL")
      ->group("Model");
  c->add_option("--file", o->request.names, "This file instead of those that make a model; may be given several times")
      ->option_text("NAME")
      ->allow_extra_args(false)
      ->group("Model");
  c->add_option("--revision", o->request.revision, "A branch, tag or commit")
      ->option_text("REV [main]")
      ->group("Model");
  c->add_flag("--offline", o->offline, "Ask no network: say what the cache holds (as HF_HUB_OFFLINE=1)")
      ->group("Model");
  c->add_flag("--list", o->list, "Show what there is to pull, and fetch nothing")->group("Output");
  c->add_flag("--json", o->json, "The same as JSON, with every file")->group("Output");
  c->add_flag("-q,--quiet", o->quiet, "Show no progress")->group("Output");
  c->footer(
      "Examples:\n"
      "  ridgeline pull Qwen/Qwen2.5-0.5B-Instruct-GGUF           the Q4_K_M file, else a Q4 one, else the first\n"
      "  ridgeline pull Qwen/Qwen2.5-0.5B-Instruct-GGUF:q8_0      another\n"
      "  ridgeline pull smollm2-135m                              a model known by name\n"
      "  ridgeline pull HuggingFaceTB/SmolLM2-135M --list         what there is\n"
      "  ridgeline run Qwen/Qwen2.5-0.5B-Instruct-GGUF:q8_0 hi    run what was pulled; no network is asked\n"
      "\n"
      "Prints where the model lies: a GGUF file, or the folder of a safetensors model. The cache is that of the\n"
      "hub's own tools. Every file is held to the hash the hub promises; a pull that ended early goes on where it\n"
      "was. Environment: HF_HUB_CACHE, HF_HOME, HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE, https_proxy.");
  c->callback([o] { pull_command(*o); });
}

}  // namespace ridgeline
