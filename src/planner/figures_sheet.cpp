#include "base/error.h"
#include "cost/hardware.h"
#include "models/catalogue.h"
#include "planner/figures.h"
#include "planner/model_quantities.h"
#include "planner/speculation.h"

namespace ridgeline {
namespace {

struct Input {
  const char *name, *unit, *meaning, *provenance;
  Number value;
};

// Elements of weights, caches and training state.
constexpr Input types[] = {
    {"bf16.bytes", "B", "bytes of an element of bf16 or fp16", "IEEE 754 and bfloat16: 16 bits", 2},
    {"fp32.bytes", "B", "bytes of an element of fp32", "IEEE 754: 32 bits", 4},
    {"int4.bits", "bits", "bits of a weight in groups of 128 with a 16-bit scale and a zero of 16 bits",
     "4 + (16 + 16) / 128", 4.25L},
};

// What the essays take for their examples.
constexpr Input scenarios[] = {
    {"one.context", "tokens", "tokens cached, or of a prompt", "the first essay's example", 1000},
    {"one.long_context", "tokens", "tokens of the attention example", "the first essay's example", 8000},
    {"one.batch", "sequences", "a small batch", "assumed: the first essay names none", 8},
    {"one.nominal_8b", "parameters", "Llama 3 8B, by its name", "the first essay", 8e9L},
    {"one.nominal_70b", "parameters", "Llama 3 70B, by its name", "the first essay", 70e9L},
    {"two.S", "tokens", "tokens of a sequence", "the second essay's example", 1024},
    {"two.B", "sequences", "sequences of a batch", "the second essay's example", 1},
    {"two.batch", "sequences", "sequences of a small serving batch", "the second essay's table", 32},
    {"two.many", "sequences", "sequences of a batch that should be limited by compute", "the second essay's table",
     156},
    {"two.step", "tokens", "tokens of a sequence at the step looked at", "the second essay's example", 1000},
    {"two.nominal", "parameters", "a model of 7 B, by its name", "the second essay's example", 7e9L},
    {"two.long_answer", "tokens", "tokens of the longer answer", "the second essay's example", 500},
    {"two.short_answer", "tokens", "tokens of the shorter answer", "the second essay's example", 10},
    {"two.long_context", "tokens", "tokens of a long context", "assumed: contexts of today", 32768},
    {"a100.bandwidth", "B/s", "memory bandwidth of an A100", "rounded, as the second essay takes it", 2.0e12L},
    {"two.draft", "1", "cost of a draft token beside one of the model", "the second essay: a model 15 times smaller",
     1 / 15.0L},
    {"two.least_accepted", "1", "share of draft tokens accepted, at least", "the second essay", 0.7L},
    {"two.most_accepted", "1", "share of draft tokens accepted, at most", "the second essay", 0.8L},
    {"two.guessed", "tokens", "draft tokens verified in one step", "assumed: the second essay names none", 5},
    {"training.gradient_bytes", "B", "bytes of a gradient", "the second essay: fp16", 2},
    {"training.state_bytes", "B", "bytes of master weight and both moments of a parameter", "Adam in fp32: 3 x 4", 12},
};

// Measured by others.
constexpr Input published[] = {
    {"fa3.bf16", "FLOP/s", "FlashAttention-3 in bf16 on an H100", "Shah et al., NeurIPS 2024", 840e12L},
    {"fa3.preprint_fp16", "FLOP/s", "FlashAttention-3 in fp16 on an H100",
     "Shah et al., arXiv:2407.08608, first version", 740e12L},
    {"fa3.fp8", "FLOP/s", "FlashAttention-3 in FP8 on an H100", "Shah et al., NeurIPS 2024", 1.3e15L},
    {"medusa.least", "1", "speedup of Medusa-1", "Cai et al., arXiv:2401.10774", 2.2L},
    {"medusa.most", "1", "best speedup of Medusa-2", "Cai et al., arXiv:2401.10774", 3.6L},
    {"paged.least_before", "1", "least share of cache memory in use before paging", "Kwon et al., arXiv:2309.06180",
     0.204L},
    {"paged.most_before", "1", "greatest share of cache memory in use before paging", "Kwon et al., arXiv:2309.06180",
     0.382L},
    {"paged.after", "1", "share of cache memory in use with paging", "Kwon et al., arXiv:2309.06180", 0.96L},
    {"linear.forward", "1", "products of a linear layer's forward pass", "z = x W", 1},
    {"linear.backward", "1", "products of its backward pass, each as large", "dx = dz W', dW = x' dz", 2},
    {"attention.forward", "1", "products of attention's forward pass", "S = Q K', O = P V", 2},
    {"attention.backward", "1", "products of its backward pass, each as large", "dV, dP, dQ, dK", 4},
    {"attention.flash_backward", "1", "the same with FlashAttention", "dV, dP, dQ, dK, and S once more", 5},
};

struct Formula {
  const char *name, *unit, *meaning, *text;
};
constexpr Formula formulas[] = {
    {"a100.bf16", "FLOP/s", "dense bf16 peak of an A100", "a100_80.bf16"},
    {"a100.ridge", "FLOP/B", "intensity at which an A100 is limited by both, as the second essay takes it",
     "a100.bf16 / a100.bandwidth"},
    {"one.fitting", "sequences", "sequences of the example's context that fit beside the weights",
     "floor((h100.memory - llama3.params * bf16.bytes) / (llama3.kv.token_bytes * one.context))"},
    {"two.T", "tokens", "tokens of a batch", "two.B * two.S"},
    {"gpt2.square_flops", "FLOP", "products of attention in all layers without a mask", "gpt2.pair_flops * two.S^2"},
    {"gpt2.matrix_params", "parameters", "elements of the layers' matrices",
     "gpt2.layers * (gpt2.layer.params - gpt2.layer.vector_params)"},
    {"llama2.token_flops", "FLOP", "products of the whole model for a token on a full context",
     "llama2.matmul_flops + llama2.head.flops + llama2.pair_flops * two.S"},
    {"llama2.read_bytes", "B", "matrices that a step reads", "llama2.layers.read_bytes + llama2.head.read_bytes"},
    {"llama2.cache_bytes", "B", "keys and values of a full sequence", "llama2.kv.token_bytes * two.S"},
};

// PREFIX.bandwidth, PREFIX.memory, a peak for each arithmetic (PREFIX.bf16), and where the roof bends.
void add_hardware(Sheet& sheet, const std::string& prefix, const Hardware& h) {
  auto figure = [&](std::string_view name, const char* unit, const std::string& meaning, const SourcedValue& v) {
    sheet.input({fmt::format("{}.{}", prefix, name), unit, meaning + " of " + h.title,
                 fmt::format("hardware file {}: {}", h.name, v.source)},
                v.value);
  };
  for (const auto& [arithmetic, peak] : h.peaks) {
    std::string name(name_of(arithmetic));
    figure(name, "FLOP/s", "dense " + name + " peak", peak);
  }
  figure("bandwidth", "B/s", "memory bandwidth", h.bandwidth);
  figure("memory", "B", "memory", h.capacity);
  sheet.formula({prefix + ".ridge", "FLOP/B", "intensity at which bandwidth and bf16 peak limit alike, of " + h.title},
                fmt::format("{0}.bf16 / {0}.bandwidth", prefix));
}

// Of a draft of `depth` tokens accepted with probability a, each at cost c of a step, where verifying costs no more than one
// step; and the depth at which that is most.
Number speedup(Number a, Number c, int depth) {
  return expected_tokens(static_cast<double>(a), depth) / (static_cast<Number>(depth) * c + 1);
}
int best_depth(Number a, Number c) {
  int depth = 1;
  while (depth < 64 && speedup(a, c, depth + 1) > speedup(a, c, depth)) ++depth;  // rises to one peak
  return depth;
}

void add_numbers(Sheet& sheet, const std::string& name, const Figure& f, const Figure::Part& p) {
  sheet.formula({name, p.claimed.unit, f.claim}, p.value.text());
  sheet.input({name + ".claimed", p.claimed.unit, f.claim, "the essay"}, p.claimed.least);
  sheet.input({name + ".rounding", p.claimed.unit, "half of the last digit of " + name + ".claimed", "the essay"},
              p.claimed.place / 2);
}

}  // namespace

Sheet figure_sheet(const std::vector<FigureDocument>& documents) {
  Sheet sheet;
  for (auto [prefix, name] :
       {std::pair{"llama3", "llama-3-8b"}, {"llama70", "llama-3-70b"}, {"llama2", "llama-2-7b"}, {"gpt2", "gpt2"}})
    add_model(sheet, prefix, name, from_catalogue(name).config, DType::bf16);
  for (auto [prefix, name] : {std::pair{"h100", "h100-sxm"}, {"a100_40", "a100-40-sxm"}, {"a100_80", "a100-80-sxm"}})
    add_hardware(sheet, prefix, hardware_named(name));
  for (const auto& inputs :
       {std::span<const Input>(types), std::span<const Input>(scenarios), std::span<const Input>(published)})
    for (const auto& i : inputs) sheet.input({i.name, i.unit, i.meaning, i.provenance}, i.value);
  for (const auto& f : formulas) sheet.formula({f.name, f.unit, f.meaning}, f.text);

  sheet.function({"speculation.depth", "tokens", "draft tokens that gain most"}, {"acceptance", "cost"},
                 [](auto x) { return static_cast<Number>(best_depth(x[0], x[1])); });
  sheet.function({"speculation.speedup", "1", "speedup at that depth"}, {"acceptance", "cost"},
                 [](auto x) { return speedup(x[0], x[1], best_depth(x[0], x[1])); });

  for (const auto& d : documents)
    for (const auto& f : d.figures) {
      for (size_t i = 0; i < f.parts.size(); ++i)
        add_numbers(sheet, f.parts.size() == 1 ? f.id : fmt::format("{}.{}", f.id, i + 1), f, f.parts[i]);
      if (f.added) sheet.formula({f.id, ClaimedNumber::parse("1 " + f.added_unit).unit, f.claim}, f.added->text());
    }
  return sheet;
}

}  // namespace ridgeline
