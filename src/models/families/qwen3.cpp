#include "models/family.h"
#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/rope.h"
#include "ops/select_rows.h"

namespace ridgeline {
namespace {

struct Qwen3Config {
  int layers, dim, heads = 1, kv_heads, ffn;
  int64_t vocab, context;
  int head_dim = 128;  // config.json leaves it out then
  float rope_base = 10000;
  std::vector<float> rope_factors = {};
  float eps = 1e-6f;
  bool tied = false;
};

// Yang et al. 2025: Llama with a norm over each head of q and k. Heads are as wide as they like.
Program qwen3(std::string name, DType matrices, const Qwen3Config& c) {
  Builder b(std::move(name), matrices);
  Expr tokens = b.tokens(), positions = b.positions(), sequences = b.sequences();
  Expr turns = rotations(positions, {c.head_dim, c.rope_base, c.rope_factors});

  Expr embed = b.weight("embed", {c.vocab, c.dim});
  Expr x = embedding(tokens, embed);  // [tokens, dim]
  for (auto layer : b.layers(c.layers)) {
    Expr h = rms_norm(x, layer("attn_norm"), c.eps);
    Expr q = linear(h, layer("q"), c.heads * c.head_dim);     // [tokens, heads * head_dim]
    Expr k = linear(h, layer("k"), c.kv_heads * c.head_dim);  // [tokens, kv_heads * head_dim]
    Expr v = linear(h, layer("v"), c.kv_heads * c.head_dim);
    q = rope(head_norm(q, layer("q_norm"), c.head_dim, c.eps), turns);
    k = rope(head_norm(k, layer("k_norm"), c.head_dim, c.eps), turns);
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

void fields(Qwen3Config& c, Fields& f) {
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
  f.expect_off({"", "attention_bias"});
  f.expect_off({"", "use_sliding_window"});  // the size of the window is given all the same
  for (auto of_no_use : {"sliding_window", "max_window_layers", "layer_types"}) f.ignore({"", of_no_use});
}

}  // namespace

const Family& qwen3_family() {
  static const Family family(FamilyPage<Qwen3Config>{
      .architecture = "qwen3",
      .model_types = {"qwen3"},
      .program = qwen3,
      .fields = fields,
      .gguf = {{"embed", "token_embd.weight"},
               {"layers.*.attn_norm", "blk.*.attn_norm.weight"},
               {"layers.*.q", "blk.*.attn_q.weight"},
               {"layers.*.q_norm", "blk.*.attn_q_norm.weight"},
               {"layers.*.k", "blk.*.attn_k.weight"},
               {"layers.*.k_norm", "blk.*.attn_k_norm.weight"},
               {"layers.*.v", "blk.*.attn_v.weight"},
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
             {"layers.*.q_norm", "model.layers.*.self_attn.q_norm.weight"},
             {"layers.*.k", "model.layers.*.self_attn.k_proj.weight"},
             {"layers.*.k_norm", "model.layers.*.self_attn.k_norm.weight"},
             {"layers.*.v", "model.layers.*.self_attn.v_proj.weight"},
             {"layers.*.attn_out", "model.layers.*.self_attn.o_proj.weight"},
             {"layers.*.ffn_norm", "model.layers.*.post_attention_layernorm.weight"},
             {"layers.*.gate", "model.layers.*.mlp.gate_proj.weight"},
             {"layers.*.up", "model.layers.*.mlp.up_proj.weight"},
             {"layers.*.down", "model.layers.*.mlp.down_proj.weight"},
             {"norm", "model.norm.weight"},
             {"head", "lm_head.weight"}},
      // clang-format off
      .shapes = {
          {"qwen3-0.6b", {.layers = 28, .dim = 1024, .heads = 16, .kv_heads = 8, .ffn = 3072, .vocab = 151936, .context = 40960, .rope_base = 1e6f, .tied = true}},
          {"qwen3-1.7b", {.layers = 28, .dim = 2048, .heads = 16, .kv_heads = 8, .ffn = 6144, .vocab = 151936, .context = 40960, .rope_base = 1e6f, .tied = true}},
          {"qwen3-4b", {.layers = 36, .dim = 2560, .heads = 32, .kv_heads = 8, .ffn = 9728, .vocab = 151936, .context = 40960, .rope_base = 1e6f, .tied = true}},
          {"qwen3-8b", {.layers = 36, .dim = 4096, .heads = 32, .kv_heads = 8, .ffn = 12288, .vocab = 151936, .context = 40960, .rope_base = 1e6f}},
          {"qwen3-14b", {.layers = 40, .dim = 5120, .heads = 40, .kv_heads = 8, .ffn = 17408, .vocab = 151936, .context = 40960, .rope_base = 1e6f}},
          {"qwen3-32b", {.layers = 64, .dim = 5120, .heads = 64, .kv_heads = 8, .ffn = 25600, .vocab = 151936, .context = 40960, .rope_base = 1e6f}},
      },
      // clang-format on
  });
  return family;
}

}  // namespace ridgeline
