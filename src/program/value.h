// Handles of values in a program.
#pragma once
#include <compare>
#include <vector>

namespace ridgeline {

struct Value {
  int id = -1;
  explicit operator bool() const { return id >= 0; }
  auto operator<=>(const Value&) const = default;
};
// An operand that the op consumes: its result is the next version of the same state, in the same memory.
struct State : Value {};
using Values = std::vector<Value>;

}  // namespace ridgeline
