// Readers that cost a program: as formulas over a batch's symbols, exact for every batch at once, and as numbers for
// one batch.
#pragma once
#include <span>

#include "program/program.h"

namespace ridgeline {

// What a step of a program costs, summed over its ops.
struct Totals {
  int64_t params = 0;               // elements of all weights
  Count matmul_flops;               // matrix products of the layers
  Count head_flops;                 // matrix products outside them: the logits
  Count attention_flops;            // products over visible (query, key) pairs
  Count elementwise_flops;          // everything else
  Count layer_matmul_weight_bytes;  // matrices that the layers' products read
  Count head_weight_bytes;          // matrices that the others read
  Count kv_read_bytes, kv_write_bytes;
  Count activation_bytes;  // written and read
  Traffic traffic;         // all bytes, by role

  Count flops() const { return matmul_flops + head_flops + attention_flops + elementwise_flops; }
  Count bytes() const { return traffic.total(); }
};
Totals totals(const Program&);

// The nine counts, in the order they are reported.
struct TotalRow {
  std::string_view key;    // in JSON
  std::string_view label;  // in text
  Count Totals::* count;
};
std::span<const TotalRow> total_rows();

// The batch that a program really computes: without a KV cache, every token of every sequence again.
BatchShape computed_batch(const Program&, const BatchShape&);

// The cost of one op for one batch, in FLOPs and bytes by role.
struct OpCost {
  int64_t matmul = 0, attention = 0, elementwise = 0;
  std::array<int64_t, role_count> read{}, written{};
  int64_t flops() const { return matmul + attention + elementwise; }
  int64_t bytes(Role r) const { return read[static_cast<size_t>(r)] + written[static_cast<size_t>(r)]; }
  int64_t bytes() const;
  double intensity() const;  // FLOP per byte; 0 where nothing is moved
  bool operator==(const OpCost&) const = default;
  OpCost& operator+=(const OpCost&);
};

struct StepCost {
  BatchShape batch;         // the one that is computed
  std::vector<OpCost> ops;  // by node
  OpCost sum;
};
StepCost step_cost(const Program&, const BatchShape&);

}  // namespace ridgeline
