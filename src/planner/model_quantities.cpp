#include "planner/model_quantities.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/limits.h"
#include "cost/totals.h"
#include "models/catalogue.h"
#include "passes/passes.h"

namespace ridgeline {
namespace {

// What the programs of one model count, each built when first asked for.
class ModelCounts {
 public:
  ModelCounts(std::string model, ModelConfig config, DType type)
      : model_(std::move(model)), config_(std::move(config)), type_(type) {}

  const Totals& cached() { return made(cached_, {}); }
  const Totals& uncached() { return made(uncached_, {"insert_kv_cache"}); }
  // As the family wrote it, with an op for each matrix.
  const Program& written() {
    if (!written_) written_ = build(model_, type_, config_);
    return *written_;
  }
  static BatchShape token() { return {{{.fresh = 1}}}; }

 private:
  const Totals& made(std::optional<Totals>& t, std::set<std::string> disabled) {
    if (!t) t = totals(apply(build(model_, type_, config_), {.disabled = std::move(disabled)}));
    return *t;
  }
  std::string model_;
  ModelConfig config_;
  DType type_;
  std::optional<Totals> cached_, uncached_;
  std::optional<Program> written_;
};
using Shared = std::shared_ptr<ModelCounts>;

Number number(int64_t n) { return static_cast<Number>(n); }

// What a batch is made of.
struct Step {
  int64_t sequences, fresh, cached;
  BatchShape batch() const {
    return {std::vector<BatchShape::Sequence>(static_cast<size_t>(sequences), {.fresh = fresh, .cached = cached})};
  }
};

// f at whole numbers, and on the lines between (or before the least) for arguments that are none, as sensitivities ask.
Number between(std::span<const Number> arguments, std::vector<int64_t>& whole,
               const std::function<Number(const Step&)>& f) {
  constexpr int64_t least[] = {1, 1, 0}, most[] = {limits::batch_sequences, limits::context, limits::context};
  size_t i = whole.size();
  if (i == arguments.size()) return f({whole[0], whole[1], whole[2]});
  Number x = arguments[i], low = std::max(std::floor(x), number(least[i]));
  if (x < number(least[i]) - 0.5L || x > number(most[i]))
    fail(ExitCode::usage, "step_argument", "argument {} of a step is {}; expected {}..{}", i + 1,
         static_cast<double>(x), least[i], most[i]);
  auto at = [&](Number y) {
    whole.push_back(static_cast<int64_t>(y));
    Number value = between(arguments, whole, f);
    whole.pop_back();
    return value;
  };
  Number value = at(low);
  return x == low ? value : value + (x - low) * (at(low + 1) - value);
}

class Adder {
 public:
  Adder(Sheet& sheet, std::string prefix, std::string model, Shared counted)
      : sheet_(sheet), prefix_(std::move(prefix)), model_(std::move(model)), counted_(std::move(counted)) {}

  void fact(std::string name, std::string unit, std::string meaning, int64_t value) {
    sheet_.input({prefix_ + "." + name, std::move(unit), std::move(meaning), "config of " + model_}, number(value));
  }
  void count(std::string name, std::string unit, std::string meaning, std::function<int64_t(ModelCounts&)> of) {
    sheet_.counted({prefix_ + "." + name, std::move(unit), std::move(meaning), "program of " + model_},
                   [counted = counted_, of = std::move(of)] { return number(of(*counted)); });
  }
  void step(std::string name, std::string unit, std::string meaning,
            std::function<int64_t(ModelCounts&, const BatchShape&)> of) {
    sheet_.function({prefix_ + "." + name, std::move(unit), std::move(meaning), "program of " + model_},
                    {"sequences", "new", "cached"}, [counted = counted_, of = std::move(of)](auto arguments) {
                      std::vector<int64_t> whole;
                      return between(arguments, whole, [&](const Step& s) { return number(of(*counted, s.batch())); });
                    });
  }

