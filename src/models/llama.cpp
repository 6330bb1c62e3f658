#include "models/llama.h"

#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/select_rows.h"

namespace ridgeline {

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

// GGUF pairs rotary elements (2i, 2i + 1): its q and k rows are interleaved within each head.
const std::vector<TensorBinding>& llama_gguf() {
  static const std::vector<TensorBinding> table = {
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
  };
  return table;
}

}  // namespace ridgeline
