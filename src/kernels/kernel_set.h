// A kernel set is an object that lists what it computes natively: cells of (op, types). The executor asks the sets from the
// fastest the processor supports to the simplest; where none has a cell, the op's reference evaluation runs, and says so.
// All sets give the same bits (docs/numerics.md).
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/team.h"
#include "program/program.h"

namespace ridgeline {

using KernelMemory = Memory<float>;
// Runs one op on all workers of a team together. Operands and results are visible to all of them on entry; on return the caller
// puts a barrier. A kernel may use worker.barrier(), claim(), scratch() and shared() inside.
using Kernel = void (*)(const Op&, const KernelMemory&, Worker&);

struct Cell {
  std::string_view op;
  Signature signature;
  Kernel run;
  // Bytes of worker.shared() the kernel needs for these operands; none: 0.
  size_t (*shared_bytes)(const Op&, const KernelMemory&) = nullptr;
};

// The cells of one file of a set. Functions, so that a set is a constant: nothing compiled for an instruction set runs before
// the processor is known to have it.
using CellTable = std::span<const Cell> (*)();

struct KernelSet {
  std::string_view name;   // "avx512"
  std::string_view needs;  // in words: "AVX-512 F, BW, VL, DQ, VNNI and BF16"
  bool (*supported)();     // by this processor and this operating system
  std::string (
      *self_test)();  // what of the processor's behaviour differs from what the kernels rely on; empty: nothing
  std::span<const CellTable> tables;
  std::vector<Cell> cells() const;                         // of a supported set
  const Cell* find(std::string_view op, Signature) const;  // none: nullptr
};

extern const KernelSet avx2_kernels, avx512_kernels;
// Every set but the reference, the fastest first, whether supported here or not.
std::span<const KernelSet* const> kernel_sets();
// Whether each set runs here and, where it does not, why: "the processor lacks ..." or what its self-test found. Self-tests run
// once, at the first call, and take microseconds.
struct KernelSetStatus {
  const KernelSet* set;
  std::string fault;  // empty: it runs
};
const std::vector<KernelSetStatus>& kernel_set_status();
// Sets that run here: supported, and their self-test passed. `best`: the name of the set to begin
// with, "reference" for none; empty: the fastest. Throws Error (usage) for an unknown name, (unavailable) for one that does not
// run here.
std::vector<const KernelSet*> usable_kernel_sets(std::string_view best = "");

}  // namespace ridgeline
