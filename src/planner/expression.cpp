#include "planner/expression.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <numeric>

#include "base/error.h"
#include "base/printable.h"

namespace ridgeline {
namespace {

using Arguments = std::span<const Number>;

struct BuiltIn {
  std::string_view name;
  bool many;  // else it takes one argument
  Number (*of)(Arguments);
};
constexpr BuiltIn built_ins[] = {
    {"min", true, [](Arguments a) { return *std::min_element(a.begin(), a.end()); }},
    {"max", true, [](Arguments a) { return *std::max_element(a.begin(), a.end()); }},
    {"sum", true, [](Arguments a) { return std::accumulate(a.begin(), a.end(), Number{0}); }},
    {"floor", false, [](Arguments a) { return std::floor(a[0]); }},
    {"ceil", false, [](Arguments a) { return std::ceil(a[0]); }},
    {"round", false, [](Arguments a) { return std::round(a[0]); }},
    {"abs", false, [](Arguments a) { return std::abs(a[0]); }},
    {"sqrt", false, [](Arguments a) { return std::sqrt(a[0]); }},
    {"log2", false, [](Arguments a) { return std::log2(a[0]); }},
    {"log10", false, [](Arguments a) { return std::log10(a[0]); }},
    {"exp", false, [](Arguments a) { return std::exp(a[0]); }},
};

struct Comparison {
  std::string_view sign;  // the longer of two that begin alike comes first
  bool (*holds)(Number, Number);
};
constexpr Comparison comparisons[] = {
    {"<=", [](Number a, Number b) { return a <= b; }}, {">=", [](Number a, Number b) { return a >= b; }},
    {"==", [](Number a, Number b) { return a == b; }}, {"!=", [](Number a, Number b) { return a != b; }},
    {"<", [](Number a, Number b) { return a < b; }},   {">", [](Number a, Number b) { return a > b; }},
};

// Whole powers by multiplication, so that those of integers are exact as long as they fit.
Number power(Number base, Number exponent) {
  if (exponent != std::floor(exponent) || std::abs(exponent) > 64) return std::pow(base, exponent);
  Number result = 1;
  for (int i = 0; i < static_cast<int>(std::abs(exponent)); ++i) result *= base;
  return exponent < 0 ? 1 / result : result;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_name(char c) { return begins_name(c) || is_digit(c); }

size_t index_in(std::vector<std::string>& list, std::string_view name) {
  auto at = std::find(list.begin(), list.end(), name);
  if (at == list.end()) at = list.emplace(list.end(), name);
  return static_cast<size_t>(at - list.begin());
}

}  // namespace

// Recursive descent; every way down passes deeper().
class ExpressionParser {
 public:
  explicit ExpressionParser(Expression& out) : out_(out), text_(out.text_) {}

  void parse() {
    sum();
    skip_blanks();
    for (size_t i = 0; i < std::size(comparisons); ++i)
      if (text_.substr(at_).starts_with(comparisons[i].sign)) {
        size_t sign = at_;
        at_ += comparisons[i].sign.size();
        sum();
        emit({.code = Code::compare, .at = sign, .index = i});
        break;
      }
    skip_blanks();
    if (at_ < text_.size()) expected("an operator or the end");
  }

 private:
  using Code = Expression::Code;

  [[noreturn]] void expected(std::string_view what) const {
    out_.fail_at(at_, at_ < text_.size() ? fmt::format("expected {}, found {}", what, printable(text_.substr(at_, 1)))
                                         : fmt::format("expected {}, found the end", what));
  }
  void emit(Expression::Instruction i) { out_.code_.push_back(i); }
  void skip_blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  template <class F>
  void deeper(F&& f) {
    if (++depth_ > Expression::deepest) out_.fail_at(at_, fmt::format("nested more than {} deep", Expression::deepest));
    f();
    --depth_;
  }
  // part (sign part)*
  template <class F>
  void chain(char first, Code first_code, char second, Code second_code, F&& part) {
    part();
    while (true) {
      skip_blanks();
      size_t sign = at_;
      if (take(first))
        part(), emit({.code = first_code, .at = sign});
      else if (take(second))
        part(), emit({.code = second_code, .at = sign});
      else
        return;
    }
  }

  void sum() {
    chain('+', Code::add, '-', Code::subtract, [this] { product(); });
  }
  void product() {
    chain('*', Code::multiply, '/', Code::divide, [this] { negation(); });
  }
  void negation() {
    skip_blanks();
    size_t sign = at_;
    if (!take('-')) return raised();
    deeper([this] { negation(); });
    emit({.code = Code::negate, .at = sign});
  }
  void raised() {
    primary();
    skip_blanks();
    size_t sign = at_;
    if (!take('^')) return;
    deeper([this] { negation(); });
    emit({.code = Code::power, .at = sign});
  }
  void primary() {
    if (take('(')) {
      deeper([this] { sum(); });
      if (!take(')')) expected("')'");
      return;
    }
    if (at_ < text_.size() && is_digit(text_[at_])) return number();
    if (at_ < text_.size() && begins_name(text_[at_])) return name();
    expected("a number, a name or '('");
  }

