#include "models/llama.h"

#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/select_rows.h"

namespace ridgeline {
namespace {

// Touvron et al. 2023: pre-norm, rotary positions, grouped-query attention, SwiGLU.
Program llama(std::string name, DType matrices, const LlamaConfig& c) {
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
    q = rope(q, turns);
    k = rope(k, turns);
    Expr a = attention(q, k, v, sequences, c.head_dim, c.window);  // [tokens, heads * head_dim]
    x = x + linear(a, layer("attn_out"), c.dim);

    h = rms_norm(x, layer("ffn_norm"), c.eps);
    Expr gate = linear(h, layer("gate"), c.ffn);  // [tokens, ffn]
    Expr up = linear(h, layer("up"), c.ffn);
    x = x + linear(silu_mul(gate, up), layer("down"), c.dim);
  }
  x = rms_norm(x, b.weight("norm"), c.eps);
  return b.finish("logits", c.tied ? linear(x, embed) : linear(x, b.weight("head"), c.vocab));  // [tokens, vocab]
}

void fields(LlamaConfig& c, Fields& f) {
  f.layers(c.layers);
  f.refuse_experts();
  f.dimension(c.dim);
  f.heads(c.heads, c.kv_heads, c.head_dim, c.dim);
  f.feed_forward(c.ffn);
  f.vocabulary(c.vocab);
  f.context(c.context);
  f.rotary(c.rope_base, c.rope_factors, c.head_dim);
  f.epsilon(c.eps);
  f.window(c.window);
  f.tied(c.tied);
  if (f.reads()) f.expect({"", "hidden_act"}, "silu");
}

LlamaConfig llama3(LlamaConfig c, float stretch = 8) {  // 3.1 and later: rotary frequencies stretched from 8,192
  c.rope_base = 500000;
  c.context = 131072;
  c.rope_factors = llama3_rope_factors(c.head_dim, c.rope_base, stretch, 1, 4, 8192);
  return c;
}

}  // namespace

