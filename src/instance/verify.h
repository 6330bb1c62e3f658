// One answer, many ways: the logits of one sequence are computed by every kernel set, with several numbers of
// threads, in pieces of several sizes, in the company of other sequences, with and without a KV cache, fused and not,
// its blocks scattered; and every bit is compared.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernels/kernel_set.h"

namespace ridgeline {

// The sequence: a prompt of token ids that depend on nothing but the vocabulary's size, then the most probable token,
// again and again. It goes past position 512, where attention begins its second segment, if the model's context does.
inline constexpr int64_t verify_prompt_tokens = 488, verify_generated_tokens = 32;

// A way to compute it. Without a cache all of it is one step; else the prompt comes in chunks and the rest token by
// token.
struct Way {
  std::string kernels;  // the set asked first
  int threads = 1;
  int64_t chunk = 0;  // tokens of the prompt in one step at most; 1: the last 96 of the prompt token by token
  int sequences = 1;  // in the batch; the others have other tokens and lengths, and come and go
  bool cache = true, fused = true;
  int64_t rows = 0;          // computed: the first so many tokens
  std::string text() const;  // "avx2, 4 threads, in chunks of 7, in a batch of 5, cache on, not fused"
};

// Where a way differs from the first one.
struct Difference {
  Way way;
  int64_t row, logit, rows_that_differ;
  float expected, found;
  std::string text() const;
};

struct WayResult {
  Way way;
  bool same;
};
// What one kernel set gave.
struct SetResult {
  std::string kernels;
  std::vector<WayResult> ways;
  int same() const;
};

struct VerifyOptions {
  std::vector<int> threads = {1, 2, 4};
  bool quick = false;  // five ways of each set instead of twenty
  // Lists of kernel sets, as Executor takes them; each is called after its first, one without any "reference". Empty:
  // every set that runs here, the fastest first, then the reference, which is so slow that it computes the first
  // tokens only.
  std::vector<std::vector<const KernelSet*>> sets;
};

struct VerifyReport {
  std::string model;
  int64_t prompt = 0, generated = 0, vocabulary = 0;
  std::string logits_sha256;  // of the fp32 bits of all rows, little endian, of the first way
  std::string committed;      // what is known for this very file (known_answers.h); empty: nothing
  std::vector<SetResult> sets;
  std::optional<Difference> first;  // the first difference
  double seconds = 0;
  bool one_answer() const { return !first && (committed.empty() || committed == logits_sha256); }
};

// Opens a model (formats/open.h) and computes all ways. on_way: told before each, with how many there are.
// Throws what opening a model throws.
VerifyReport verify_model(const std::string& path, const VerifyOptions& options,
                          const std::function<void(const Way&, int done, int all)>& on_way = {});

}  // namespace ridgeline