  void number() {
    size_t start = at_;
    std::string plain;  // without what groups the digits
    auto digits = [&] {
      while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '\'' || text_[at_] == '_')) {
        if (is_digit(text_[at_]))
          plain += text_[at_];
        else if (!is_digit(text_[at_ - 1]) || at_ + 1 == text_.size() || !is_digit(text_[at_ + 1]))
          expected("a digit on both sides of what groups digits");
        ++at_;
      }
    };
    digits();
    if (at_ < text_.size() && text_[at_] == '.') {
      plain += text_[at_++];
      if (at_ == text_.size() || !is_digit(text_[at_])) expected("a digit after the point");
      digits();
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      plain += text_[at_++];
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) plain += text_[at_++];
      if (at_ == text_.size() || !is_digit(text_[at_])) expected("a digit of the exponent");
      digits();
    }
    if (at_ < text_.size() && in_name(text_[at_])) expected("an operator or the end after a number");
    Number value = 0;
    auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
    if (error != std::errc() || end != plain.data() + plain.size())
      out_.fail_at(start, fmt::format("{} is too large or too small a number", plain));
    emit({.code = Code::number, .at = start, .number = value});
  }

  void name() {
    size_t start = at_;
    while (at_ < text_.size() && in_name(text_[at_])) {
      while (at_ < text_.size() && in_name(text_[at_])) ++at_;
      if (at_ + 1 < text_.size() && text_[at_] == '.' && in_name(text_[at_ + 1])) ++at_;
    }
    std::string_view word = text_.substr(start, at_ - start);
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '(') return call(start, word);
    out_.name_spans_.push_back({start, word.size()});
    emit({.code = Code::name, .at = start, .index = index_in(out_.names_, word)});
  }

  void call(size_t start, std::string_view function) {
    size_t count = 0;
    take('(');
    if (!take(')')) {
      do {
        deeper([this] { sum(); });
        ++count;
      } while (take(','));
      if (!take(')')) expected("',' or ')'");
    }
    for (size_t i = 0; i < std::size(built_ins); ++i) {
      if (built_ins[i].name != function) continue;
      if (built_ins[i].many ? !count : count != 1)
        out_.fail_at(start, fmt::format("{} takes {}, found {}", function,
                                        built_ins[i].many ? "one argument or more" : "one argument", count));
      return emit({.code = Code::built_in, .at = start, .index = i, .count = count});
    }
    emit({.code = Code::call, .at = start, .index = index_in(out_.functions_, function), .count = count});
  }

  Expression& out_;
  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
};

void Expression::fail_at(size_t at, std::string_view what) const {
  fail(ExitCode::usage, "expression", "expression {}, at {}: {}", printable(text_), at + 1, what);
}

Expression Expression::parse(std::string_view text) {
  if (text.size() > longest)
    fail(ExitCode::usage, "expression", "an expression of {} bytes; expected at most {}", text.size(), longest);
  Expression e;
  e.text_ = text;
  ExpressionParser(e).parse();
  return e;
}

void Expression::apply(const Instruction& i, std::vector<Number>& stack, const Scope& scope) const {
  auto arguments = [&] { return Arguments(stack).last(i.count); };
  auto replace = [&](size_t operands, Number result) {
    if (!std::isfinite(result))
      fail(ExitCode::usage, "arithmetic", "expression {}, at {}: the result is no finite number", printable(text_),
           i.at + 1);
    stack.resize(stack.size() - operands);
    stack.push_back(result);
  };
  Number right = stack.empty() ? 0 : stack.back(), left = stack.size() < 2 ? 0 : stack[stack.size() - 2];
  switch (i.code) {
    case Code::number: return stack.push_back(i.number);
    case Code::name: return replace(0, scope.value(names_[i.index]));
    case Code::call: return replace(i.count, scope.call(functions_[i.index], arguments()));
    case Code::built_in: return replace(i.count, built_ins[i.index].of(arguments()));
    case Code::add: return replace(2, left + right);
    case Code::subtract: return replace(2, left - right);
    case Code::multiply: return replace(2, left * right);
    case Code::divide: return replace(2, left / right);
    case Code::power: return replace(2, power(left, right));
    case Code::negate: return replace(1, -right);
    case Code::compare: return replace(2, comparisons[i.index].holds(left, right));
  }
}

Number Expression::evaluate(const Scope& scope) const {
  std::vector<Number> stack;
  for (const auto& i : code_) apply(i, stack, scope);
  require(stack.size() == 1, "expression {} leaves {} values", text_, stack.size());
  return stack[0];
}

std::string Expression::with_names(const std::function<std::string(const std::string&)>& replaced) const {
  std::string out;
  size_t done = 0;
  for (auto [at, length] : name_spans_) {
    out += text_.substr(done, at - done) + replaced(text_.substr(at, length));
    done = at + length;
  }
  return out + text_.substr(done);
}

}  // namespace ridgeline
