#include "planner/plan_sheet.h"

#include <cmath>

namespace ridgeline {
namespace {

using Arguments = std::span<const Number>;

// A batch of alike sequences whose sizes need not be whole: linear between the whole ones around each.
Number at_step(Arguments sizes, const std::function<double(const BatchShape&)>& f) {
  Number sum = 0;
  for (int corner = 0; corner < 8; ++corner) {
    Number weight = 1;
    int64_t whole[3];
    for (size_t i = 0; i < 3; ++i) {
      Number low = std::floor(sizes[i]), part = sizes[i] - low;
      bool up = corner >> i & 1;
      weight *= up ? part : 1 - part;
      whole[i] = static_cast<int64_t>(low) + up;
    }
    if (weight > 0) sum += weight * f(Deployment::alike(whole[0], whole[1], whole[2]));
  }
  return sum;
}

class PlanSheet {
 public:
  explicit PlanSheet(const Plan& p) : p_(p), d_(*p.deployment), h_(p.deployment->hardware()) {}

  Sheet made() && {
    machine(), model(), steps(), memory(), answers();
    return std::move(sheet_);
  }

 private:
  void machine() {
    auto given = [&](const std::string& name, const char* unit, const char* meaning, const SourcedValue& v) {
      std::string source = fmt::format("{}: {}{}", h_.name, v.source, v.checked ? "" : " (unchecked)");
      sheet_.input({"hardware." + name, unit, meaning, source}, v.value);
    };
    given("bandwidth", "B/s", "bytes read from memory, of one device", h_.bandwidth);
    given("capacity", "B", "memory of one device", h_.capacity);
    for (const auto& [arithmetic, peak] : h_.peaks) {
      std::string name(name_of(arithmetic));
      given(name, "FLOP/s", "dense peak of this arithmetic", peak);
      rates_ += ", hardware." + name;
      peaks_.push_back(arithmetic);
    }
    if (h_.link) given("link", "B/s", "bytes to other devices, each direction", *h_.link);
  }

  void model() {
    const DeviceMemory& m = d_.memory();
    const std::string program = fmt::format("counted in the program of {}", p_.request.situation.model);
    auto counted = [&](const char* name, const char* unit, const char* meaning, int64_t value) {
      sheet_.input({name, unit, meaning, program}, static_cast<Number>(value));
    };
    counted("model.params", "parameters", "of the whole model", d_.parameters());
    counted("model.context", "tokens", "it was trained for", d_.context());
    counted("model.weight_bytes", "B", "weights that one device holds", m.weights);
    counted("model.kv_bytes", "B", "keys and values of one token on one device", m.kv_per_token);
    counted("model.activation_bytes", "B", "peak of a step's values, from their lifetimes", m.activations);
    sheet_.input({"situation.context", "tokens", "cached, where decode is asked about", "--ctx-size"},
                 p_.request.context);
    sheet_.input({"situation.prompt", "tokens", "of a prompt", "--n-prompt"}, p_.request.prompt);
    sheet_.input({"situation.memory_use", "1", "of memory is for weights and KV", "--memory-use"},
                 p_.request.situation.memory_use);
  }

  // Functions of (sequences, new tokens, cached tokens) and, for times, of the machine's rates.
  void steps() {
    auto count = [&](const char* name, const char* unit, const char* meaning, auto of) {
      sheet_.function({name, unit, meaning, "counted in the program, op by op"}, {"sequences", "new", "cached"},
                      [d = p_.deployment, of](Arguments a) {
                        return at_step(a, [&](const BatchShape& b) { return static_cast<double>(of(d->step(b).sum)); });
                      });
    };
    count("step_flops", "FLOP", "of one step", [](const OpCost& c) { return c.flops(); });
    count("step_products", "FLOP", "of a step's matrix products and attention",
          [](const OpCost& c) { return c.matmul + c.attention; });
    count("step_bytes", "B", "read and written by one step", [](const OpCost& c) { return c.bytes(); });
    count("step_kv_bytes", "B", "of keys and values read and written by one step",
          [](const OpCost& c) { return c.bytes(Role::kv); });
    std::vector<std::string> arguments = {"sequences", "new", "cached", "bandwidth"};
    for (Arithmetic a : peaks_) arguments.emplace_back(name_of(a));
    auto timed = [&](const char* name, const char* meaning, Times which) {
      sheet_.function({name, "s", meaning, fmt::format("sum over {} ops", d_.program().nodes.size())}, arguments,
                      [d = p_.deployment, peaks = peaks_, which](Arguments a) {
                        Hardware h = d->hardware();
                        h.bandwidth.value = static_cast<double>(a[3]);
                        for (size_t i = 0; i < peaks.size(); ++i)
                          h.peaks[peaks[i]].value = static_cast<double>(a[4 + i]);
                        Roofline roof(d->program(), h, d->rank().options());
                        return at_step(a, [&](const BatchShape& b) { return d->seconds(roof, b, which); });
                      });
    };
    timed("step_seconds", "of a step: of each op the greater of FLOP / peak and bytes / bandwidth", Times::ideal);
    if (h_.efficiency)
      timed("step_expected", "the same with what kernels reach, and times that overlap with nothing",
            Times::calibrated);
  }

