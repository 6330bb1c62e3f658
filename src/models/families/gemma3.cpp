#include <cmath>

#include "models/family.h"
#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/rope.h"
#include "ops/select_rows.h"

namespace ridgeline {
namespace {

struct Gemma3Config {
  int layers, dim, heads = 1, kv_heads, ffn;
  int64_t vocab, context;
  int head_dim = 256;
  int window = 512, pattern = 6;  // every pattern-th layer sees all keys, the others the last `window`
  float rope_base = 1000000;      // of the layers that see all
  std::vector<float> rope_factors = {};
  float window_rope_base = 10000;
  float query_scale = 256;  // scores are divided by its root
  float eps = 1e-6f;
  bool tied = true;
};

// Gemma Team 2025: norms before and after each branch and over the heads of q and k; five layers of six with a window.
Program gemma3(std::string name, DType matrices, const Gemma3Config& c) {
  Builder b(std::move(name), matrices);
  Expr tokens = b.tokens(), positions = b.positions(), sequences = b.sequences();
  Expr turns_in_window = named("turns_in_window", rotations(positions, {c.head_dim, c.window_rope_base}));
  Expr turns_of_all = rotations(positions, {c.head_dim, c.rope_base, c.rope_factors});

  Expr embed = b.weight("embed", {c.vocab, c.dim});
  Expr x = std::sqrt(static_cast<float>(c.dim)) * embedding(tokens, embed);  // [tokens, dim]
  for (auto layer : b.layers(c.layers)) {
    bool all = (layer.number + 1) % c.pattern == 0;
    Expr turns = all ? turns_of_all : turns_in_window;
    Expr h = rms_norm(x, layer("attn_norm"), c.eps);
    Expr q = linear(h, layer("q"), c.heads * c.head_dim);     // [tokens, heads * head_dim]
    Expr k = linear(h, layer("k"), c.kv_heads * c.head_dim);  // [tokens, kv_heads * head_dim]
    Expr v = linear(h, layer("v"), c.kv_heads * c.head_dim);
    q = rope(head_norm(q, layer("q_norm"), c.head_dim, c.eps), turns);
    k = rope(head_norm(k, layer("k_norm"), c.head_dim, c.eps), turns);
    Expr a = attention(q, k, v, sequences, c.head_dim, all ? 0 : c.window, 1 / std::sqrt(c.query_scale));
    x = x + rms_norm(linear(a, layer("attn_out"), c.dim), layer("attn_out_norm"), c.eps);

    h = rms_norm(x, layer("ffn_norm"), c.eps);
    Expr gate = linear(h, layer("gate"), c.ffn);  // [tokens, ffn]
    Expr up = linear(h, layer("up"), c.ffn);
    x = x + rms_norm(linear(gelu_mul(gate, up), layer("down"), c.dim), layer("down_norm"), c.eps);
  }
  x = rms_norm(x, b.weight("norm"), c.eps);
  return b.finish("logits", c.tied ? linear(x, embed) : linear(x, b.weight("head"), c.vocab));  // [tokens, vocab]
}

void fields(Gemma3Config& c, Fields& f) {
  f.layers(c.layers);
  f.dimension(c.dim);
  f.heads(c.heads, c.kv_heads, c.head_dim, c.dim);
  f.feed_forward(c.ffn);
  f.vocabulary(c.vocab);
  f.context(c.context);
  f.window(c.window);
  f.window_pattern(c.pattern, c.layers);
  f.rotary(c.rope_base, c.rope_factors, c.head_dim, LayerKind::global);
  std::vector<float> stretched;
  f.rotary(c.window_rope_base, stretched, c.head_dim, LayerKind::sliding);
  if (!stretched.empty())
    f.refuse("the rotary positions of layers with a window are stretched; expected those of the others.");
  f.epsilon(c.eps);
  f.tied(c.tied);
  // GGUF leaves it to the reader to know that the model of 62 layers, and it alone, scales by dim / heads.
  if (f.reads() && f.format() == FileFormat::gguf)
    c.query_scale = static_cast<float>(c.layers == 62 ? c.dim / c.heads : c.head_dim);
  f.find_real(c.query_scale, {"", "query_pre_attn_scalar"}, 1, limits::dimension);
  f.expect({"", "hidden_activation"}, "gelu_pytorch_tanh");
  f.expect_off({"", "attention_bias"});
  f.expect_off({"", "use_bidirectional_attention"});
  f.expect_none({"attn_logit_softcapping", "attn_logit_softcapping"});
  f.expect_none({"final_logit_softcapping", "final_logit_softcapping"});
}

}  // namespace

const Family& gemma3_family() {
  static const Family family(FamilyPage<Gemma3Config>{
      .architecture = "gemma3",
      .model_types = {"gemma3_text"},
      .program = gemma3,
      .fields = fields,
      .gguf = {{"embed", "token_embd.weight"},
               {"layers.*.attn_norm", "blk.*.attn_norm.weight"},
               {"layers.*.q", "blk.*.attn_q.weight"},
               {"layers.*.q_norm", "blk.*.attn_q_norm.weight"},
               {"layers.*.k", "blk.*.attn_k.weight"},
               {"layers.*.k_norm", "blk.*.attn_k_norm.weight"},
               {"layers.*.v", "blk.*.attn_v.weight"},
               {"layers.*.attn_out", "blk.*.attn_output.weight"},
               {"layers.*.attn_out_norm", "blk.*.post_attention_norm.weight"},
               {"layers.*.ffn_norm", "blk.*.ffn_norm.weight"},
               {"layers.*.gate", "blk.*.ffn_gate.weight"},
               {"layers.*.up", "blk.*.ffn_up.weight"},
               {"layers.*.down", "blk.*.ffn_down.weight"},
               {"layers.*.down_norm", "blk.*.post_ffw_norm.weight"},
               {"norm", "output_norm.weight"},
               {"head", "output.weight"}},
      // Norm weights are stored less 1.
      .hf = {{"embed", "model.embed_tokens.weight"},
             {.weight = "layers.*.attn_norm", .tensor = "model.layers.*.input_layernorm.weight", .plus_one = true},
             {"layers.*.q", "model.layers.*.self_attn.q_proj.weight"},
             {.weight = "layers.*.q_norm", .tensor = "model.layers.*.self_attn.q_norm.weight", .plus_one = true},
             {"layers.*.k", "model.layers.*.self_attn.k_proj.weight"},
             {.weight = "layers.*.k_norm", .tensor = "model.layers.*.self_attn.k_norm.weight", .plus_one = true},
             {"layers.*.v", "model.layers.*.self_attn.v_proj.weight"},
             {"layers.*.attn_out", "model.layers.*.self_attn.o_proj.weight"},
             {.weight = "layers.*.attn_out_norm",
              .tensor = "model.layers.*.post_attention_layernorm.weight",
              .plus_one = true},
             {.weight = "layers.*.ffn_norm",
              .tensor = "model.layers.*.pre_feedforward_layernorm.weight",
              .plus_one = true},
             {"layers.*.gate", "model.layers.*.mlp.gate_proj.weight"},
             {"layers.*.up", "model.layers.*.mlp.up_proj.weight"},
             {"layers.*.down", "model.layers.*.mlp.down_proj.weight"},
             {.weight = "layers.*.down_norm",
              .tensor = "model.layers.*.post_feedforward_layernorm.weight",
              .plus_one = true},
             {.weight = "norm", .tensor = "model.norm.weight", .plus_one = true},
             {"head", "lm_head.weight"}},
      // clang-format off
      .shapes = {
          {"gemma-3-270m", {.layers = 18, .dim = 640, .heads = 4, .kv_heads = 1, .ffn = 2048, .vocab = 262144, .context = 32768}},
          {"gemma-3-1b", {.layers = 26, .dim = 1152, .heads = 4, .kv_heads = 1, .ffn = 6912, .vocab = 262144, .context = 32768}},
          // The text part of models that see images too: rotary positions stretched from 32,768 tokens.
          {"gemma-3-4b", {.layers = 34, .dim = 2560, .heads = 8, .kv_heads = 4, .ffn = 10240, .vocab = 262208, .context = 131072, .window = 1024, .rope_factors = std::vector<float>(128, 8)}},
          {"gemma-3-12b", {.layers = 48, .dim = 3840, .heads = 16, .kv_heads = 8, .ffn = 15360, .vocab = 262208, .context = 131072, .window = 1024, .rope_factors = std::vector<float>(128, 8)}},
          {"gemma-3-27b", {.layers = 62, .dim = 5376, .heads = 32, .kv_heads = 16, .ffn = 21504, .vocab = 262208, .context = 131072, .head_dim = 128, .window = 1024, .rope_factors = std::vector<float>(64, 8), .query_scale = 168}},
      },
      // clang-format on
  });
  return family;
}

}  // namespace ridgeline
