// Sizes and costs are polynomials with integer coefficients in what a batch can vary: "4096 tokens", "2 pairs + 3 tokens".
// One printed line is then exact for every batch at once; a BatchShape gives the symbols their numbers.
#pragma once
#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "program/batch_shape.h"

namespace ridgeline {

struct Symbol {
  enum Kind : uint8_t { tokens, cached, keys, pairs, sequences, logit_rows };
  Kind kind;
  // keys and pairs count what a sliding window of this length lets a query see; 0 sees everything before it.
  //   pairs: visible (query, key) pairs    keys: keys visible to at least one query of the step
  int window = 0;
  auto operator<=>(const Symbol&) const = default;
  int64_t at(const BatchShape&) const;
  std::string text() const;  // "pairs", "keys<4096>"
};

class Count {
 public:
  Count(int64_t constant = 0);
  Count(Symbol);
  Count(Symbol::Kind kind) : Count(Symbol{kind}) {}

  Count& operator+=(const Count&);
  friend Count operator+(Count a, const Count& b) { return a += b; }
  friend Count operator*(const Count&, const Count&);
  bool operator==(const Count&) const = default;

  // This times a / b. Throws Error (internal) where a coefficient is not a multiple of b.
  Count scaled(int64_t a, int64_t b) const;
  // The value for one batch. Throws Error (unavailable) where it does not fit 63 bits.
  int64_t at(const BatchShape&) const;
  bool is_constant() const;
  bool is_zero() const { return terms_.empty(); }
  int64_t constant() const;  // the number; throws Error (internal) where a symbol is left
  void add_symbols(std::set<Symbol>& to) const;
  std::string text() const;  // "13958643712 tokens + 12"

 private:
  std::map<std::vector<Symbol>, int64_t> terms_;  // sorted symbols -> coefficient, never zero
};

using Dim = Count;
using Shape = std::vector<Dim>;

}  // namespace ridgeline
