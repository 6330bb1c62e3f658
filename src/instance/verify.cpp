#include "instance/verify.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/philox.h"
#include "base/sha256.h"
#include "formats/open.h"
#include "instance/instance.h"
#include "instance/known_answers.h"
#include "instance/verify_ways.h"
#include "sampling/sampler.h"

namespace ridgeline {
namespace {

int32_t token_at(uint64_t stream, int64_t position, int64_t vocabulary) {
  return static_cast<int32_t>(philox_uniform(stream, static_cast<uint64_t>(position)) *
                              static_cast<double>(vocabulary));
}

// Rows of logits of the first way, and what the others are held against.
class Answer {
 public:
  Answer(int64_t rows, int64_t vocabulary) : vocabulary_(vocabulary) {
    values_.reserve(static_cast<size_t>(rows * vocabulary));
  }
  void add(std::span<const float> row) { values_.insert(values_.end(), row.begin(), row.end()); }
  std::span<const float> row(int64_t r) const {
    return std::span(values_).subspan(static_cast<size_t>(r * vocabulary_), static_cast<size_t>(vocabulary_));
  }
  std::string sha256() const {
    Sha256 hash;
    hash.add(std::as_bytes(std::span(values_)));
    return hash.hex();
  }

 private:
  int64_t vocabulary_;
  std::vector<float> values_;
};

// Another sequence in the batch: a prompt at first, then one token a step; when it is at its end it begins anew,
// elsewhere.
struct Neighbour {
  int number;
  int64_t vocabulary;
  int64_t begun = 0, at = 0;
  std::vector<int32_t> tokens = {};  // of this step

  static constexpr int64_t longest = 2 * block_tokens;
  int64_t length() const { return 3 + (number * 17 + begun * 7) % (longest - 3); }
  void advance(int64_t most) {
    at += static_cast<int64_t>(tokens.size());
    if (at >= length()) at = 0, ++begun;
    int64_t n = std::min(at ? 1 : 1 + (number * 11 + begun) % length(), most);
    tokens.clear();
    for (int64_t i = 0; i < n; ++i)
      tokens.push_back(token_at(static_cast<uint64_t>(1000 + number + 100 * begun), at + i, vocabulary));
  }
  int64_t logit_rows() const { return number % 3 == 2 ? static_cast<int64_t>(tokens.size()) : number % 3; }
};

// The model made runnable with or without a cache, fused or not. Weights are loaded once for all ways that share a
// program.
class Variant {
 public:
  Variant(const Checkpoint& files, const ModelDescription& model, bool cache, bool fused, Team& team)
      : vocabulary_(vocabulary_of(model.config)) {
    InstanceOptions o;
    if (!cache) o.disabled.insert("insert_kv_cache");
    if (!fused) o.disabled.insert("fuse");
    program_ = apply(build(model.name, DType::bf16, model.config), pipeline_options(files, model.config, o));
    weights_ = Weights::load(program_, files, model.config, team);
    if (cache) kv_.emplace(program_, head_dim_of(model.config), blocks);
  }
  const Program& program() const { return program_; }

  // Calls take(r, row) for the logits of each token of `tokens`, in order; take may append tokens, up to w.rows.
  template <class Take>
  void run(const Way& w, int64_t prompt, Team& team, const std::vector<const KernelSet*>& sets,
           std::vector<int32_t>& tokens, Take take) {
    Executor executor(program_, *weights_, kv_ ? &*kv_ : nullptr, team, sets);
    std::vector<Neighbour> others;
    for (int i = 1; i < w.sequences; ++i) others.push_back({i, vocabulary_});
    size_t place = static_cast<size_t>(w.chunk) % static_cast<size_t>(w.sequences);  // of the sequence in the batch
    auto tables = scattered_blocks(w);
    for (int64_t at = 0; at < w.rows;) {
      int64_t n = piece(w, prompt, at);
      for (auto& other : others) other.advance(w.cache ? n + 8 : Neighbour::longest);
      std::vector<StepSequence> batch;
      int64_t first = 0;  // row of logits
      for (const auto& o : others) {
        if (batch.size() == place) break;
        first += o.logit_rows();
        batch.push_back({o.tokens, o.at, tables[static_cast<size_t>(o.number)], o.logit_rows()});
      }
      batch.push_back({std::span(tokens).subspan(static_cast<size_t>(at), static_cast<size_t>(n)), at, tables[0], n});
      for (size_t i = place; i < others.size(); ++i)
        batch.push_back(
            {others[i].tokens, others[i].at, tables[static_cast<size_t>(others[i].number)], others[i].logit_rows()});
      Logits logits = executor.step(batch);
      for (int64_t r = 0; r < n; ++r) take(at + r, logits.row(first + r));
      at += n;
    }
  }

