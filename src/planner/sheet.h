// A spreadsheet of named quantities: each with its unit, what it means, and either a value and where that comes from, or a
// formula over other quantities. Worked out when asked for, and able to say why a number is what it is.
#pragma once
#include <map>
#include <set>
#include <variant>

#include "planner/expression.h"

namespace ridgeline {

// What is said of a quantity. Values are in the unit as it stands here, without prefix: "B", "FLOP/s", "s", "tokens"; "1" is a
// number without a unit.
struct Label {
  std::string name, unit, meaning;
  std::string provenance = {};  // of a value: "config of llama-3-8b", "datasheet", "assumed"
};

class Sheet {
 public:
  // Errors of all that add: (bad_config) "quantity_twice", "quantity_label" where a part of the label is missing; "expression".
  void input(Label, Number value);
  // A value that native code works out, once, when it is first asked for. `from`: as provenance says.
  void counted(Label, std::function<Number()> value);
  void formula(Label, std::string_view text);  // the provenance may be empty
  // A function that formulas may call. `arguments`: their names, as many as it takes. It must answer for all real numbers near
  // those it is called with: sensitivities vary them by half a per cent.
  void function(Label, std::vector<std::string> arguments, std::function<Number(std::span<const Number>)>);

  bool has(std::string_view name) const { return quantities_.contains(name); }
  const Label& label(const std::string& name) const;                // errors: as value
  std::string formula_of(const std::string& name) const;            // empty: it has a value; errors: as value
  const std::vector<std::string>& names() const { return order_; }  // of quantities, as they were added

  // Errors (usage): "unknown_quantity" or "unknown_function", naming near ones; "arithmetic"; (bad_config) "circular_quantity",
  // naming the circle, and "quantity_depth".
  Number value(const std::string& name) const;
  Number evaluate(const Expression&) const;
  // The same with other values for some quantities, be they inputs or formulas: "what if the context were 8,192?"
  Number evaluate(const Expression&, const std::map<std::string, Number>& instead) const;

  // How a quantity came to be; `depth`: how far down its inputs are listed. Errors: as value.
  struct Reason {
    struct Input {
      int depth = 0;  // 0: in the formula itself
      Label label;
      Number value = 0;
      std::string formula;    // empty: it has a value
      bool repeated = false;  // its own inputs are listed further up
    };
    // What +1 % of an input that has a value changes, in per cent.
    struct Sensitivity {
      std::string name;
      Number percent = 0;
    };
    Label label;
    Number value = 0;
    std::string formula, with_values;  // empty where it has a value
    std::vector<Input> inputs;         // each followed by its own
    std::vector<Label> functions;      // that the formulas above call, "f(x, y)" with the names of their arguments
    // Of every input that matters at any depth, the greatest first. Central difference over +-0.5 %; on one side only where the
    // formula fails on the other.
    std::vector<Sensitivity> sensitivities;
  };
  Reason why(const std::string& name, int depth = 3) const;
  // The same of a formula that has no name.
  Reason why(const Expression&, Label label, int depth = 3) const;

  static constexpr int deepest = 200;  // formulas within formulas

 private:
  using Native = std::function<Number(std::span<const Number>)>;
  struct Quantity {
    Label label;
    std::variant<Number, std::function<Number()>, Expression> is;
    const Expression* formula() const { return std::get_if<Expression>(&is); }
  };
  struct Function {
    Label label;
    std::vector<std::string> arguments;
    Native of;
  };
  using Values = std::map<std::string, Number, std::less<>>;
  // One round of evaluation: what is known already, and the formulas being worked out, outermost first.
  struct Round {
    Values& values;
    std::vector<std::string> open = {};
  };

  void add(Quantity);
  void check(const Label&, bool has_provenance) const;
  const Quantity& find(const std::string& name) const;
  Number call(const std::string& function, std::span<const Number>) const;
  Number value(const std::string& name, Round&) const;
  Number evaluate(const Expression&, Round&) const;
  void list_inputs(const Expression&, int depth, int most, std::set<std::string>& seen, Reason&) const;
  // Each input with a value that an expression follows from, with the formulas between them, which follow from it too.
  std::map<std::string, std::set<std::string>> leaves(const Expression&) const;
  std::vector<Reason::Sensitivity> sensitivities(const Expression&) const;

  std::map<std::string, Quantity, std::less<>> quantities_;
  std::map<std::string, Function, std::less<>> functions_;
  std::vector<std::string> order_;
  mutable Values values_;  // those asked for so far
};

}  // namespace ridgeline
