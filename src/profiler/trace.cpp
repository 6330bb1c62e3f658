#include "profiler/trace.h"

#include <nlohmann/json.hpp>

#include "cost/names.h"

namespace ridgeline {
namespace {

std::string json_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

// Events of the whole trace, an event a line.
class Trace {
 public:
  explicit Trace(const Profile& p) : p_(p), names_(program_names(p.program)) {
    for (const Node& n : p.program.nodes) {
      const OpCost& cost = p.cost.ops[names_of_ops_.size()];
      names_of_ops_.push_back(json_text(brief_text(p.program, n, names_)));
      args_.push_back(fmt::format(R"({{"flops":{},"bytes":{},"layer":{},"kernels":{}}})", cost.flops(), cost.bytes(),
                                  n.layer, json_text(p.sets[args_.size()])));
    }
  }

  std::string text() {
    name(0, "process_name", fmt::format("ridgeline profile {} --batch {}", p_.model, p_.batch.text()));
    name(0, "thread_name", "steps");
    for (int w = 0; w < p_.threads; ++w) name(w + 1, "thread_name", fmt::format("worker {}", w));
    for (const TracedStep& s : p_.trace) add_step(s);
    for (int w = 0; w < p_.threads; ++w)
      for (const TracedStep& s : p_.trace) add_worker(s, w);
    return fmt::format("{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{}\n]}}\n", fmt::join(events_, ",\n"));
  }

 private:
  void name(int track, std::string_view what, const std::string& text) {
    events_.push_back(
        fmt::format(R"({{"ph":"M","pid":1,"tid":{},"name":"{}","args":{{"name":{}}}}})", track, what, json_text(text)));
  }
  // begin, end: ticks. name and args are JSON.
  void add(int track, std::string_view name, std::string_view kind, int64_t begin, int64_t end, std::string_view args) {
    auto us = [&](int64_t ticks) { return static_cast<double>(ticks) * p_.seconds_per_tick * 1e6; };
    events_.push_back(
        fmt::format(R"({{"ph":"X","pid":1,"tid":{},"ts":{:.3f},"dur":{:.3f},"name":{},"cat":"{}","args":{}}})", track,
                    us(begin - p_.trace.front().start), us(std::max<int64_t>(0, end - begin)), name, kind, args));
  }
  void add_step(const TracedStep& s) {
    int64_t began = s.timer.tracks()[0].began(), passed = began;
    for (size_t op = 0; op < s.timer.ops(); ++op) passed = std::max(passed, s.timer.tracks()[0][op].passed);
    add(0, "\"inputs, waking the team\"", "step", s.start, began, "{}");
    add(0, "\"ops\"", "step", began, passed,
        fmt::format(R"({{"flops":{},"bytes":{}}})", p_.cost.sum.flops(), p_.cost.sum.bytes()));
    add(0, "\"letting the team go\"", "step", passed, s.computed, "{}");
    add(0, "\"choosing the token\"", "step", s.computed, s.end, "{}");
  }
  void add_worker(const TracedStep& s, int worker) {
    const auto& track = s.timer.tracks()[static_cast<size_t>(worker)];
    int64_t before = track.began();
    for (size_t op = 0; op < s.timer.ops(); ++op) {
      auto [ended, passed] = track[op];
      if (!passed) continue;  // the step left it out
      add(worker + 1, names_of_ops_[op], "op", before, ended, args_[op]);
      add(worker + 1, "\"waiting\"", "barrier", ended, passed, "{}");
      before = passed;
    }
  }

  const Profile& p_;
  std::vector<std::string> names_, names_of_ops_, args_, events_;
};

}  // namespace

std::string trace_json(const Profile& p) { return Trace(p).text(); }

}  // namespace ridgeline
