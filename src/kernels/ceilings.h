// What this processor does at best, measured in bursts of a few tens of milliseconds: bytes read from memory, and
// multiply-adds between registers. Both swing with what else the machine does, by the second: a fraction of a limit
// means something only beside a limit measured in the same moment.
#pragma once
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>

#include "base/team.h"
#include "tensor/dtype.h"

namespace ridgeline {

// Bytes/s of plain reads through `memory`, again and again, by all workers: each reads its part as so many interleaved
// streams (1, 2, 4 or 8), by itself eight, since one stream per core reaches two thirds of what memory gives. Throws Error
// (internal) for less than 4 KiB.
inline constexpr int stream_counts[] = {1, 2, 4, 8};
double read_burst(Team& team, std::span<const std::byte> memory, double seconds, int streams = 8);

// The multiply-adds that matrix products are made of.
enum class ComputeKind : uint8_t { int8_dot, bf16_dot, fma };
// What linears with weights of a type are made of (docs/numerics.md): grouped int8_dot, bf16 bf16_dot, f16 and f32 fma.
ComputeKind compute_kind_of(DType weights);

// Operations/s (a multiply-add is two) of all workers together, of the fastest vector instruction for `kind` that
// this processor has, with nothing but registers as operands.
double compute_burst(Team& team, ComputeKind kind, double seconds);
// That instruction: "vpdpbusd zmm". Chosen at the first call, by trial: processors differ in which is the fastest.
std::string_view compute_instruction(ComputeKind kind);

// --- What each instruction set brings ------------------------------------------------------------------------------

struct Peak {
  ComputeKind kind;
  std::string_view instruction;
  double operations;  // of one call, which takes microseconds
  void (*run)();
};
struct Ceilings {
  bool (*supported)();
  // For each of stream_counts: reads `bytes`, a multiple of 256, of each of so many streams, the first at `at`, each `stride`
  // after the one before.
  void (*read[std::size(stream_counts)])(const std::byte* at, size_t stride, size_t bytes);
  std::span<const Peak> peaks;
};
extern const Ceilings avx2_ceilings, avx512_ceilings;

}  // namespace ridgeline
