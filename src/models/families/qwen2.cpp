#include "models/family.h"
#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/rope.h"
#include "ops/select_rows.h"

namespace ridgeline {
namespace {

struct Qwen2Config {
  int layers, dim, heads = 1, kv_heads, ffn;
  int64_t vocab, context;
  int head_dim = dim / heads;
  float rope_base = 10000;
  std::vector<float> rope_factors = {};
  float eps = 1e-6f;
  bool tied = false;
};

// Qwen Team 2024 (Qwen2, and Qwen2.5 in the same shape): Llama with biases on q, k and v.
Program qwen2(std::string name, DType matrices, const Qwen2Config& c) {
  Builder b(std::move(name), matrices);
  Expr tokens = b.tokens(), positions = b.positions(), sequences = b.sequences();
  Expr turns = rotations(positions, {c.head_dim, c.rope_base, c.rope_factors});

  Expr embed = b.weight("embed", {c.vocab, c.dim});
  Expr x = embedding(tokens, embed);  // [tokens, dim]
  for (auto layer : b.layers(c.layers)) {
    Expr h = rms_norm(x, layer("attn_norm"), c.eps);
    Expr q = linear(h, layer("q"), layer("q_bias"), c.heads * c.head_dim);     // [tokens, heads * head_dim]
    Expr k = linear(h, layer("k"), layer("k_bias"), c.kv_heads * c.head_dim);  // [tokens, kv_heads * head_dim]
    Expr v = linear(h, layer("v"), layer("v_bias"), c.kv_heads * c.head_dim);
    q = rope(q, turns);
    k = rope(k, turns);
    Expr a = attention(q, k, v, sequences, c.head_dim);  // [tokens, heads * head_dim]
    x = x + linear(a, layer("attn_out"), c.dim);

    h = rms_norm(x, layer("ffn_norm"), c.eps);
    Expr gate = linear(h, layer("gate"), c.ffn);  // [tokens, ffn]
    Expr up = linear(h, layer("up"), c.ffn);
    x = x + linear(silu_mul(gate, up), layer("down"), c.dim);
  }
  x = rms_norm(x, b.weight("norm"), c.eps);
  return b.finish("logits", c.tied ? linear(x, embed) : linear(x, b.weight("head"), c.vocab));  // [tokens, vocab]
}

void fields(Qwen2Config& c, Fields& f) {
  f.layers(c.layers);
  f.refuse_experts();
  f.dimension(c.dim);
  f.heads(c.heads, c.kv_heads, c.head_dim, c.dim);
  f.feed_forward(c.ffn);
  f.vocabulary(c.vocab);
  f.context(c.context);
  f.rotary(c.rope_base, c.rope_factors, c.head_dim);
  f.epsilon(c.eps);
  f.tied(c.tied);
  f.expect({"", "hidden_act"}, "silu");
  f.expect_off({"", "use_sliding_window"});  // the size of the window is given all the same
  for (auto of_no_use : {"sliding_window", "max_window_layers", "layer_types"}) f.ignore({"", of_no_use});
}

}  // namespace

const Family& qwen2_family() {
  static const Family family(FamilyPage<Qwen2Config>{
      .architecture = "qwen2",
      .model_types = {"qwen2"},
      .program = qwen2,
      .fields = fields,
      .gguf = {{"embed", "token_embd.weight"},
               {"layers.*.attn_norm", "blk.*.attn_norm.weight"},
               {"layers.*.q", "blk.*.attn_q.weight"},
               {"layers.*.q_bias", "blk.*.attn_q.bias"},
               {"layers.*.k", "blk.*.attn_k.weight"},
               {"layers.*.k_bias", "blk.*.attn_k.bias"},
               {"layers.*.v", "blk.*.attn_v.weight"},
               {"layers.*.v_bias", "blk.*.attn_v.bias"},
               {"layers.*.attn_out", "blk.*.attn_output.weight"},
               {"layers.*.ffn_norm", "blk.*.ffn_norm.weight"},
               {"layers.*.gate", "blk.*.ffn_gate.weight"},
               {"layers.*.up", "blk.*.ffn_up.weight"},
               {"layers.*.down", "blk.*.ffn_down.weight"},
               {"norm", "output_norm.weight"},
               {"head", "output.weight"}},
      .hf = {{"embed", "model.embed_tokens.weight"},
             {"layers.*.attn_norm", "model.layers.*.input_layernorm.weight"},
             {"layers.*.q", "model.layers.*.self_attn.q_proj.weight"},
             {"layers.*.q_bias", "model.layers.*.self_attn.q_proj.bias"},
             {"layers.*.k", "model.layers.*.self_attn.k_proj.weight"},
             {"layers.*.k_bias", "model.layers.*.self_attn.k_proj.bias"},
             {"layers.*.v", "model.layers.*.self_attn.v_proj.weight"},
             {"layers.*.v_bias", "model.layers.*.self_attn.v_proj.bias"},
             {"layers.*.attn_out", "model.layers.*.self_attn.o_proj.weight"},
             {"layers.*.ffn_norm", "model.layers.*.post_attention_layernorm.weight"},
             {"layers.*.gate", "model.layers.*.mlp.gate_proj.weight"},
             {"layers.*.up", "model.layers.*.mlp.up_proj.weight"},
             {"layers.*.down", "model.layers.*.mlp.down_proj.weight"},
             {"norm", "model.norm.weight"},
             {"head", "lm_head.weight"}},
      // clang-format off
      .shapes = {
          {"qwen2-0.5b", {.layers = 24, .dim = 896, .heads = 14, .kv_heads = 2, .ffn = 4864, .vocab = 151936, .context = 131072, .rope_base = 1e6f, .tied = true}},
          {"qwen2-1.5b", {.layers = 28, .dim = 1536, .heads = 12, .kv_heads = 2, .ffn = 8960, .vocab = 151936, .context = 131072, .rope_base = 1e6f, .tied = true}},
          {"qwen2-7b", {.layers = 28, .dim = 3584, .heads = 28, .kv_heads = 4, .ffn = 18944, .vocab = 152064, .context = 131072, .rope_base = 1e6f}},
          {"qwen2-72b", {.layers = 80, .dim = 8192, .heads = 64, .kv_heads = 8, .ffn = 29568, .vocab = 152064, .context = 131072, .rope_base = 1e6f, .eps = 1e-5f}},
          {"qwen2.5-0.5b", {.layers = 24, .dim = 896, .heads = 14, .kv_heads = 2, .ffn = 4864, .vocab = 151936, .context = 32768, .rope_base = 1e6f, .tied = true}},
          {"qwen2.5-1.5b", {.layers = 28, .dim = 1536, .heads = 12, .kv_heads = 2, .ffn = 8960, .vocab = 151936, .context = 131072, .rope_base = 1e6f, .tied = true}},
          {"qwen2.5-3b", {.layers = 36, .dim = 2048, .heads = 16, .kv_heads = 2, .ffn = 11008, .vocab = 151936, .context = 32768, .rope_base = 1e6f, .tied = true}},
          {"qwen2.5-7b", {.layers = 28, .dim = 3584, .heads = 28, .kv_heads = 4, .ffn = 18944, .vocab = 152064, .context = 131072, .rope_base = 1e6f}},
          {"qwen2.5-14b", {.layers = 48, .dim = 5120, .heads = 40, .kv_heads = 8, .ffn = 13824, .vocab = 152064, .context = 131072, .rope_base = 1e6f, .eps = 1e-5f}},
          {"qwen2.5-32b", {.layers = 64, .dim = 5120, .heads = 40, .kv_heads = 8, .ffn = 27648, .vocab = 152064, .context = 131072, .rope_base = 1e6f, .eps = 1e-5f}},
          {"qwen2.5-72b", {.layers = 80, .dim = 8192, .heads = 64, .kv_heads = 8, .ffn = 29568, .vocab = 152064, .context = 131072, .rope_base = 1e6f, .eps = 1e-5f}},
      },
      // clang-format on
  });
  return family;
}

}  // namespace ridgeline
