// Two essays about what transformers cost, claim by claim: what the essay says, what Ridgeline's own programs say, and whether
// the two agree. The rows are data (figures/*.json); what is computed is an expression over quantities, never a literal.
#pragma once
#include <optional>

#include "planner/sheet.h"

namespace ridgeline {

// A number as an essay prints it: "~14.4 GFLOP", "8 to 9 x", "124,439,808 parameters", "0.35 %".
struct ClaimedNumber {
  std::string number;          // as above, without "~" and unit
  bool about = false;          // "~": the essay says about, roughly or the like
  Number least = 0, most = 0;  // in `unit`; the same where it is no range
  Number place = 0;            // what the last printed digit counts, in `unit`
  int digits = 0;              // significant ones; zeros at the end of a whole number are none
  Number scale = 1;            // of the printed unit: GFLOP is 1e9 FLOP
  std::string printed_unit, unit;

  // Errors (bad_config) "figure": no number, or no unit ("x", "%" and "1" are units too).
  static ClaimedNumber parse(std::string_view text);
  // Whether a value, rounded to the printed digits, is what is printed.
  bool is_printed_as(Number value) const;
  // Whether a value is as near as so few digits can ask for: within 10 % of a claim of one or two digits, 1 % of one of three,
  // and so on.
  bool is_near(Number value) const;
};

struct Figure {
  // A claimed number and what it should be.
  struct Part {
    ClaimedNumber claimed;
    Expression value;
    std::optional<Expression> stated;  // what the claim follows from in the essay: its own, rounded numbers
  };
  // A claim without a number of its own: that two quantities compare so.
  struct Comparison {
    Expression left, right;
    std::string sign, unit;  // unit: as a claim's
  };
  std::string id, claim;
  std::string says;  // what the essay says, where it is not the numbers
  std::vector<Part> parts;
  std::optional<Comparison> holds;
  std::optional<Expression> added;  // a number that the essay leaves out
  std::string added_unit;
  std::string no_arithmetic;  // why nothing can be computed
  std::string note;           // with {expression -> unit} for each number in it
};

struct FigureDocument {
  std::string title, subject;
  std::vector<Figure> figures;
};

// The texts of figures/*.json.
const std::vector<std::string_view>& figure_files();
// Errors (bad_config) "figure", naming the row: a part missing or unknown, no unit, an id twice; "expression".
FigureDocument read_figures(std::string_view json);
std::vector<FigureDocument> figure_documents();

// The quantities the rows are computed from: models, hardware, the essays' own scenarios, published measurements, and of each
// row with numbers ID (what it should be), ID.claimed and ID.rounding (half of its last printed digit); ID.1, ID.1.claimed and
// so on where it claims several. Errors: a row names itself or what is not there.
Sheet figure_sheet(const std::vector<FigureDocument>&);

enum class Verdict : uint8_t {
  reproduces,     // the same at every printed digit, or the comparison holds
  rounds,         // not the same digits, but near, and the essay says "about" or its own rounded numbers lead there
  wrong,          // else
  added,          // the essay gives no number, Ridgeline does
  no_arithmetic,  // measured elsewhere, or not a number
};
inline constexpr int verdict_count = 5;
std::string_view name_of(Verdict);
std::string_view meaning_of(Verdict);  // a sentence

struct JudgedFigure {
  Verdict verdict;
  std::string says, computed, expression, note;  // for people; expression: what computed comes from
};
JudgedFigure judge(const Figure&, const Sheet&);

// docs/figures.md
std::string figure_page(const std::vector<FigureDocument>&, const Sheet&);

}  // namespace ridgeline