const Family& llama_family() {
  static const Family family(FamilyPage<LlamaConfig>{
      .architecture = "llama",
      .model_types = {"llama", "mistral"},
      .program = llama,
      .fields = fields,
      // GGUF pairs rotary elements (2i, 2i + 1): its q and k rows are interleaved within each head.
      .gguf =
          {
              {"embed", "token_embd.weight"},
              {"layers.*.attn_norm", "blk.*.attn_norm.weight"},
              {"layers.*.q", "blk.*.attn_q.weight", true},
              {"layers.*.k", "blk.*.attn_k.weight", true},
              {"layers.*.v", "blk.*.attn_v.weight"},
              {"layers.*.attn_out", "blk.*.attn_output.weight"},
              {"layers.*.ffn_norm", "blk.*.ffn_norm.weight"},
              {"layers.*.gate", "blk.*.ffn_gate.weight"},
              {"layers.*.up", "blk.*.ffn_up.weight"},
              {"layers.*.down", "blk.*.ffn_down.weight"},
              {"norm", "output_norm.weight"},
              {"head", "output.weight"},
          },
      .hf =
          {
              {"embed", "model.embed_tokens.weight"},
              {"layers.*.attn_norm", "model.layers.*.input_layernorm.weight"},
              {"layers.*.q", "model.layers.*.self_attn.q_proj.weight"},
              {"layers.*.k", "model.layers.*.self_attn.k_proj.weight"},
              {"layers.*.v", "model.layers.*.self_attn.v_proj.weight"},
              {"layers.*.attn_out", "model.layers.*.self_attn.o_proj.weight"},
              {"layers.*.ffn_norm", "model.layers.*.post_attention_layernorm.weight"},
              {"layers.*.gate", "model.layers.*.mlp.gate_proj.weight"},
              {"layers.*.up", "model.layers.*.mlp.up_proj.weight"},
              {"layers.*.down", "model.layers.*.mlp.down_proj.weight"},
              {"norm", "model.norm.weight"},
              {"head", "lm_head.weight"},
          },
      .shapes =
          {
              {"llama-2-7b", LlamaConfig{.layers = 32,
                                         .dim = 4096,
                                         .heads = 32,
                                         .kv_heads = 32,
                                         .ffn = 11008,
                                         .vocab = 32000,
                                         .context = 4096}},
              {"llama-2-13b", LlamaConfig{.layers = 40,
                                          .dim = 5120,
                                          .heads = 40,
                                          .kv_heads = 40,
                                          .ffn = 13824,
                                          .vocab = 32000,
                                          .context = 4096}},
              {"llama-2-70b", LlamaConfig{.layers = 80,
                                          .dim = 8192,
                                          .heads = 64,
                                          .kv_heads = 8,
                                          .ffn = 28672,
                                          .vocab = 32000,
                                          .context = 4096}},
              {"llama-3-8b", LlamaConfig{.layers = 32,
                                         .dim = 4096,
                                         .heads = 32,
                                         .kv_heads = 8,
                                         .ffn = 14336,
                                         .vocab = 128256,
                                         .context = 8192,
                                         .rope_base = 500000}},
              {"llama-3-70b", LlamaConfig{.layers = 80,
                                          .dim = 8192,
                                          .heads = 64,
                                          .kv_heads = 8,
                                          .ffn = 28672,
                                          .vocab = 128256,
                                          .context = 8192,
                                          .rope_base = 500000}},
              {"llama-3.1-8b",
               llama3({.layers = 32, .dim = 4096, .heads = 32, .kv_heads = 8, .ffn = 14336, .vocab = 128256})},
              {"llama-3.1-70b",
               llama3({.layers = 80, .dim = 8192, .heads = 64, .kv_heads = 8, .ffn = 28672, .vocab = 128256})},
              {"llama-3.1-405b",
               llama3({.layers = 126, .dim = 16384, .heads = 128, .kv_heads = 8, .ffn = 53248, .vocab = 128256})},
              {"llama-3.2-1b",
               llama3(
                   {.layers = 16, .dim = 2048, .heads = 32, .kv_heads = 8, .ffn = 8192, .vocab = 128256, .tied = true},
                   32)},
              {"llama-3.2-3b",
               llama3(
                   {.layers = 28, .dim = 3072, .heads = 24, .kv_heads = 8, .ffn = 8192, .vocab = 128256, .tied = true},
                   32)},
              {"tinyllama-1.1b", LlamaConfig{.layers = 22,
                                             .dim = 2048,
                                             .heads = 32,
                                             .kv_heads = 4,
                                             .ffn = 5632,
                                             .vocab = 32000,
                                             .context = 2048}},
              {"smollm2-135m", LlamaConfig{.layers = 30,
                                           .dim = 576,
                                           .heads = 9,
                                           .kv_heads = 3,
                                           .ffn = 1536,
                                           .vocab = 49152,
                                           .context = 8192,
                                           .rope_base = 100000,
                                           .tied = true}},
              {"smollm2-360m", LlamaConfig{.layers = 32,
                                           .dim = 960,
                                           .heads = 15,
                                           .kv_heads = 5,
                                           .ffn = 2560,
                                           .vocab = 49152,
                                           .context = 8192,
                                           .rope_base = 100000,
                                           .tied = true}},
              {"smollm2-1.7b", LlamaConfig{.layers = 24,
                                           .dim = 2048,
                                           .heads = 32,
                                           .kv_heads = 32,
                                           .ffn = 8192,
                                           .vocab = 49152,
                                           .context = 8192,
                                           .rope_base = 130000,
                                           .tied = true}},
              {"mistral-7b-v0.1", LlamaConfig{.layers = 32,
                                              .dim = 4096,
                                              .heads = 32,
                                              .kv_heads = 8,
                                              .ffn = 14336,
                                              .vocab = 32000,
                                              .context = 32768,
                                              .window = 4096}},
              {"mistral-7b-v0.3", LlamaConfig{.layers = 32,
                                              .dim = 4096,
                                              .heads = 32,
                                              .kv_heads = 8,
                                              .ffn = 14336,
                                              .vocab = 32768,
                                              .context = 32768,
                                              .rope_base = 1000000}},
          },
  });
  return family;
}
const Family& LlamaConfig::family() { return llama_family(); }

}  // namespace ridgeline