 private:
  static constexpr int64_t most_sequences = 16;
  static constexpr int64_t sequence_blocks =
      (verify_prompt_tokens + verify_generated_tokens + block_tokens - 1) / block_tokens;
  static constexpr int64_t blocks =
      sequence_blocks + (most_sequences - 1) * Neighbour::longest / block_tokens;  // 47, a prime

  // How many tokens the step that begins at `at` computes.
  static int64_t piece(const Way& w, int64_t prompt, int64_t at) {
    if (!w.cache) return w.rows;
    if (at >= prompt) return 1;
    int64_t end = std::min(prompt, w.rows);
    if (w.chunk > 1) return std::min(w.chunk, end - at);
    return at == 0 && end > 97 ? end - 96 : 1;
  }

  // Blocks of each sequence, strewn over the memory in another way each time, and cleared.
  std::vector<std::vector<int32_t>> scattered_blocks(const Way& w) {
    std::vector<std::vector<int32_t>> tables(most_sequences);
    if (!kv_) return tables;
    int64_t stride = 2 + (w.chunk + 3 * w.threads + 5 * w.sequences + w.fused) % (blocks - 3), next = w.chunk;
    for (size_t s = 0; s < tables.size(); ++s)
      for (int64_t b = 0; b < (s ? Neighbour::longest / block_tokens : sequence_blocks); ++b)
        tables[s].push_back(static_cast<int32_t>((next += stride) % blocks));
    for (int64_t b = 0; b < blocks; ++b) kv_->clear(static_cast<int32_t>(b));
    return tables;
  }

