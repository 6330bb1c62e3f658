#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/model_argument.h"
#include "cli/model_options.h"
#include "cli/terminal.h"
#include "instance/bench.h"

namespace ridgeline {
namespace {

struct Options {
  ModelOptions model;
  std::vector<int64_t> prompts{500}, generate{64}, depths{0}, batches{512};
  std::vector<int> threads;
  int repetitions = 5;
  std::string format = "md";
  bool json = false;
};

// A result, and the model it belongs to.
struct Row {
  BenchResult result;
  std::string model, backend;
  int64_t bytes, parameters;
  int threads;
  bool is_prompt() const { return result.test.prompt > 0; }
  std::string_view limit_name() const { return is_prompt() ? compute_instruction(result.kind) : "read"; }
};

std::vector<BenchTest> tests_of(const Options& o) {
  std::vector<BenchTest> tests;
  for (int64_t depth : o.depths) {
    for (int64_t n : o.prompts)
      for (int64_t batch : o.batches)
        if (n) tests.push_back({.prompt = n, .depth = depth, .batch = batch});
    for (int64_t n : o.generate)
      if (n) tests.push_back({.generate = n, .depth = depth});
  }
  if (tests.empty())
    fail(ExitCode::usage, "nothing_to_do", "there is nothing to measure: give -p or -n a number above 0");
  return tests;
}

std::string backend_of(const Instance& m) {
  return m.kernels().empty() ? "reference" : std::string(m.kernels().front()->name);
}

// --- Tables --------------------------------------------------------------------------------------------------------

std::string size_text(int64_t bytes) {
  auto b = static_cast<double>(bytes);
  return bytes >= int64_t{1} << 30 ? fmt::format("{:.2f} GiB", b / 0x1p30) : fmt::format("{:.2f} MiB", b / 0x1p20);
}
std::string parameters_text(int64_t n) {
  auto x = static_cast<double>(n);
  return n >= 1'000'000'000 ? fmt::format("{:.2f} B", x / 1e9) : fmt::format("{:.2f} M", x / 1e6);
}
// Columns of a terminal, not bytes: "±" is one.
size_t width(std::string_view s) {
  return static_cast<size_t>(std::count_if(s.begin(), s.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}
// So much of a name that a row fits a hundred columns.
std::string shortened(const std::string& name) {
  constexpr size_t most = 24;
  return name.size() <= most ? name : name.substr(0, most - 1) + "…";
}

using Table = std::vector<std::vector<std::string>>;
// Pads the cells of each column to one width, on the right where `left` has an 'l', else on the left.
void align(Table& table, std::string_view sides) {
  for (size_t column = 0; column < sides.size(); ++column) {
    size_t widest = 0;
    for (const auto& row : table) widest = std::max(widest, width(row[column]));
    for (auto& row : table)
      row[column].insert(sides[column] == 'l' ? row[column].size() : 0, widest - width(row[column]), ' ');
  }
}

// llama-bench's table.
void print_speeds(const std::vector<Row>& rows) {
  Table table{{"model", "size", "params", "backend", "threads", "test", "t/s"}};
  for (const auto& r : rows)
    table.push_back({shortened(r.model), size_text(r.bytes), parameters_text(r.parameters), r.backend,
                     fmt::format("{}", r.threads), r.result.test.name(),
                     fmt::format("{:.2f} ± {:.2f}", mean(r.result.samples), deviation(r.result.samples))});
  constexpr std::string_view sides = "lrrlrrr";
  align(table, sides);
  std::vector<std::string> rule;
  for (size_t i = 0; i < sides.size(); ++i)
    rule.push_back(std::string(width(table[0][i]) - 1, '-') + (sides[i] == 'l' ? '-' : ':'));
  table.insert(table.begin() + 1, rule);
  for (const auto& row : table) fmt::print("| {} |\n", fmt::join(row, " | "));
}

// How near each came to what the machine can do.
void print_limits(const std::vector<Row>& rows) {
  Table table;
  for (const auto& r : rows) {
    double work = median(r.result.work), limit = median(r.result.limit);
    std::vector<std::string> row{r.result.test.name(),
                                 fmt::format("{} {}", r.threads, r.threads == 1 ? "thread" : "threads"),
                                 fmt::format("{:.0f} %", 100 * median(r.result.fraction))};
    if (r.is_prompt())
      row.insert(row.end(), {"of the compute roof", fmt::format("{:.2f} of {:.2f} TOP/s", work / 1e12, limit / 1e12)});
    else
      row.insert(row.end(), {"of the read limit", fmt::format("{:.1f} of {:.1f} GB/s", work / 1e9, limit / 1e9)});
    table.push_back(std::move(row));
  }
  align(table, "llrlr");
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& c = table[i];
    std::string roof = fmt::format("{} alone, on registers", rows[i].limit_name());
    fmt::print("{}  {}  {} {}  {}: {}\n", c[0], c[1], c[2], c[3], c[4], rows[i].is_prompt() ? roof : "plain reads");
  }
}

void print_markdown(const std::vector<Row>& rows) {
  print_speeds(rows);
  fmt::print("\n");
  print_limits(rows);
  fmt::print(
      "\nLimits are measured in bursts between those of the test; % is the median of the paired ratios.\n"
      "t/s counts the steps and, in tg, choosing the most probable token; not loading, not the warm-up.\n");
}

nlohmann::ordered_json json_of(const Row& r) {
  const auto& b = r.result;
  const char* limit = r.is_prompt() ? "compute_roof" : "read_limit";
  nlohmann::ordered_json j{
      {"test", b.test.name()},          {"model", r.model},          {"model_size", r.bytes},
      {"model_n_params", r.parameters}, {"backend", r.backend},      {"n_threads", r.threads},
      {"n_prompt", b.test.prompt},      {"n_gen", b.test.generate},  {"n_depth", b.test.depth},
      {"n_batch", b.test.batch},        {"avg_ts", mean(b.samples)}, {"stddev_ts", deviation(b.samples)},
      {"samples_ts", b.samples}};
  j[fmt::format("{}_fraction", limit)] = median(b.fraction);
  j[r.is_prompt() ? "operations_per_second" : "bytes_per_second"] = median(b.work);
  j[fmt::format("{}_{}", limit, r.is_prompt() ? "operations_per_second" : "bytes_per_second")] = median(b.limit);
  if (r.is_prompt()) j["compute_instruction"] = compute_instruction(b.kind);
  j["fractions"] = b.fraction;
  return j;
}

void print_json(const std::vector<Row>& rows) {
  auto first = [&](bool prompt, auto value) -> nlohmann::ordered_json {
    for (const auto& r : rows)
      if (r.is_prompt() == prompt) return value(r.result);
    return nullptr;
  };
  auto speed = [](const BenchResult& b) { return mean(b.samples); };
  auto fraction = [](const BenchResult& b) { return median(b.fraction); };
  nlohmann::ordered_json j{{"prefill_tokens_per_second", first(true, speed)},
                           {"decode_tokens_per_second", first(false, speed)},
                           {"read_limit_fraction", first(false, fraction)},
                           {"compute_roof_fraction", first(true, fraction)},
                           {"version", RIDGELINE_VERSION}};
  for (const auto& r : rows) j["tests"].push_back(json_of(r));
  fmt::print("{}\n", j.dump(2));
}

void print_csv(const std::vector<Row>& rows) {
  fmt::print(
      "model,model_size,model_n_params,backend,n_threads,n_prompt,n_gen,n_depth,n_batch,avg_ts,stddev_ts,limit,limit_"
      "fraction\n");
  for (const auto& r : rows) {
    std::string model;
    for (char c : r.model) model += c == '"' ? "\"\"" : std::string(1, c);
    const auto& b = r.result;
    fmt::print("\"{}\",{},{},{},{},{},{},{},{},{:.6f},{:.6f},\"{}\",{:.6f}\n", model, r.bytes, r.parameters, r.backend,
               r.threads, b.test.prompt, b.test.generate, b.test.depth, b.test.batch, mean(b.samples),
               deviation(b.samples), r.limit_name(), median(b.fraction));
  }
}

void run(Options o) {
  auto tests = tests_of(o);
  if (o.threads.empty()) o.threads.push_back(available_processors());
  int64_t needed = 0;
  for (const auto& t : tests) needed = std::max(needed, t.depth + t.tokens());
  o.model.instance.context = needed;
  bool progress = is_terminal(stderr);
  std::vector<Row> rows;
  for (int threads : o.threads) {
    o.model.instance.threads = threads;
    auto model = Instance::open(model_path(o.model.path), o.model.instance);
    if (rows.empty()) print_opened(*model);
    for (const auto& test : tests) {
      if (progress)
        fmt::print(stderr, "\r\x1b[K{}{}, {} threads ...{}", style(Style::dim, stderr), test.name(), threads,
                   style(Style::plain, stderr));
      rows.push_back({bench(*model, test, o.repetitions), model->name(), backend_of(*model),
                      model->report().weight_bytes, model->program().parameters(), threads});
    }
  }
  if (progress) fmt::print(stderr, "\r\x1b[K");
  if (o.json || o.format == "json") return print_json(rows);
  if (o.format == "csv") return print_csv(rows);
  if (o.format == "jsonl") {
    for (const auto& r : rows) fmt::print("{}\n", json_of(r).dump());
    return;
  }
  print_markdown(rows);
}

}  // namespace

void add_bench(CLI::App& app) {
  auto* c = app.add_subcommand("bench", "Measure prompt and generation speed beside the machine's limits");
  auto o = std::make_shared<Options>();
  add_model_options(*c, o->model);
  c->remove_option(c->get_option("--threads"));
  c->remove_option(c->get_option("--ctx-size"));
  constexpr auto tests = "Tests (LIST: numbers separated by commas)";
  auto list = [&](const char* name, auto& values, const char* usual, const char* text, int64_t least, int64_t most) {
    c->add_option(name, values, text)->delimiter(',')->option_text(usual)->check(CLI::Range(least, most))->group(tests);
  };
  list("-p,--n-prompt", o->prompts, "LIST [500]", "Tokens of the prompt; 0: no such test", 0, limits::context);
  list("-n,--n-gen", o->generate, "LIST [64]", "Tokens to generate; 0: no such test", 0, limits::context);
  list("-d,--n-depth", o->depths, "LIST [0]", "Tokens in the cache before a test begins", 0, limits::context);
  list("-b,--batch-size", o->batches, "LIST [512]", "Tokens of a prompt computed in one step at most", 1,
       limits::context);
  list("-t,--threads", o->threads, "LIST", "Threads; without it: one per processor", 1, limits::threads);
  c->add_option("-r,--repetitions", o->repetitions, "How often each test is run")
      ->option_text("N [5]")
      ->check(CLI::Range(1, 1'000))
      ->group(tests);
  c->add_option("-o,--output", o->format, "md, csv, json or jsonl")
      ->option_text("FORMAT [md]")
      ->check(CLI::IsMember({"md", "csv", "json", "jsonl"}))
      ->group("Output");
  c->add_flag("--json", o->json, "The same as -o json")->group("Output");
  c->footer(
      "Examples:\n"
      "  ridgeline bench model.gguf                        500 tokens of prompt, then 64 generated\n"
      "  ridgeline bench model.gguf -p 128,512 -t 1,2      prompts of two lengths, on one and two threads\n"
      "  ridgeline bench model.gguf -p 0 -n 32 -d 0,1024   generation with 1,024 tokens in the cache\n"
      "  ridgeline bench model.gguf --json\n"
      "\n"
      "Generation is limited by how fast the weights are read, a prompt by multiply-adds. The limit is\n"
      "measured in bursts between those of the test, so that whatever else the machine does happens to\n"
      "both. The fraction is the median of the paired ratios.");
  c->callback([o] { run(*o); });
}

}  // namespace ridgeline
