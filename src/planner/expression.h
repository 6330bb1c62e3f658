// Arithmetic over named quantities, written as text: "2 * llama3.params * tokens". Read once, evaluated as often as wanted.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline {

// Wide enough that every count up to 2^63 is exact.
using Number = long double;
static_assert(sizeof(Number) > sizeof(double), "counts of FLOPs and bytes need 64 bits of mantissa");

// From loose to tight; what stands on one line associates to the left, ^ to the right:
//   < <= == != >= >      1 where it holds, else 0; one in an expression
//   + -
//   * /
//   -x                   -x^2 is -(x^2)
//   ^
//   1'024, 2_000, 3.35e12, names (a, a.b, a.b_c.7), f(x, y), ( )
// Always there: min, max, sum (one argument or more), floor, ceil, round, abs, sqrt, log2, log10, exp. Other functions belong to
// whoever evaluates.
class Expression {
 public:
  static constexpr size_t longest = 4096;  // bytes of text
  static constexpr int deepest = 64;       // parentheses, calls, powers and signs within each other

  // Errors (usage): "expression" with the position of what is wrong, counted from 1.
  static Expression parse(std::string_view text);

  const std::string& text() const { return text_; }
  // The quantities and the functions (but those that are always there) it speaks of, each once, as they come.
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<std::string>& functions() const { return functions_; }

  struct Scope {
    std::function<Number(const std::string& name)> value;
    std::function<Number(const std::string& function, std::span<const Number> arguments)> call;
  };
  // Errors: those of the scope; (usage) "arithmetic" where a result is no finite number: x / 0, sqrt(-1), overflow.
  Number evaluate(const Scope&) const;

  // The text with each name of a quantity replaced.
  std::string with_names(const std::function<std::string(const std::string& name)>& replaced) const;

 private:
  friend class ExpressionParser;
  enum class Code : uint8_t { number, name, call, built_in, add, subtract, multiply, divide, power, negate, compare };
  // For a stack machine: however long an expression is, evaluating it does not recurse.
  struct Instruction {
    Code code;
    size_t at = 0;     // byte of the text
    size_t index = 0;  // of a name, function, built-in function or comparison
    size_t count = 0;  // arguments of a call
    Number number = 0;
  };
  struct Span {
    size_t at, length;
  };

  [[noreturn]] void fail_at(size_t at, std::string_view what) const;
  void apply(const Instruction&, std::vector<Number>& stack, const Scope&) const;

  std::string text_;
  std::vector<Instruction> code_;
  std::vector<std::string> names_, functions_;
  std::vector<Span> name_spans_;
};

}  // namespace ridgeline
