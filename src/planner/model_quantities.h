// A model's quantities in a sheet: what its config says, and what its own programs count.
#pragma once
#include "models/family.h"
#include "planner/sheet.h"

namespace ridgeline {

// Adds, each name after `prefix` and a point ("llama3.layers"):
//
// of the config     layers, d, heads, kv_heads, head_dim, ffn, vocab, context; tied (1 where the head is the input table)
// of its weights    params, layer.params (of the first layer), layer.vector_params (those of its norms and biases),
//                   layer.NAME.params of each matrix, table.params (of a vocab x d matrix), tables (how many there are)
// of a token        matmul_flops (products of all layers), layer.matmul_flops, layer.NAME.flops, head.flops (of a row of logits),
//                   pair_flops (products of all layers for one visible query and key)
// in bytes          weight_bytes (all), layers.read_bytes and head.read_bytes (the matrices that a step reads), kv.token_bytes
// of a step         step.matmul_flops(sequences, new, cached), and the same of head_flops, attention_flops, elementwise_flops,
//                   read_bytes (matrices), kv_read_bytes and activation_bytes: with the KV cache and all fusions
//                   uncached.matmul_flops(...) and so on: of the program without a cache, which computes cached tokens again
//
// `model`: as provenance calls it. Matrices are of type `type`, the cache is bf16. The programs are built when first asked for.
void add_model(Sheet&, const std::string& prefix, const std::string& model, const ModelConfig&, DType type);

}  // namespace ridgeline