  int64_t vocabulary_;
  Program program_;
  std::optional<Weights> weights_;
  std::optional<KvMemory> kv_;
};

std::string sha256_of(std::span<const std::byte> file) {
  Sha256 hash;
  hash.add(file);
  return hash.hex();
}

// The file is read only where its size is that of a known one.
std::string_view committed_for(const Checkpoint& model) {
  auto files = model.files();
  if (files.size() != 1) return {};
  std::string hash;
  for (const auto& known : known_answers()) {
    if (known.bytes != model.file_bytes()) continue;
    if (hash.empty()) hash = sha256_of(files[0]->bytes());
    if (known.sha256 == hash) return known.logits_sha256;
  }
  return {};
}

int64_t operations_per_token(const Program& p) {
  Count sum;
  for (const auto& n : p.nodes) sum += p.cost(n).matmul;
  return sum.at({{{1, 0, 1}}});
}

using SetList = std::vector<std::vector<const KernelSet*>>;
SetList all_usable() {
  SetList lists;
  for (auto sets = usable_kernel_sets(); !sets.empty(); sets.erase(sets.begin())) lists.push_back(sets);
  lists.emplace_back();
  return lists;
}

}  // namespace

std::string Difference::text() const {
  return fmt::format(
      "{}:\n  row {} of the logits, logit {}: expected {:.9g} (0x{:08x}), found {:.9g} (0x{:08x}); {} of {} rows "
      "differ",
      way.text(), row, logit, expected, std::bit_cast<uint32_t>(expected), found, std::bit_cast<uint32_t>(found),
      rows_that_differ, way.rows);
}

int SetResult::same() const {
  return static_cast<int>(std::count_if(ways.begin(), ways.end(), [](const WayResult& w) { return w.same; }));
}

VerifyReport verify_model(const std::string& path, const VerifyOptions& o,
                          const std::function<void(const Way&, int, int)>& on_way) {
  auto start = std::chrono::steady_clock::now();
  require(!o.threads.empty(), "verify needs a number of threads");
  auto files = open_checkpoint(path);
  ModelDescription model = read_model_config(*files);
  Workload work = Workload::within(context_of(model.config));
  VerifyReport report{.model = model.name,
                      .prompt = work.prompt,
                      .generated = work.generated,
                      .vocabulary = vocabulary_of(model.config)};
  report.committed = committed_for(*files);

  Team loaders(available_processors());
  std::map<int, std::unique_ptr<Team>> teams;
  std::map<std::pair<bool, bool>, std::unique_ptr<Variant>> variants;
  auto variant = [&](const Way& w) -> Variant& {
    auto& v = variants[{w.cache, w.fused}];
    if (!v) v = std::make_unique<Variant>(*files, model, w.cache, w.fused, loaders);
    return *v;
  };

  struct Job {
    Way way;
    const std::vector<const KernelSet*>* sets;
    size_t set;  // in the report
  };
  std::vector<Job> jobs;
  SetList lists = o.sets.empty() ? all_usable() : o.sets;
  for (const auto& list : lists) {
    std::string name = list.empty() ? "reference" : std::string(list.front()->name);
    bool helped = !list.empty() || lists.size() == 1;  // a set that is fast, or all there is
    auto ways = helped ? ways_of(name, o, work) : reference_ways(o, work, operations_per_token(variant({}).program()));
    for (auto& w : ways) jobs.push_back({std::move(w), &list, report.sets.size()});
    report.sets.push_back({name, {}});
  }

  Answer answer(work.tokens(), report.vocabulary);
  std::vector<int32_t> tokens;
  for (int64_t i = 0; i < work.prompt; ++i) tokens.push_back(token_at(1, i, report.vocabulary));
  tokens.reserve(static_cast<size_t>(work.tokens()));
  // Ways that share a program follow one another, so that one copy of the weights is in memory at a time.
  std::stable_sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) {
    return std::pair(!a.way.cache, !a.way.fused) < std::pair(!b.way.cache, !b.way.fused);
  });
  int done = 0;
  for (const auto& [way, sets, set] : jobs) {
    if (on_way) on_way(way, done, static_cast<int>(jobs.size()));
    auto key = std::pair(way.cache, way.fused);
    std::erase_if(variants, [&](const auto& v) { return v.first != key; });
    auto& team = teams[way.threads];
    if (!team) team = std::make_unique<Team>(way.threads);
    Difference difference{way, 0, 0, 0, 0, 0};
    variant(way).run(way, work.prompt, *team, *sets, tokens, [&](int64_t r, std::span<const float> row) {
      if (done == 0) {
        answer.add(row);
        if (r + 1 == static_cast<int64_t>(tokens.size()) && r + 1 < work.tokens()) tokens.push_back(greatest(row));
        return;
      }
      auto expected = answer.row(r);
      if (!std::memcmp(row.data(), expected.data(), row.size_bytes()) || difference.rows_that_differ++) return;
      auto bits = [](float a, float b) { return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b); };
      auto at = std::mismatch(row.begin(), row.end(), expected.begin(), bits);
      difference.row = r, difference.logit = at.first - row.begin(), difference.found = *at.first,
      difference.expected = *at.second;
    });
    bool same = difference.rows_that_differ == 0;
    report.sets[set].ways.push_back({way, same});
    if (!same && !report.first) report.first = difference;
    if (++done == 1) report.logits_sha256 = answer.sha256();
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace ridgeline