  std::string seconds(const std::string& sizes, const char* function = "step_seconds") const {
    return fmt::format("{}({}, hardware.bandwidth{})", function, sizes, rates_);
  }
  void formula(const std::string& name, const char* unit, const std::string& meaning, const std::string& text) {
    sheet_.formula({name, unit, meaning}, text);
  }

  void memory() {
    formula("memory.budget", "B", "for weights and KV", "round(hardware.capacity * situation.memory_use)");
    formula("memory.beside", "B", "of activations that what is left beside the budget does not hold",
            "max(0, model.activation_bytes - (hardware.capacity - memory.budget))");
    formula("memory.free", "B", "for keys and values", "memory.budget - model.weight_bytes - memory.beside");
    if (!d_.memory().kv_per_token) return;
    formula("kv.tokens", "tokens", "whose keys and values fit", "max(0, floor(memory.free / model.kv_bytes))");
    formula("kv.contexts", "sequences", "of the whole context, each with its room from the start",
            "floor(kv.tokens / model.context)");
    formula("kv.paged", "sequences", "of 1,024 tokens in blocks of 16, half a block empty on average",
            "floor(kv.tokens / (1024 + (16 - 1) / 2))");
  }

  void add_step(const std::string& name, const std::string& sizes, const std::string& what, const std::string& tokens) {
    formula(name + ".seconds", "s", "at best, of " + what, seconds(sizes));
    if (h_.efficiency) formula(name + ".expected", "s", "expected, of " + what, seconds(sizes, "step_expected"));
    formula(name + ".flops", "FLOP", "of " + what, fmt::format("step_flops({})", sizes));
    formula(name + ".bytes", "B", "of " + what, fmt::format("step_bytes({})", sizes));
    formula(name + ".intensity", "FLOP/B", "of " + what, fmt::format("{0}.flops / {0}.bytes", name));
    formula(name + ".tokens_per_second", "tokens/s", "at best, of " + what,
            fmt::format("{} / {}.seconds", tokens, name));
  }

  void answers() {
    add_step("decode", "1, 1, situation.context", "a step of one sequence", "1");
    for (int64_t n : p_.request.batches)
      add_step(fmt::format("decode.{}", n), fmt::format("{}, 1, situation.context", n),
               fmt::format("a step of {} together", n), std::to_string(n));
    add_step("prefill", "1, situation.prompt, 0", "a prompt", "situation.prompt");
    std::string math(name_of(h_.peak(d_.math()).arithmetic));
    formula("batching.ridge", "FLOP/B", "where the roof bends", fmt::format("hardware.{} / hardware.bandwidth", math));
    if (d_.memory().kv_per_token)
      formula("batching.intensity", "FLOP/B",
              "that ever larger batches tend to: of one more sequence, its FLOP over its KV",
              "(step_products(2, 1, situation.context) - step_products(1, 1, situation.context)) / "
              "(step_kv_bytes(2, 1, situation.context) - step_kv_bytes(1, 1, situation.context))");
    for (const WeightOnly& w : p_.weight_only) {
      std::string name = fmt::format("weights.{:g}", w.bits);
      for (char& c : name)
        if (c == '.' && &c != &name[7]) c = '_';
      formula(name + "_bits.break_even", "tokens", fmt::format("a step, up to which weights in {} help", w.name),
              fmt::format("batching.ridge * {:g} / 8 / 2", w.bits));
    }
  }

  const Plan& p_;
  const Deployment& d_;
  const Hardware& h_;
  Sheet sheet_;
  std::string rates_;
  std::vector<Arithmetic> peaks_;
};

}  // namespace

Sheet plan_sheet(const Plan& p) { return PlanSheet(p).made(); }

}  // namespace ridgeline