 private:
  Sheet& sheet_;
  std::string prefix_, model_;
  Shared counted_;
};

constexpr std::string_view first_layer = "layers.0.";

// Elements of the weights that `wanted` picks.
int64_t elements(const Program& p, const std::function<bool(const Program::Entry&)>& wanted) {
  int64_t sum = 0;
  for (const auto& entry : p.values)
    if (entry.origin == Program::Origin::weight && wanted(entry)) sum += entry.type.elements().constant();
  return sum;
}
bool in_first_layer(const Program::Entry& e) { return e.name.starts_with(first_layer); }

// A vocabulary's worth of rows: the input table, and the head where it is another matrix.
int64_t tables(const Program& p, int64_t vocab) {
  return std::count_if(p.values.begin(), p.values.end(), [&](const auto& e) {
    return e.origin == Program::Origin::weight && e.type.is_matrix() && e.type.rows() == Dim(vocab);
  });
}

// Products with the weights of the first layer, for one token; all of them or those with one matrix.
int64_t layer_flops(const Program& p, std::string_view weight = "") {
  int64_t sum = 0;
  for (const auto& node : p.nodes) {
    auto operands = node.op.operands();
    bool reads = std::any_of(operands.begin(), operands.end(), [&](Value v) { return p.entry(v).name == weight; });
    if (node.layer == 0 && (weight.empty() || reads)) sum += p.cost(node).matmul.at(ModelCounts::token());
  }
  return sum;
}

void add_matrices(Adder& add, const Program& p) {
  for (const auto& entry : p.values) {
    if (entry.origin != Program::Origin::weight || !entry.type.is_matrix() || !in_first_layer(entry)) continue;
    std::string full = entry.name, name = "layer." + full.substr(first_layer.size());
    add.count(name + ".params", "parameters", "elements of this matrix of a layer",
              [full](ModelCounts& c) { return elements(c.written(), [&](const auto& e) { return e.name == full; }); });
    add.count(name + ".flops", "FLOP", "products with this matrix of a layer, for one token",
              [full](ModelCounts& c) { return layer_flops(c.written(), full); });
  }
}

}  // namespace

void add_model(Sheet& sheet, const std::string& prefix, const std::string& model, const ModelConfig& config,
               DType type) {
  auto counted = std::make_shared<ModelCounts>(model, config, type);
  Adder add(sheet, prefix, model, counted);
  const ModelFacts& f = config.facts();
  add.fact("layers", "layers", "layers", f.layers);
  add.fact("d", "elements", "width of the residual stream", f.dim);
  add.fact("heads", "heads", "query heads", f.heads);
  add.fact("kv_heads", "heads", "key and value heads", f.kv_heads);
  add.fact("head_dim", "elements", "width of a head", f.head_dim);
  add.fact("ffn", "elements", "width of the feed-forward part", f.ffn);
  add.fact("vocab", "tokens", "tokens of the vocabulary", f.vocab);
  add.fact("context", "tokens", "tokens it was trained for", f.context);
  add.fact("tied", "1", "1 where the head is the input table", f.tied);

  add.count("params", "parameters", "elements of all weights", [](ModelCounts& c) { return c.written().parameters(); });
  add.count("layer.params", "parameters", "elements of the weights of a layer",
            [](ModelCounts& c) { return elements(c.written(), in_first_layer); });
  add.count("layer.vector_params", "parameters", "elements of the norms and biases of a layer", [](ModelCounts& c) {
    return elements(c.written(), [](const auto& e) { return in_first_layer(e) && !e.type.is_matrix(); });
  });
  add_matrices(add, counted->written());
  add.count("table.params", "parameters", "elements of a table of the vocabulary",
            [f](ModelCounts&) { return f.vocab * f.dim; });
  add.count("tables", "1", "tables of the vocabulary: the input's, and the head's where it is another",
            [f](ModelCounts& c) { return tables(c.written(), f.vocab); });

  add.count("layer.matmul_flops", "FLOP", "products with the weights of a layer, for one token",
            [](ModelCounts& c) { return layer_flops(c.written()); });
  add.count("matmul_flops", "FLOP", "products with the weights of all layers, for one token",
            [](ModelCounts& c) { return c.cached().matmul_flops.at(ModelCounts::token()); });
  add.count("head.flops", "FLOP", "products with the head, for one row of logits",
            [](ModelCounts& c) { return c.cached().head_flops.at(ModelCounts::token()); });
  add.count("pair_flops", "FLOP", "products of attention in all layers, for one visible query and key",
            [](ModelCounts& c) { return c.cached().attention_flops.at(ModelCounts::token()); });

  add.count("weight_bytes", "B", "bytes of all weights, as the program holds them", [](ModelCounts& c) {
    int64_t sum = 0;
    for (const auto& e : c.written().values)
      if (e.origin == Program::Origin::weight) sum += e.type.bytes().constant();
    return sum;
  });
  add.count("layers.read_bytes", "B", "bytes of the layers' matrices, which every step reads",
            [](ModelCounts& c) { return c.cached().layer_matmul_weight_bytes.at(ModelCounts::token()); });
  add.count("head.read_bytes", "B", "bytes of the head, which a step with logits reads",
            [](ModelCounts& c) { return c.cached().head_weight_bytes.at(ModelCounts::token()); });
  add.count("kv.token_bytes", "B", "bytes of keys and values that a token leaves in the cache",
            [](ModelCounts& c) { return c.cached().kv_write_bytes.at(ModelCounts::token()); });

  struct Row {
    const char *name, *unit, *meaning;
    Count Totals::* count;
  };
  for (const Row& r : {Row{"matmul_flops", "FLOP", "products with the weights of the layers", &Totals::matmul_flops},
                       Row{"head_flops", "FLOP", "products with the head", &Totals::head_flops},
                       Row{"attention_flops", "FLOP", "products over visible pairs", &Totals::attention_flops},
                       Row{"elementwise_flops", "FLOP", "all that is no product", &Totals::elementwise_flops},
                       Row{"kv_read_bytes", "B", "keys and values read", &Totals::kv_read_bytes},
                       Row{"activation_bytes", "B", "activations written and read", &Totals::activation_bytes}}) {
    add.step(std::string("step.") + r.name, r.unit, r.meaning,
             [count = r.count](ModelCounts& c, const BatchShape& b) { return (c.cached().*count).at(b); });
    add.step(std::string("uncached.") + r.name, r.unit, std::string(r.meaning) + ", without a KV cache",
             [count = r.count](ModelCounts& c, const BatchShape& b) { return (c.uncached().*count).at(b.uncached()); });
  }
  auto read = [](const Totals& t, const BatchShape& b) {
    return (t.layer_matmul_weight_bytes + t.head_weight_bytes).at(b);
  };
  add.step("step.read_bytes", "B", "matrices read",
           [read](ModelCounts& c, const BatchShape& b) { return read(c.cached(), b); });
  add.step("uncached.read_bytes", "B", "matrices read, without a KV cache",
           [read](ModelCounts& c, const BatchShape& b) { return read(c.uncached(), b.uncached()); });
}

}  // namespace ridgeline
