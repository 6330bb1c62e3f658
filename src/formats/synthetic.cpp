#include "formats/synthetic.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "base/checked.h"
#include "base/error.h"
#include "base/philox.h"
#include "formats/gguf_fields.h"
#include "formats/synthetic_vocabulary.h"
#include "tensor/blocks.h"

namespace ridgeline {
namespace {

// llama.cpp's name for the type most of a file's matrices have: general.file_type.
uint32_t file_type(DType t) {
  switch (t) {
    case DType::f32: return 0;
    case DType::f16: return 1;
    case DType::q4_0: return 2;
    case DType::q4_1: return 3;
    case DType::q8_0: return 7;
    case DType::q5_0: return 8;
    case DType::q5_1: return 9;
    case DType::q2_K: return 10;
    case DType::q3_K: return 11;  // from here on, the mixes that are almost of one type: Q3_K_S
    case DType::q4_K: return 14;
    case DType::q5_K: return 16;
    case DType::q6_K: return 18;
    case DType::bf16: return 32;
    default: break;
  }
  fail(ExitCode::usage, "synth_shape", "weights of a file cannot be of the type {}", name_of(t));
}

// A tensor of the file: its elements are `offset` plus a uniform number within `amplitude`, or, where there are any,
// `values`.
struct Random {
  std::string name;
  DType type;
  std::vector<int64_t> shape;
  float offset = 0, amplitude = 0;
  std::vector<float> values = {};
  int64_t columns() const { return shape.back(); }
  int64_t rows() const { return shape.size() == 1 ? 1 : shape.front(); }
};

Random random_tensor(const BoundTensor& bound, const Program::Entry& weight, int64_t rows, int layers) {
  int64_t columns = weight.type.cols();
  if (weight.type.is_matrix()) {
    double deviation = 1 / std::sqrt(static_cast<double>(columns));
    if (weight.name.ends_with(".attn_out") || weight.name.ends_with(".down")) deviation /= std::sqrt(2.0 * layers);
    double amplitude = deviation * std::sqrt(3.0);  // uniform numbers within a deviate by a / sqrt(3)
    return {bound.tensor, weight.type.dtype, {rows, columns}, 0, static_cast<float>(amplitude)};
  }
  if (weight.name.ends_with("bias")) return {bound.tensor, weight.type.dtype, {rows}, 0, 0.02f};
  return {bound.tensor, weight.type.dtype, {rows}, 1};
}

std::vector<Random> tensors_of(const SyntheticModel& m, const std::vector<float>& rope_freqs) {
  std::vector<Random> tensors;
  if (!rope_freqs.empty())
    tensors.push_back({"rope_freqs.weight", DType::f32, {static_cast<int64_t>(rope_freqs.size())}, 0, 0, rope_freqs});
  Program program = build(m.name, m.matrices, m.config);
  std::set<std::string> seen;  // q, k and v may share a tensor
  for (const auto& v : program.values) {
    if (v.origin != Program::Origin::weight) continue;
    auto bound = bind_tensor(gguf_bindings(m.config), v.name);
    require(bound.has_value(), "no tensor is bound to weight {}", v.name);
    if (!seen.insert(bound->tensor).second) continue;
    auto rows = rows_in_tensor(gguf_bindings(m.config), program, v.name, head_rows(m.config));
    tensors.push_back(random_tensor(*bound, v, rows.of, layers_of(m.config)));
    const Random& r = tensors.back();
    if (r.columns() % row_of(r.type).block)
      fail(ExitCode::usage, "synth_shape",
           "{} has rows of {} elements, which are not whole blocks of {} ({}); choose {}", r.name, r.columns(),
           name_of(r.type), row_of(r.type).block,
           r.columns() % block_elements ? "f32, f16 or bf16" : "one of blocks of 32, as q8_0, q5_0 or q4_0");
  }
  return tensors;
}

// A file before it is written.
struct Plan {
  GgufHeader header;
  std::vector<Random> tensors;
};
Plan plan_of(const SyntheticModel& m) {
  Plan plan;
  GgufHeader& header = plan.header;
  header.set("general.architecture", gguf_architecture(m.config));
  header.set("general.type", "model");
  header.set("general.name", m.name);
  header.set("general.file_type", file_type(m.matrices));
  header.set("general.quantization_version", uint32_t{2});
  GgufWriteFields fields(header, gguf_architecture(m.config));
  m.config.family().write(m.config, fields);
  set_synthetic_vocabulary(header, vocabulary_of(m.config));
  plan.tensors = tensors_of(m, fields.rope_freqs());
  for (const auto& t : plan.tensors) header.declare(t.name, ggml_type_of(t.type), t.shape);
  return plan;
}

uint64_t file_bytes(const GgufHeader& header) {
  uint64_t sum = header.bytes().size();
  for (uint64_t bytes : header.tensor_bytes())
    sum += *checked_align(bytes, header.alignment());  // a program's: it fits
  return sum;
}

void check_target(const std::string& path, uint64_t need) {
  if (std::filesystem::is_directory(path))
    fail(ExitCode::io, "cannot_write", "cannot write {}: it is a directory", path);
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  auto space = std::filesystem::space(folder.empty() ? "." : folder, error);
  if (error || space.available >= need) return;  // a folder that is not there is the writer's to report
  fail(ExitCode::unavailable, "disk_full", "{} would take {} MiB; the disk has {} MiB left", path, need >> 20,
       space.available >> 20);
}

// Row `row` of tensor number `tensor`: eight numbers of 16 bits from each block of the generator.
void random_row(uint64_t seed, uint32_t tensor, int64_t row, const Random& r, std::span<float> to) {
  if (!r.values.empty()) return static_cast<void>(std::copy(r.values.begin(), r.values.end(), to.begin()));
  const float step = r.amplitude / 32768;
  for (size_t i = 0; i < to.size(); i += 8) {
    auto words = philox(seed, {static_cast<uint32_t>(i), static_cast<uint32_t>(row), tensor, 0});
    for (size_t j = 0; j < std::min<size_t>(8, to.size() - i); ++j) {
      auto bits = static_cast<int16_t>(words[j / 2] >> (j % 2 * 16));
      to[i + j] = r.offset + step * static_cast<float>(bits);
    }
  }
}

}  // namespace

uint64_t synthetic_bytes(const SyntheticModel& model) { return file_bytes(plan_of(model).header); }

void write_synthetic(const std::string& path, const SyntheticModel& m, Team& team) {
  auto [header, tensors] = plan_of(m);
  check_target(path, file_bytes(header));
  GgufWriter writer(path, header);
  std::vector<std::byte> buffer;
  for (uint32_t t = 0; t < tensors.size(); ++t) {
    const Random& r = tensors[t];
    int64_t row_bytes = bytes_of(r.type, r.columns());
    int64_t together = std::max<int64_t>(1, (8 << 20) / row_bytes);  // rows made, then written: a few MiB at a time
    for (int64_t first = 0; first < r.rows(); first += together) {
      int64_t rows = std::min(together, r.rows() - first);
      buffer.resize(static_cast<size_t>(rows * row_bytes));
      team.run([&](Worker& worker) {
        std::vector<float> values(static_cast<size_t>(r.columns()));
        worker.claim(rows, 16, [&](int64_t begin, int64_t end) {
          for (int64_t row = begin; row < end; ++row) {
            random_row(m.seed, t, first + row, r, values);
            quantize_row(r.type, values.data(), r.columns(), buffer.data() + row * row_bytes);
          }
        });
      });
      writer.write(buffer);
    }
  }
  writer.finish();
}

}  // namespace ridgeline
