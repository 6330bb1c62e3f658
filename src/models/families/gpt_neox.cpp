#include "models/family.h"
#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/rope.h"
#include "ops/select_rows.h"

namespace ridgeline {
namespace {

struct GptNeoxConfig {
  int layers, dim, heads = 1;
  int64_t vocab, context = 2048;
  int head_dim = dim / heads, ffn = 4 * dim;
  int turned = head_dim / 4;  // elements of a head that turn with the position
  float rope_base = 10000;
  std::vector<float> rope_factors = {};
  float eps = 1e-5f;
  bool parallel = true;  // both branches of a layer read its input
  bool tied = false;
};

// Black et al. 2022, Biderman et al. 2023 (Pythia): LayerNorm, biases, positions that turn a part of each head, and attention
// beside the feed-forward network instead of before it.
Program gpt_neox(std::string name, DType matrices, const GptNeoxConfig& c) {
  Builder b(std::move(name), matrices);
  Expr tokens = b.tokens(), positions = b.positions(), sequences = b.sequences();
  Expr turns = rotations(positions, {c.turned, c.rope_base, c.rope_factors});

  Expr embed = b.weight("embed", {c.vocab, c.dim});
  Expr x = embedding(tokens, embed);  // [tokens, dim]
  for (auto layer : b.layers(c.layers)) {
    Expr h = layer_norm(x, layer("attn_norm"), layer("attn_norm_bias"), c.eps);
    Expr q = linear(h, layer("q"), layer("q_bias"), c.dim);
    Expr k = linear(h, layer("k"), layer("k_bias"), c.dim);
    Expr v = linear(h, layer("v"), layer("v_bias"), c.dim);
    q = rope(q, turns, c.head_dim);
    k = rope(k, turns, c.head_dim);
    Expr a = attention(q, k, v, sequences, c.head_dim);
    Expr y = x + linear(a, layer("attn_out"), layer("attn_out_bias"), c.dim);

    h = layer_norm(c.parallel ? x : y, layer("ffn_norm"), layer("ffn_norm_bias"), c.eps);
    h = gelu_erf(linear(h, layer("up"), layer("up_bias"), c.ffn));  // [tokens, ffn]
    x = y + linear(h, layer("down"), layer("down_bias"), c.dim);
  }
  x = layer_norm(x, b.weight("norm"), b.weight("norm_bias"), c.eps);
  return b.finish("logits", c.tied ? linear(x, embed) : linear(x, b.weight("head"), c.vocab));  // [tokens, vocab]
}

void fields(GptNeoxConfig& c, Fields& f) {
  f.layers(c.layers);
  f.dimension(c.dim);
  int kv_heads = c.heads;
  if (f.reads()) c.head_dim = 0;
  f.heads(c.heads, kv_heads, c.head_dim, c.dim);
  if (kv_heads != c.heads || c.head_dim * c.heads != c.dim)
    f.refuse("gptneox with {} heads of {} elements, {} for keys and values; expected them to share the {} of {}.",
             c.heads, c.head_dim, kv_heads, c.dim, f.name({"embedding_length", "hidden_size"}));
  f.feed_forward(c.ffn);
  f.vocabulary(c.vocab);
  f.context(c.context);
  float turning = 0.25f;
  f.find_real(turning, {"", "rotary_pct"}, 0, 1);
  if (f.reads()) c.turned = static_cast<int>(static_cast<float>(c.head_dim) * turning);
  f.find_real(c.rope_base, {"", "rotary_emb_base"}, 1, 1e12);
  f.partial_rotary(c.rope_base, c.rope_factors, c.turned, c.head_dim);
  f.epsilon(c.eps, {"attention.layer_norm_epsilon", "layer_norm_eps"});
  f.find_switch(c.parallel, {"use_parallel_residual", "use_parallel_residual"});
  f.tied(c.tied);
  f.expect({"", "hidden_act"}, "gelu");
}

}  // namespace

const Family& gpt_neox_family() {
  static const Family family(FamilyPage<GptNeoxConfig>{
      .architecture = "gptneox",
      .model_types = {"gpt_neox"},
      .program = gpt_neox,
      .fields = fields,
      // q, k and v share a tensor: one after the other in GGUF, head by head in the hub's directories.
      .gguf = {{"embed", "token_embd.weight"},
               {"layers.*.attn_norm", "blk.*.attn_norm.weight"},
               {"layers.*.attn_norm_bias", "blk.*.attn_norm.bias"},
               {"layers.*.q", "blk.*.attn_qkv.weight"},
               {"layers.*.q_bias", "blk.*.attn_qkv.bias"},
               {"layers.*.k", "blk.*.attn_qkv.weight"},
               {"layers.*.k_bias", "blk.*.attn_qkv.bias"},
               {"layers.*.v", "blk.*.attn_qkv.weight"},
               {"layers.*.v_bias", "blk.*.attn_qkv.bias"},
               {"layers.*.attn_out", "blk.*.attn_output.weight"},
               {"layers.*.attn_out_bias", "blk.*.attn_output.bias"},
               {"layers.*.ffn_norm", "blk.*.ffn_norm.weight"},
               {"layers.*.ffn_norm_bias", "blk.*.ffn_norm.bias"},
               {"layers.*.up", "blk.*.ffn_up.weight"},
               {"layers.*.up_bias", "blk.*.ffn_up.bias"},
               {"layers.*.down", "blk.*.ffn_down.weight"},
               {"layers.*.down_bias", "blk.*.ffn_down.bias"},
               {"norm", "output_norm.weight"},
               {"norm_bias", "output_norm.bias"},
               {"head", "output.weight"}},
      // clang-format off
      .hf = {{"embed", "gpt_neox.embed_in.weight"},
             {"layers.*.attn_norm", "gpt_neox.layers.*.input_layernorm.weight"},
             {"layers.*.attn_norm_bias", "gpt_neox.layers.*.input_layernorm.bias"},
             {.weight = "layers.*.q", .tensor = "gpt_neox.layers.*.attention.query_key_value.weight", .by_kv_head = true},
             {.weight = "layers.*.q_bias", .tensor = "gpt_neox.layers.*.attention.query_key_value.bias", .by_kv_head = true},
             {.weight = "layers.*.k", .tensor = "gpt_neox.layers.*.attention.query_key_value.weight", .by_kv_head = true},
             {.weight = "layers.*.k_bias", .tensor = "gpt_neox.layers.*.attention.query_key_value.bias", .by_kv_head = true},
             {.weight = "layers.*.v", .tensor = "gpt_neox.layers.*.attention.query_key_value.weight", .by_kv_head = true},
             {.weight = "layers.*.v_bias", .tensor = "gpt_neox.layers.*.attention.query_key_value.bias", .by_kv_head = true},
             {"layers.*.attn_out", "gpt_neox.layers.*.attention.dense.weight"},
             {"layers.*.attn_out_bias", "gpt_neox.layers.*.attention.dense.bias"},
             {"layers.*.ffn_norm", "gpt_neox.layers.*.post_attention_layernorm.weight"},
             {"layers.*.ffn_norm_bias", "gpt_neox.layers.*.post_attention_layernorm.bias"},
             {"layers.*.up", "gpt_neox.layers.*.mlp.dense_h_to_4h.weight"},
             {"layers.*.up_bias", "gpt_neox.layers.*.mlp.dense_h_to_4h.bias"},
             {"layers.*.down", "gpt_neox.layers.*.mlp.dense_4h_to_h.weight"},
             {"layers.*.down_bias", "gpt_neox.layers.*.mlp.dense_4h_to_h.bias"},
             {"norm", "gpt_neox.final_layer_norm.weight"},
             {"norm_bias", "gpt_neox.final_layer_norm.bias"},
             {.weight = "head", .tensor = "embed_out.weight", .or_tensor = "lm_head.weight"}},
      .shapes = {
          {"pythia-70m", {.layers = 6, .dim = 512, .heads = 8, .vocab = 50304}},
          {"pythia-160m", {.layers = 12, .dim = 768, .heads = 12, .vocab = 50304}},
          {"pythia-410m", {.layers = 24, .dim = 1024, .heads = 16, .vocab = 50304}},
          {"pythia-1b", {.layers = 16, .dim = 2048, .heads = 8, .vocab = 50304}},
          {"pythia-1.4b", {.layers = 24, .dim = 2048, .heads = 16, .vocab = 50304}},
          {"pythia-2.8b", {.layers = 32, .dim = 2560, .heads = 32, .vocab = 50304}},
          {"pythia-6.9b", {.layers = 32, .dim = 4096, .heads = 32, .vocab = 50432}},
          {"pythia-12b", {.layers = 36, .dim = 5120, .heads = 40, .vocab = 50688}},
          {"gpt-neox-20b", {.layers = 44, .dim = 6144, .heads = 64, .vocab = 50432}},
      },
      // clang-format on
  });
  return family;
}

}  // namespace ridgeline
