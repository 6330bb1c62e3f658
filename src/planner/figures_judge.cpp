#include <array>
#include <cmath>

#include "base/error.h"
#include "planner/figures.h"
#include "planner/sheet_text.h"

namespace ridgeline {
namespace {

// "4.167 ms", "284.7x", "32"
std::string with_unit(const std::string& number, std::string_view unit) {
  if (unit == "1") return number;
  return unit == "x" ? number + "x" : fmt::format("{} {}", number, unit);
}

// A value as a number of a printed unit: whole counts in full, else with as many digits as asked for.
std::string number_in(std::string_view unit, Number value, int digits = 4) {
  ClaimedNumber one = ClaimedNumber::parse("1 " + std::string(unit));
  return one.scale == 1 ? full_amount(value, "1", digits) : amount(value / one.scale, "1", digits);
}
std::string printed(std::string_view unit, Number value, int digits = 4) {
  return with_unit(number_in(unit, value, digits), unit);
}

// The same, and of whole counts every digit.
std::string computed(const ClaimedNumber& claimed, Number value) {
  std::string text = printed(claimed.printed_unit, value, std::max(4, claimed.digits + 2));
  bool counted = claimed.unit == "parameters" || claimed.unit == "FLOP" || claimed.unit == "B";
  if (!counted || claimed.scale == 1 || value != std::floor(value)) return text;
  return fmt::format("{} ({})", text, full_amount(value, "1"));
}

// A text with each {expression -> unit} worked out.
std::string with_numbers(const std::string& text, const Sheet& sheet) {
  std::string out;
  for (size_t done = 0;;) {
    size_t open = text.find('{', done), arrow = text.find(" -> ", open), close = text.find('}', open);
    out += text.substr(done, open - done);
    if (open == text.npos) return out;
    if (close == text.npos || arrow > close)
      fail(ExitCode::bad_config, "figure", "figures: expected {{expression -> unit}} in \"{}\"", text.substr(open));
    auto e = Expression::parse(text.substr(open + 1, arrow - open - 1));
    out += printed(text.substr(arrow + 4, close - arrow - 4), sheet.evaluate(e));
    done = close + 1;
  }
}

// Judges a claimed number, and says of one that rounds how far off it is and why it may be.
Verdict judge_part(const Figure::Part& p, Number value, const Sheet& sheet, std::string& remark) {
  if (p.claimed.is_printed_as(value)) return Verdict::reproduces;
  bool follows = p.stated && p.claimed.is_printed_as(sheet.evaluate(*p.stated));
  if (!(p.claimed.about || follows) || !p.claimed.is_near(value)) return Verdict::wrong;
  Number off = std::min(std::abs(p.claimed.least - value), std::abs(p.claimed.most - value)) / value;
  remark = fmt::format("Off by {}{}.", printed("%", off, 2),
                       follows ? fmt::format(": the essay's own rounded numbers give {}",
                                             printed(p.claimed.printed_unit, sheet.evaluate(*p.stated)))
                               : "");
  return Verdict::rounds;
}

void append(std::string& list, const std::string& text) { list += (list.empty() ? "" : "; ") + text; }

JudgedFigure judged(const Figure& f, const Sheet& sheet) {
  JudgedFigure j{.verdict = Verdict::reproduces, .says = f.says, .note = with_numbers(f.note, sheet)};
  for (const auto& p : f.parts) {
    Number value = sheet.evaluate(p.value);
    std::string remark;
    j.verdict = std::max(j.verdict, judge_part(p, value, sheet, remark));
    if (!remark.empty()) j.note = remark + (j.note.empty() ? "" : " ") + j.note;
    if (f.says.empty())
      append(j.says, (p.claimed.about ? "about " : "") + with_unit(p.claimed.number, p.claimed.printed_unit));
    append(j.computed, computed(p.claimed, value));
    append(j.expression, p.value.text());
  }
  if (const auto& c = f.holds) {
    Number left = sheet.evaluate(c->left), right = sheet.evaluate(c->right);
    auto side = [](const Expression& e) { return "(" + e.text() + ")"; };
    bool holds = sheet.evaluate(Expression::parse(side(c->left) + c->sign + side(c->right))) != 0;
    j.verdict = holds ? Verdict::reproduces : Verdict::wrong;
    j.computed = fmt::format("{} {} {} {}", number_in(c->unit, left), c->sign, printed(c->unit, right),
                             holds ? "holds" : "does not hold");
    j.expression = fmt::format("{} {} {}", c->left.text(), c->sign, c->right.text());
  }
  if (f.added) {
    j.verdict = Verdict::added;
    j.computed = computed(ClaimedNumber::parse("1 " + f.added_unit), sheet.evaluate(*f.added));
    j.expression = f.added->text();
  }
  if (!f.no_arithmetic.empty()) {
    j.verdict = Verdict::no_arithmetic;
    j.note = with_numbers(f.no_arithmetic, sheet);
  }
  return j;
}

}  // namespace

std::string_view name_of(Verdict v) {
  constexpr std::array<std::string_view, verdict_count> names = {"reproduces", "rounds", "WRONG", "added",
                                                                 "no arithmetic"};
  return names[static_cast<size_t>(v)];
}

std::string_view meaning_of(Verdict v) {
  constexpr std::array<std::string_view, verdict_count> meanings = {
      "The same at every digit that the essay prints, or the comparison holds.",
      "Not the same digits, but the essay says \"about\" or its own rounded numbers lead there, and the value is "
      "within 10 % "
      "of a claim of one or two digits, 1 % of one of three, and so on.",
      "Neither. What is right, and why, stands below.",
      "The essay gives no number; Ridgeline does.",
      "Measured by others, or no number at all.",
  };
  return meanings[static_cast<size_t>(v)];
}

JudgedFigure judge(const Figure& f, const Sheet& sheet) {
  try {
    return judged(f, sheet);
  } catch (const Error& e) { throw e.in(f.id); }
}

std::string figure_page(const std::vector<FigureDocument>& documents, const Sheet& sheet) {
  std::string tables, faults;
  std::array<int, verdict_count> counts{};
  int rows = 0;
  auto cell = [](std::string text) {
    for (size_t at = 0; (at = text.find('|', at)) != text.npos; at += 2) text.insert(at, "\\");
    return text;
  };
  for (const auto& d : documents) {
    tables += fmt::format("\n## {}\n\n{}.\n\n", d.title, d.subject);
    tables += "| | claim | the essay | Ridgeline | from | verdict | note |\n|---|---|---|---|---|---|---|\n";
    for (const auto& f : d.figures) {
      JudgedFigure j = judge(f, sheet);
      bool wrong = j.verdict == Verdict::wrong;
      ++counts[static_cast<size_t>(j.verdict)], ++rows;
      tables += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", f.id, cell(f.claim), cell(j.says),
                            cell(j.computed), j.expression.empty() ? "" : "`" + cell(j.expression) + "`",
                            wrong ? "**WRONG**" : std::string(name_of(j.verdict)), wrong ? "see above" : cell(j.note));
      if (wrong)
        faults +=
            fmt::format("- **{}**, {}. The essay: {}. Ridgeline: {}. {}\n", f.id, f.claim, j.says, j.computed, j.note);
    }
  }
  std::string summary;
  for (int v = 0; v < verdict_count; ++v)
    summary += fmt::format("| {} | {} | {} |\n", name_of(static_cast<Verdict>(v)), counts[static_cast<size_t>(v)],
                           meaning_of(static_cast<Verdict>(v)));
  return fmt::format(
      "# Two essays, claim by claim\n\n"
      "Two essays say what transformers cost: the first follows a token through Llama 3 8B, the second counts the "
      "FLOPs and "
      "bytes of GPT-2 small and of a model of 7 B. Here each of their {} claims stands beside what Ridgeline makes of "
      "it, "
      "from the programs that it runs, the data sheets of the hardware and the essays' own examples. Every number in "
      "the "
      "column *Ridgeline* is the value of the expression in the column *from*, whose names are quantities of the "
      "planner's "
      "sheet (`src/planner`).\n\n"
      "| verdict | claims | |\n|---|---|---|\n{}\n"
      "## What is wrong\n\n{}{}\n"
      "This page is generated: `RIDGELINE_UPDATE_GOLDENS=1 build/tests/planner_tests` writes it, and a test fails when "
      "it "
      "is stale.\n",
      rows, summary, faults, tables);
}

}  // namespace ridgeline
