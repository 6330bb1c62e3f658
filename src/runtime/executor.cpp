#include "runtime/executor.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/error.h"
#include "ops/select_rows.h"
#include "runtime/op_timer.h"

namespace ridgeline {
namespace {

BatchShape shape_of(std::span<const StepSequence> sequences) {
  BatchShape batch;
  for (const auto& s : sequences)
    batch.sequences.push_back({static_cast<int64_t>(s.tokens.size()), s.cached, s.logit_rows});
  return batch;
}

}  // namespace

Executor::Executor(Program program, const Weights& weights, KvMemory* kv, Team& team,
                   std::vector<const KernelSet*> sets)
    : program_(std::move(program)),
      team_(team),
      values_(program_.values.size()),
      selected_(program_.facts.contains("selected")) {
  require(!program_.is_cached() || kv, "program {} has a KV cache and no memory for it", program_.name);
  std::set<Symbol> symbols;
  for (size_t i = 0; i < values_.size(); ++i) {
    const auto& v = program_.values[i];
    Value id{static_cast<int>(i)};
    if (v.origin == Program::Origin::weight) values_[i] = weights.tensor(id);
    if (v.origin == Program::Origin::state) values_[i] = kv->tensor(id);
    if (v.origin == Program::Origin::computed && v.type.role != Role::kv) v.type.elements().add_symbols(symbols);
  }
  symbols_.assign(symbols.begin(), symbols.end());
  for (const auto& n : program_.nodes) {
    Values consumed = n.op.consumed();
    for (size_t i = 0; i < consumed.size(); ++i)  // the next version of a state lies in the same memory
      values_[static_cast<size_t>(n.results[i].id)] = values_[static_cast<size_t>(consumed[i].id)];
    // Learned positions end where their table does.
    if (auto* chosen = n.op.as<SelectRows>(); chosen && program_.entry(chosen->index).name == "positions")
      position_limit_ = program_.type(chosen->table).rows().constant();
    Call call{&n, nullptr, nullptr};
    for (const KernelSet* set : sets)
      if ((call.cell = set->find(n.op.name(), program_.signature(n)))) {
        call.set = set;
        break;
      }
    calls_.push_back(call);
  }
  look_ahead();
  vocab_ = program_.type(program_.output("logits")).cols();
}

void Executor::look_ahead() {
  // Beyond this a step is bound by the weights alone, and the op reads on faster than a waiting worker fetches.
  constexpr int64_t most = 256 << 10;
  std::vector<std::span<const std::byte>> next;
  for (auto c = calls_.rbegin(); c != calls_.rend(); ++c) {
    c->ahead = next;
    std::vector<std::span<const std::byte>> mine;
    for (Value v : c->node->op.operands())
      if (const Tensor& t = values_[static_cast<size_t>(v.id)];
          t.layout == Layout::panels && c->node->op.name() != SelectRows::name)
        mine.emplace_back(t.data, static_cast<size_t>(std::min(most, packed_bytes(t.dtype, t.rows, t.cols))));
    if (!mine.empty()) next = std::move(mine);
  }
}

std::vector<Executor::Served> Executor::served() const {
  std::map<std::pair<std::string, std::string>, Served> by_kind;
  for (const auto& c : calls_) {
    std::string op(c.node->op.name()), types = program_.signature(*c.node).text();
    auto at =
        by_kind.try_emplace({op, types}, Served{op, types, c.set ? std::string(c.set->name) : "reference", 0}).first;
    ++at->second.count;
  }
  std::vector<Served> list;
  for (auto& [key, s] : by_kind) list.push_back(std::move(s));
  return list;
}

void Executor::time_ops(OpTimer* timer) {
  require(!timer || (timer->ops() == calls_.size() && std::ssize(timer->tracks()) == team_.size()),
          "the timer is of another program, or another team");
  timer_ = timer;
}

void Executor::check(std::span<const StepSequence> sequences) const {
  require(!sequences.empty(), "a step needs at least one sequence");
  for (const auto& s : sequences) {
    auto fresh = static_cast<int64_t>(s.tokens.size());
    require(fresh > 0 && s.logit_rows >= 0 && s.logit_rows <= fresh,
            "a sequence has {} new tokens and wants {} rows of logits", fresh, s.logit_rows);
    if (program_.is_cached())
      require(static_cast<int64_t>(s.blocks.size()) * page_tokens >= s.cached + fresh,
              "{} blocks do not hold {} tokens", s.blocks.size(), s.cached + fresh);
    else
      require(s.cached == 0, "program {} has no KV cache: a sequence must begin at position 0", program_.name);
    if (s.cached + fresh > position_limit_)
      fail(ExitCode::usage, "context_exceeded", "{} tokens exceed the {} positions this model has", s.cached + fresh,
           position_limit_);
    for (int32_t t : s.tokens)
      if (t < 0 || t >= vocab_)
        fail(ExitCode::usage, "bad_token", "token {} is outside the vocabulary of {}", t, vocab_);
  }
}

void Executor::gather_inputs(std::span<const StepSequence> sequences) {
  for (auto& [name, values] : inputs_) values.clear();
  auto &tokens = inputs_["tokens"], &positions = inputs_["positions"], &spans = inputs_["sequences"],
       &slots = inputs_["slots"], &rows = inputs_["logit_rows"];
  for (const auto& s : sequences) {
    auto fresh = static_cast<int32_t>(s.tokens.size()), cached = static_cast<int32_t>(s.cached);
    auto first = static_cast<int32_t>(tokens.size());
    tokens.insert(tokens.end(), s.tokens.begin(), s.tokens.end());
    for (int32_t i = 0; i < fresh; ++i) positions.push_back(cached + i);
    spans.insert(spans.end(), {fresh, cached});
    if (program_.is_cached())
      for (int32_t p = 0; p < cached + fresh; ++p)
        slots.push_back(s.blocks[static_cast<size_t>(p / page_tokens)] * page_tokens + p % page_tokens);
    for (auto r = static_cast<int32_t>(fresh - s.logit_rows); r < fresh; ++r) rows.push_back(first + r);
  }
  for (size_t i = 0; i < values_.size(); ++i) {
    const auto& v = program_.values[i];
    if (v.origin != Program::Origin::input) continue;
    auto& data = inputs_.at(v.name);
    int64_t cols = v.type.shape.size() == 2 ? v.type.cols() : 1;
    values_[i] = {DType::i32, Layout::rows, static_cast<int64_t>(data.size()) / cols, cols,
                  reinterpret_cast<std::byte*>(data.data())};
  }
}

// Sizes and places of computed values; nothing to do while the batch has the size it had.
void Executor::place_values(const BatchShape& batch) {
  std::vector<int64_t> now;
  for (Symbol s : symbols_) now.push_back(s.at(batch));
  if (now == placed_for_) return;
  MemoryPlan plan = plan_memory(program_, batch);
  if (static_cast<int64_t>(arena_.size()) < plan.peak) arena_ = LargeMemory(static_cast<size_t>(plan.peak));
  for (size_t i = 0; i < values_.size(); ++i) {
    const auto& v = program_.values[i];
    if (v.origin != Program::Origin::computed || v.type.role == Role::kv) continue;
    values_[i] = {v.type.dtype, Layout::rows, v.type.rows().at(batch), v.type.cols(),
                  plan.offset[i] < 0 ? nullptr : arena_.data() + plan.offset[i]};
  }
  placed_for_ = std::move(now);
}

Logits Executor::step(std::span<const StepSequence> sequences) {
  check(sequences);
  gather_inputs(sequences);
  place_values(shape_of(sequences));

  size_t shared = 0;
  for (const auto& c : calls_)
    if (c.cell && c.cell->shared_bytes)
      shared = std::max(shared, c.cell->shared_bytes(c.node->op, KernelMemory(values_, c.node->results)));
  team_.reserve_shared(shared);

  team_.run([&](Worker& w) {
    OpTimer::Track* track = timer_ ? &timer_->track(w.index()) : nullptr;
    if (track) track->begin();
    for (size_t op = 0; op < calls_.size(); ++op) {
      const Call& c = calls_[op];
      KernelMemory memory(values_, c.node->results);
      if (!memory.result_tensor().rows) continue;  // a step may want no logits at all
      if (c.cell)
        c.cell->run(c.node->op, memory, w);
      else if (w.index() == 0)
        c.node->op.evaluate(memory);
      if (track) track->ended(op);
      w.will_need(c.ahead);
      w.barrier();
      if (track) track->passed(op);
    }
  });

  const Tensor& logits = values_[static_cast<size_t>(program_.output("logits").id)];
  if (selected_) return {logits.as<float>(), logits.rows, vocab_};
  picked_.clear();
  for (int32_t r : inputs_["logit_rows"])
    picked_.insert(picked_.end(), logits.row_as<float>(r), logits.row_as<float>(r) + vocab_);
  return {picked_.data(), static_cast<int64_t>(inputs_["logit_rows"].size()), vocab_};
}

}  // namespace ridgeline
