#include "models/gpt2.h"

#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/select_rows.h"

namespace ridgeline {
namespace {

// Radford et al. 2019: learned positions, LayerNorm, GELU, biases.
Program gpt2(std::string name, DType matrices, const Gpt2Config& c) {
  Builder b(std::move(name), matrices);
  Expr tokens = b.tokens(), positions = b.positions(), sequences = b.sequences();
  Expr wte = b.weight("wte", {c.vocab, c.dim}), wpe = b.weight("wpe", {c.context, c.dim});

  Expr x = embedding(tokens, wte);
  Expr at = named("at", select_rows(wpe, positions));
  x = x + at;  // [tokens, dim]
  for (auto layer : b.layers(c.layers)) {
    Expr h = layer_norm(x, layer("attn_norm"), layer("attn_norm_bias"), c.eps);
    Expr q = linear(h, layer("q"), layer("q_bias"), c.dim);
    Expr k = linear(h, layer("k"), layer("k_bias"), c.dim);
    Expr v = linear(h, layer("v"), layer("v_bias"), c.dim);
    Expr a = attention(q, k, v, sequences, c.dim / c.heads);
    x = x + linear(a, layer("attn_out"), layer("attn_out_bias"), c.dim);

    h = layer_norm(x, layer("ffn_norm"), layer("ffn_norm_bias"), c.eps);
    h = gelu(linear(h, layer("up"), layer("up_bias"), c.ffn));  // [tokens, ffn]
    x = x + linear(h, layer("down"), layer("down_bias"), c.dim);
  }
  x = layer_norm(x, b.weight("norm"), b.weight("norm_bias"), c.eps);
  return b.finish("logits", c.tied ? linear(x, wte) : linear(x, b.weight("head"), c.vocab));  // [tokens, vocab]
}

void fields(Gpt2Config& c, Fields& f) {
  f.layers(c.layers, "n_layer");
  f.refuse_experts();
  f.dimension(c.dim, "n_embd");
  int kv_heads = c.heads, head_dim = f.reads() ? 0 : c.dim / c.heads;
  f.heads(c.heads, kv_heads, head_dim, c.dim, "n_head");
  if (kv_heads != c.heads || head_dim * c.heads != c.dim)
    f.refuse("gpt2 with {} heads of {} elements, {} for keys and values; expected them to share the {} of {}.", c.heads,
             head_dim, kv_heads, c.dim, f.name({"embedding_length", "n_embd"}));
  if (f.format() == FileFormat::hf) {
    c.ffn = 4 * c.dim;  // what null says
    f.find_each_whole(c.ffn, {"", "n_inner"}, 1, limits::dimension);
    f.expect({"", "activation_function"}, "gelu_new");
    f.expect_off({"", "scale_attn_by_inverse_layer_idx"});
  } else {
    f.feed_forward(c.ffn);
  }
  f.vocabulary(c.vocab);
  f.context(c.context, "n_positions");
  f.epsilon(c.eps, {"attention.layer_norm_epsilon", "layer_norm_epsilon"});
  f.tied(c.tied);
  f.ignore({"rope.dimension_count", ""});
}

}  // namespace

const Family& gpt2_family() {
  static const Family family(FamilyPage<Gpt2Config>{
      .architecture = "gpt2",
      .model_types = {"gpt2"},
      .program = gpt2,
      .fields = fields,
      // q, k and v share a tensor, one after the other.
      .gguf =
          {
              {"wte", "token_embd.weight"},
              {"wpe", "position_embd.weight"},
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
              {"head", "output.weight"},
          },
      // Matrices lie transposed, [in, out], as the checkpoint's first program multiplied them.
      .hf =
          {
              {"wte", "transformer.wte.weight"},
              {"wpe", "transformer.wpe.weight"},
              {"layers.*.attn_norm", "transformer.h.*.ln_1.weight"},
              {"layers.*.attn_norm_bias", "transformer.h.*.ln_1.bias"},
              {.weight = "layers.*.q", .tensor = "transformer.h.*.attn.c_attn.weight", .transposed = true},
              {"layers.*.q_bias", "transformer.h.*.attn.c_attn.bias"},
              {.weight = "layers.*.k", .tensor = "transformer.h.*.attn.c_attn.weight", .transposed = true},
              {"layers.*.k_bias", "transformer.h.*.attn.c_attn.bias"},
              {.weight = "layers.*.v", .tensor = "transformer.h.*.attn.c_attn.weight", .transposed = true},
              {"layers.*.v_bias", "transformer.h.*.attn.c_attn.bias"},
              {.weight = "layers.*.attn_out", .tensor = "transformer.h.*.attn.c_proj.weight", .transposed = true},
              {"layers.*.attn_out_bias", "transformer.h.*.attn.c_proj.bias"},
              {"layers.*.ffn_norm", "transformer.h.*.ln_2.weight"},
              {"layers.*.ffn_norm_bias", "transformer.h.*.ln_2.bias"},
              {.weight = "layers.*.up", .tensor = "transformer.h.*.mlp.c_fc.weight", .transposed = true},
              {"layers.*.up_bias", "transformer.h.*.mlp.c_fc.bias"},
              {.weight = "layers.*.down", .tensor = "transformer.h.*.mlp.c_proj.weight", .transposed = true},
              {"layers.*.down_bias", "transformer.h.*.mlp.c_proj.bias"},
              {"norm", "transformer.ln_f.weight"},
              {"norm_bias", "transformer.ln_f.bias"},
              {"head", "lm_head.weight"},
          },
      .shapes =
          {
              {"gpt2", Gpt2Config{.layers = 12, .dim = 768, .heads = 12, .vocab = 50257, .context = 1024}},
              {"gpt2-medium", Gpt2Config{.layers = 24, .dim = 1024, .heads = 16, .vocab = 50257, .context = 1024}},
              {"gpt2-large", Gpt2Config{.layers = 36, .dim = 1280, .heads = 20, .vocab = 50257, .context = 1024}},
              {"gpt2-xl", Gpt2Config{.layers = 48, .dim = 1600, .heads = 25, .vocab = 50257, .context = 1024}},
          },
  });
  return family;
}
const Family& Gpt2Config::family() { return gpt2_family(); }

}  // namespace ridgeline
