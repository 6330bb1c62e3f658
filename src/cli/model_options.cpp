#include "cli/model_options.h"

#include <sys/resource.h>

#include <algorithm>
#include <cctype>
#include <span>

#include "base/error.h"
#include "base/limits.h"
#include "cli/terminal.h"

namespace ridgeline {
namespace {

std::string names_of(std::span<const DType> types) {
  std::string names;
  for (DType t : types) names += (names.empty() ? "" : ", ") + std::string(name_of(t));
  return names;
}

DType one_of(std::string_view name, std::span<const DType> types) {
  auto alike = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  for (DType t : types)
    if (std::ranges::equal(name_of(t), name, alike)) return t;
  fail(ExitCode::usage, "unknown_type", "there is no type '{}' here; there are: {}", name, names_of(types));
}

constexpr DType kv_types[] = {DType::bf16, DType::f32};

double mib(int64_t bytes) { return static_cast<double>(bytes) / 1048576; }

double peak_mib() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return static_cast<double>(use.ru_maxrss) / 1024;
}

}  // namespace

DType weight_type(const std::string& name) { return one_of(name, stored_types); }
std::string weight_type_names() { return names_of(stored_types); }
DType kv_type(const std::string& name) { return one_of(name, kv_types); }

void add_model_options(CLI::App& c, ModelOptions& o) {
  c.add_option("model", o.path, "A GGUF file, a Hugging Face directory, or USER/REPO[:QUANT] of the hub, once pulled")
      ->required()
      ->option_text("MODEL")
      ->group("Model");
  c.add_option("-t,--threads", o.instance.threads, "Threads; 0: one per processor")
      ->option_text("N [0]")
      ->group("Model")
      ->check(CLI::Range(int64_t{0}, limits::threads));
  c.add_option("-c,--ctx-size", o.instance.context, "Tokens the KV cache holds; 0: the model's context, at most 4096")
      ->option_text("N [0]")
      ->group("Model")
      ->check(CLI::Range(int64_t{0}, limits::context));
  c.add_flag("--check-tensors", o.instance.check_tensors,
             "Read every weight first, and refuse a file with NaN or infinity")
      ->group("Model");
  c.add_option_function<std::string>(
       "--type", [&o](const std::string& t) { o.instance.weights = weight_type(t); },
       "Convert weight matrices at load: " + weight_type_names())
      ->group("Arithmetic");
  c.add_option_function<std::string>(
       "--kv-type,--cache-type", [&o](const std::string& t) { o.instance.kv = kv_type(t); },
       "Type of the KV cache: bf16, f32")
      ->group("Arithmetic");
  c.add_option("--kernels", o.instance.kernels, "Kernel set to begin with: avx512, avx2, reference")
      ->group("Arithmetic");
  c.add_option_function<std::vector<std::string>>(
       "--disable",
       [&o](const std::vector<std::string>& names) { o.instance.disabled.insert(names.begin(), names.end()); },
       "Leave out passes or fusions, by name: insert_kv_cache, fuse, ...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->group("Arithmetic");
}

void print_opened(Instance& m) {
  const LoadReport& r = m.report();
  auto dim = style(Style::dim, stderr), plain = style(Style::plain, stderr);
  std::string sets;
  for (const auto* set : m.kernels()) sets += (sets.empty() ? "" : ", ") + std::string(set->name);
  fmt::print(stderr,
             "{}{} · {:.1f} MiB of weights, {:.1f} MiB of KV for {} tokens · loaded in {:.2f} s, peak memory {:.0f} "
             "MiB · {} {}, {}{}\n",
             dim, m.name(), mib(r.weight_bytes), mib(r.kv_bytes), m.context(), r.seconds, peak_mib(), m.team().size(),
             m.team().size() == 1 ? "thread" : "threads", sets.empty() ? "reference" : sets, plain);
  for (const auto& s : kernel_set_status())
    if (s.set->supported() && !s.fault.empty())
      fmt::print(stderr, "{}{} steps aside: {}{}\n", dim, s.set->name, s.fault, plain);
  std::string slow;
  for (const auto& s : m.executor().served())
    if (s.set == "reference") slow += fmt::format("{}{} ({})", slow.empty() ? "" : ", ", s.op, s.types);
  if (!slow.empty()) fmt::print(stderr, "{}slow, no kernel for: {}{}\n", dim, slow, plain);
  for (const auto& w : r.warnings) fmt::print(stderr, "{}warning: {}{}\n", dim, w, plain);
}

}  // namespace ridgeline
