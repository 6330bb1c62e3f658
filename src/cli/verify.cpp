#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/model_argument.h"
#include "cli/terminal.h"
#include "instance/verify.h"

namespace ridgeline {
namespace {

struct Options {
  std::string path;
  VerifyOptions verify;
  bool json = false;
};

// The kernel sets that do not run here, and why not.
std::vector<KernelSetStatus> unused_sets() {
  std::vector<KernelSetStatus> list;
  for (const auto& s : kernel_set_status())
    if (!s.fault.empty()) list.push_back(s);
  return list;
}

void print_json(const VerifyReport& r) {
  nlohmann::ordered_json j{
      {"model", r.model},           {"prompt_tokens", r.prompt},    {"generated_tokens", r.generated},
      {"vocabulary", r.vocabulary}, {"one_answer", r.one_answer()}, {"logits_sha256", r.logits_sha256}};
  j["committed_sha256"] = r.committed.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(r.committed);
  for (const auto& set : r.sets) {
    nlohmann::ordered_json ways = nlohmann::ordered_json::array();
    for (const auto& [w, same] : set.ways)
      ways.push_back({{"threads", w.threads},
                      {"chunk", w.chunk},
                      {"sequences", w.sequences},
                      {"cache", w.cache},
                      {"fused", w.fused},
                      {"rows", w.rows},
                      {"same", same}});
    j["sets"].push_back({{"kernels", set.kernels}, {"same", set.same()}, {"ways", ways}});
  }
  j["unused_sets"] = nlohmann::ordered_json::array();
  for (const auto& s : unused_sets()) j["unused_sets"].push_back({{"kernels", s.set->name}, {"why", s.fault}});
  j["seconds"] = r.seconds;
  fmt::print("{}\n", j.dump(2));
}

// "b7f3 09c2 ...": a hash that can be read aloud.
std::string in_fours(std::string_view hash) {
  std::string out;
  for (size_t i = 0; i < hash.size(); i += 4) out += fmt::format("{}{}", i ? " " : "", hash.substr(i, 4));
  return out;
}

// The values one factor took, "1, 7, 64", smallest first.
template <class F>
std::string levels(const SetResult& set, F factor) {
  std::set<decltype(factor(set.ways[0].way))> values;
  for (const auto& w : set.ways) values.insert(factor(w.way));
  return fmt::format("{}", fmt::join(values, ", "));
}
template <class F>
std::string on_off(const SetResult& set, F factor) {
  auto both = levels(set, [&](const Way& w) { return !factor(w); });
  return both == "false" ? "on" : both == "true" ? "off" : "on, off";
}

void print_table(const VerifyReport& r) {
  auto bold = style(Style::bold, stdout), red = style(Style::error, stdout), plain = style(Style::plain, stdout);
  int64_t rows = r.prompt + r.generated;
  fmt::print("{}{}{}   {} tokens of a fixed prompt, {} generated: {} rows of {} logits\n\n", bold, r.model, plain,
             r.prompt, r.generated, rows, r.vocabulary);
  constexpr auto line = "  {:<10} {:<9} {:<14} {:<12} {:<8} {:<8} ";
  fmt::print(fmt::runtime(line), "kernels", "threads", "chunks", "batch", "cache", "fused");
  fmt::print("logits\n");
  for (const auto& set : r.sets) {
    int64_t computed = set.ways[0].way.rows;
    auto chunks = levels(set, [&](const Way& w) { return std::min(w.chunk, std::min(r.prompt, computed)); });
    fmt::print(fmt::runtime(line), set.kernels, levels(set, [](const Way& w) { return w.threads; }), chunks,
               levels(set, [](const Way& w) { return w.sequences; }), on_off(set, [](const Way& w) { return w.cache; }),
               on_off(set, [](const Way& w) { return w.fused; }));
    bool all = set.same() == static_cast<int>(set.ways.size());
    fmt::print("{}same in {} of {}{}{}\n", all ? "" : red, set.same(), set.ways.size(), all ? "" : plain,
               computed < rows ? fmt::format(" (first {} rows)", computed) : "");
  }
  for (const auto& s : unused_sets()) fmt::print("  {:<10} not used: {}\n", s.set->name, s.fault);
  if (r.first) return fmt::print("\n{}More than one answer.{}\n", red, plain);
  fmt::print("\n{}One answer:{} {}\n", bold, plain, in_fours(r.logits_sha256));
  if (r.committed.empty()) return;
  if (r.committed == r.logits_sha256)
    fmt::print("The same as is committed for this file. ({:.0f} s)\n", r.seconds);
  else
    fmt::print("{}Committed:{}  {}\n", red, plain, in_fours(r.committed));
}

void run(const Options& o) {
  bool progress = is_terminal(stderr);
  auto report = verify_model(model_path(o.path), o.verify, [&](const Way& w, int done, int all) {
    if (progress)
      fmt::print(stderr, "\r\x1b[K{}{:3} of {}   {}{}", style(Style::dim, stderr), done + 1, all, w.text(),
                 style(Style::plain, stderr));
  });
  if (progress) fmt::print(stderr, "\r\x1b[K");
  o.json ? print_json(report) : print_table(report);
  std::fflush(stdout);
  if (report.first) fail(ExitCode::check_failed, "logits_differ", "the logits differ: {}", report.first->text());
  if (!report.one_answer())
    fail(ExitCode::check_failed, "logits_not_as_committed",
         "all ways agree on this machine, but not with the hash committed for this file:\n  expected {}\n  found    {}",
         report.committed, report.logits_sha256);
}

}  // namespace

void add_verify(CLI::App& app) {
  auto* c = app.add_subcommand("verify", "Compute the same logits in many ways and compare every bit");
  auto o = std::make_shared<Options>();
  c->add_option("model", o->path, "A GGUF file, or USER/REPO[:QUANT] of the hub, once pulled")
      ->required()
      ->option_text("MODEL");
  c->add_option("-t,--threads", o->verify.threads, "Numbers of threads, separated by commas")
      ->delimiter(',')
      ->option_text("LIST [1,2,4]")
      ->check(CLI::Range(int64_t{1}, limits::threads));
  c->add_flag("--quick", o->verify.quick, "Five ways of each kernel set instead of twenty");
  c->add_flag("--json", o->json, "Every way, as JSON");
  c->footer(
      "Examples:\n"
      "  ridgeline verify model.gguf                   one hash, many ways\n"
      "  ridgeline verify model.gguf --quick -t 1,8    fewer ways, on one and eight threads\n"
      "  ridgeline verify model.gguf --json\n"
      "\n"
      "Every kernel set this machine runs computes one sequence with several numbers of threads, in chunks\n"
      "of several sizes, alone and in batches, with and without KV cache and fusion: any two of these in\n"
      "every combination. The reference is slow and computes the first tokens only, unless the model is\n"
      "small. Exit status 1: some bit differs.");
  c->callback([o] { run(*o); });
}

}  // namespace ridgeline
