#include <cmath>

#include "models/family.h"
#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/rope.h"
#include "ops/select_rows.h"
#include "ops/soft_cap.h"

namespace ridgeline {
namespace {

struct Gemma2Config {
  int layers, dim, heads = 1, kv_heads, ffn;
  int64_t vocab = 256000, context = 8192;
  int head_dim = 256;
  int window = 4096, pattern = 2;  // every pattern-th layer sees all keys, the others the last `window`
  float rope_base = 10000;
  std::vector<float> rope_factors = {};
  float query_scale = 256;               // scores are divided by its root
  float score_cap = 50, logit_cap = 30;  // soft; 0: none
  float eps = 1e-6f;
  bool tied = true;
};

// Gemma Team 2024: norms before and after each branch, a window in every other layer, scores and logits with a soft cap.
Program gemma2(std::string name, DType matrices, const Gemma2Config& c) {
  Builder b(std::move(name), matrices);
  Expr tokens = b.tokens(), positions = b.positions(), sequences = b.sequences();
  Expr turns = rotations(positions, {c.head_dim, c.rope_base, c.rope_factors});

  Expr embed = b.weight("embed", {c.vocab, c.dim});
  Expr x = std::sqrt(static_cast<float>(c.dim)) * embedding(tokens, embed);  // [tokens, dim]
  for (auto layer : b.layers(c.layers)) {
    bool all = (layer.number + 1) % c.pattern == 0;
    Expr h = rms_norm(x, layer("attn_norm"), c.eps);
    Expr q = rope(linear(h, layer("q"), c.heads * c.head_dim), turns);     // [tokens, heads * head_dim]
    Expr k = rope(linear(h, layer("k"), c.kv_heads * c.head_dim), turns);  // [tokens, kv_heads * head_dim]
    Expr v = linear(h, layer("v"), c.kv_heads * c.head_dim);
    float scale = 1 / std::sqrt(c.query_scale);
    Expr a = attention(q, k, v, sequences, c.head_dim, all ? 0 : c.window, scale, c.score_cap);
    x = x + rms_norm(linear(a, layer("attn_out"), c.dim), layer("attn_out_norm"), c.eps);

    h = rms_norm(x, layer("ffn_norm"), c.eps);
    Expr gate = linear(h, layer("gate"), c.ffn);  // [tokens, ffn]
    Expr up = linear(h, layer("up"), c.ffn);
    x = x + rms_norm(linear(gelu_mul(gate, up), layer("down"), c.dim), layer("down_norm"), c.eps);
  }
  x = rms_norm(x, b.weight("norm"), c.eps);
  Expr logits = c.tied ? linear(x, embed) : linear(x, b.weight("head"), c.vocab);  // [tokens, vocab]
  return b.finish("logits", soft_cap(logits, c.logit_cap));
}

void fields(Gemma2Config& c, Fields& f) {
  f.layers(c.layers);
  f.dimension(c.dim);
  f.heads(c.heads, c.kv_heads, c.head_dim, c.dim);
  f.feed_forward(c.ffn);
  f.vocabulary(c.vocab);
  f.context(c.context);
  f.window(c.window);
  f.window_pattern(c.pattern, c.layers);
  f.rotary(c.rope_base, c.rope_factors, c.head_dim);
  f.epsilon(c.eps);
  f.tied(c.tied);
  // GGUF leaves it to the reader to know that the model of 46 layers, and it alone, scales by dim / heads.
  if (f.reads() && f.format() == FileFormat::gguf)
    c.query_scale = static_cast<float>(c.layers == 46 ? c.dim / c.heads : c.head_dim);
  f.find_real(c.query_scale, {"", "query_pre_attn_scalar"}, 1, limits::dimension);
  f.soft_cap(c.score_cap, {"attn_logit_softcapping", "attn_logit_softcapping"});
  f.soft_cap(c.logit_cap, {"final_logit_softcapping", "final_logit_softcapping"});
  f.expect({"", "hidden_activation"}, "gelu_pytorch_tanh");
  f.expect_off({"", "attention_bias"});
  f.expect_off({"", "use_bidirectional_attention"});
}

}  // namespace

const Family& gemma2_family() {
  static const Family family(FamilyPage<Gemma2Config>{
      .architecture = "gemma2",
      .model_types = {"gemma2"},
      .program = gemma2,
      .fields = fields,
      .gguf = {{"embed", "token_embd.weight"},
               {"layers.*.attn_norm", "blk.*.attn_norm.weight"},
               {"layers.*.q", "blk.*.attn_q.weight"},
               {"layers.*.k", "blk.*.attn_k.weight"},
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
      // clang-format off
      // Norm weights are stored less 1.
      .hf = {{"embed", "model.embed_tokens.weight"},
             {.weight = "layers.*.attn_norm", .tensor = "model.layers.*.input_layernorm.weight", .plus_one = true},
             {"layers.*.q", "model.layers.*.self_attn.q_proj.weight"},
             {"layers.*.k", "model.layers.*.self_attn.k_proj.weight"},
             {"layers.*.v", "model.layers.*.self_attn.v_proj.weight"},
             {"layers.*.attn_out", "model.layers.*.self_attn.o_proj.weight"},
             {.weight = "layers.*.attn_out_norm", .tensor = "model.layers.*.post_attention_layernorm.weight", .plus_one = true},
             {.weight = "layers.*.ffn_norm", .tensor = "model.layers.*.pre_feedforward_layernorm.weight", .plus_one = true},
             {"layers.*.gate", "model.layers.*.mlp.gate_proj.weight"},
             {"layers.*.up", "model.layers.*.mlp.up_proj.weight"},
             {"layers.*.down", "model.layers.*.mlp.down_proj.weight"},
             {.weight = "layers.*.down_norm", .tensor = "model.layers.*.post_feedforward_layernorm.weight", .plus_one = true},
             {.weight = "norm", .tensor = "model.norm.weight", .plus_one = true},
             {"head", "lm_head.weight"}},
      .shapes = {
          {"gemma-2-2b", {.layers = 26, .dim = 2304, .heads = 8, .kv_heads = 4, .ffn = 9216}},
          {"gemma-2-9b", {.layers = 42, .dim = 3584, .heads = 16, .kv_heads = 8, .ffn = 14336}},
          {"gemma-2-27b", {.layers = 46, .dim = 4608, .heads = 32, .kv_heads = 16, .ffn = 36864, .head_dim = 128, .query_scale = 144}},
      },
      // clang-format on
  });
  return family;
}

}  // namespace ridgeline
