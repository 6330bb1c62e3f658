// The time of a step on a machine: of each op the greater of what its arithmetic and what its bytes take (Williams et al.
// 2009), and over all ops the sum. Ideal: the machine's figures as they stand; calibrated: times its efficiency, and with the
// times that overlap with nothing.
#pragma once
#include "cost/hardware.h"
#include "cost/totals.h"
#include "passes/passes.h"

namespace ridgeline {

// How a program runs on a machine.
struct RooflineOptions {
  // What matrix products are computed in; none: as the program's types say where the machine is a CPU, which runs programs as
  // they stand, and in bf16 on a GPU, whose kernels widen quantized weights first.
  std::optional<Arithmetic> math = {};
  // Bits of a weight in the matrices of the layers, scales included; none: as the program's types have them. For asking
  // what a type would bring that no program here has; the embedding and the head stay as they are.
  std::optional<double> layer_weight_bits = {};
  // Bits of an element of the KV cache; none: as the program's type has them. For fp8 caches.
  std::optional<double> kv_bits = {};
  // Collectives a step makes, and the bytes each device sends in all of them, per token.
  int collectives = 0;
  double link_bytes_per_token = 0;
};

enum class Limit : uint8_t { memory, compute };
std::string_view name_of(Limit);

struct OpTime {
  OpCost cost;                               // bytes as the machine stores them
  Arithmetic arithmetic = Arithmetic::fp32;  // of its multiply-adds
  double compute = 0, memory = 0;            // seconds, ideal
  double vector = 0;                         // of compute: what is no product
  double ideal = 0, calibrated = 0;
  Limit limit() const { return compute > memory ? Limit::compute : Limit::memory; }
};

struct StepTime {
  BatchShape batch;         // the one that is computed
  std::vector<OpTime> ops;  // by node
  OpCost sum;
  double ideal = 0, calibrated = 0;            // seconds, all of it
  double compute = 0, memory = 0;              // ideal seconds of the ops limited so
  double link_ideal = 0, link_calibrated = 0;  // seconds of collectives
  double overhead = 0;  // calibrated seconds that are no op's roof: of the step, its layers, its ops
  Limit limit() const { return compute > memory ? Limit::compute : Limit::memory; }
  StepCost cost() const;
};

class Roofline {
 public:
  Roofline(Program, Hardware, RooflineOptions = {});

  StepTime at(const BatchShape&) const;
  // Seconds of a step with another efficiency of the same machine.
  double calibrated(const StepTime&, const Efficiency&) const;
  const Program& program() const { return program_; }
  const Hardware& hardware() const { return hardware_; }
  const RooflineOptions& options() const { return options_; }

 private:
  // Ops that cost the same, as those of all layers do.
  struct Kind {
    Count matmul, attention, elementwise;
    Traffic traffic;
    Arithmetic arithmetic;
    double weight_scale;  // of the bytes of weights
    bool operator==(const Kind& o) const {
      return matmul == o.matmul && attention == o.attention && elementwise == o.elementwise &&
             arithmetic == o.arithmetic && traffic.read == o.traffic.read && traffic.written == o.traffic.written;
    }
  };
  Kind kind_of(const Node&) const;
  double link_seconds(const StepTime&, const Efficiency&) const;

  Program program_;
  Hardware hardware_;
  RooflineOptions options_;
  std::vector<Kind> kinds_;
  std::vector<size_t> kind_of_node_;
  int layers_ = 0;
  double kv_scale_ = 1;  // of the bytes of the KV cache
};

// The passes that make a model's program as a machine runs it: a GPU's kernels widen quantized weights to the type of the
// activations, so nothing quantizes those there.
PipelineOptions passes_on(const Hardware&, PipelineOptions);

// The arithmetic of an op's multiply-adds on a machine.
Arithmetic arithmetic_of(const Program&, const Node&, const Hardware&, const RooflineOptions&);

}  // namespace ridgeline
