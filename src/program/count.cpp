#include "program/count.h"

#include <algorithm>

#include "base/error.h"

namespace ridgeline {
namespace {

__extension__ typedef __int128 Wide;  // products of two counts

int64_t narrowed(Wide n) {
  if (n > INT64_MAX || n < INT64_MIN)
    fail(ExitCode::unavailable, "count_overflow", "a count of this batch exceeds 2^63: use a smaller batch or context");
  return static_cast<int64_t>(n);
}

// Pairs of `fresh` queries on `cached` keys, where a query at position p sees keys max(0, p - window + 1) .. p.
Wide visible_pairs(int64_t fresh, int64_t cached, int64_t window) {
  auto triangle = [](Wide n) { return n * (n + 1) / 2; };  // 1 + 2 + ... + n
  if (!window) return triangle(cached + fresh) - triangle(cached);
  auto up_to = [&](int64_t p) { return p <= window ? triangle(p) : triangle(window) + Wide{p - window} * window; };
  return up_to(cached + fresh) - up_to(cached);
}

}  // namespace

int64_t Symbol::at(const BatchShape& batch) const {
  Wide sum = 0;
  for (const auto& s : batch.sequences) switch (kind) {
      case tokens: sum += s.fresh; break;
      case Symbol::cached: sum += s.cached; break;
      case keys: sum += window ? std::min(s.cached, int64_t{window} - 1) + s.fresh : s.cached + s.fresh; break;
      case pairs: sum += visible_pairs(s.fresh, s.cached, window); break;
      case Symbol::sequences: sum += 1; break;
      case logit_rows: sum += s.logit_rows; break;
    }
  return narrowed(sum);
}

std::string Symbol::text() const {
  static constexpr const char* names[] = {"tokens", "cached", "keys", "pairs", "sequences", "logit_rows"};
  return window ? fmt::format("{}<{}>", names[kind], window) : names[kind];
}

Count::Count(int64_t constant) {
  if (constant) terms_[{}] = constant;
}
Count::Count(Symbol s) { terms_[{s}] = 1; }

Count& Count::operator+=(const Count& o) {
  for (const auto& [symbols, coefficient] : o.terms_) {
    auto at = terms_.try_emplace(symbols, 0).first;
    at->second = narrowed(Wide{at->second} + coefficient);
    if (!at->second) terms_.erase(at);
  }
  return *this;
}

Count operator*(const Count& a, const Count& b) {
  Count product;
  for (const auto& [p, m] : a.terms_)
    for (const auto& [q, n] : b.terms_) {
      Count term;
      std::vector<Symbol> symbols;
      std::merge(p.begin(), p.end(), q.begin(), q.end(), std::back_inserter(symbols));
      term.terms_[std::move(symbols)] = narrowed(Wide{m} * n);
      product += term;
    }
  return product;
}

Count Count::scaled(int64_t a, int64_t b) const {
  Count out = *this;
  for (auto& [symbols, n] : out.terms_) {
    Wide product = Wide{n} * a;
    if (product % b) fail(ExitCode::internal, "internal", "{} times {}/{} is not whole", text(), a, b);
    n = narrowed(product / b);
  }
  return out;
}

int64_t Count::at(const BatchShape& batch) const {
  Wide sum = 0;
  for (const auto& [symbols, coefficient] : terms_) {
    Wide term = coefficient;
    for (Symbol s : symbols) term = Wide{narrowed(term)} * s.at(batch);
    sum = Wide{narrowed(sum)} + narrowed(term);
  }
  return narrowed(sum);
}

bool Count::is_constant() const { return terms_.empty() || (terms_.size() == 1 && terms_.begin()->first.empty()); }

int64_t Count::constant() const {
  if (!is_constant()) fail(ExitCode::internal, "internal", "{} is not a number", text());
  return terms_.empty() ? 0 : terms_.begin()->second;
}

void Count::add_symbols(std::set<Symbol>& to) const {
  for (const auto& [symbols, n] : terms_) to.insert(symbols.begin(), symbols.end());
}

std::string Count::text() const {
  std::string out;
  auto one = [&](const std::vector<Symbol>& symbols, int64_t n) {
    if (!out.empty()) out += " + ";
    std::string names;
    for (Symbol s : symbols) names += (names.empty() ? "" : " ") + s.text();
    if (names.empty())
      out += fmt::format("{}", n);
    else
      out += n == 1 ? names : fmt::format("{} {}", n, names);
  };
  for (auto t = terms_.rbegin(); t != terms_.rend(); ++t) one(t->first, t->second);
  return out.empty() ? "0" : out;
}

}  // namespace ridgeline
