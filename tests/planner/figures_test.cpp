#include "planner/figures.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "cost/hardware.h"
#include "golden_text.h"

namespace ridgeline {
namespace {

const std::vector<FigureDocument>& documents() {
  static const auto all = figure_documents();
  return all;
}
const Sheet& sheet() {
  static const Sheet s = figure_sheet(documents());
  return s;
}
Number computed(const char* text) { return sheet().evaluate(Expression::parse(text)); }
double near(const char* text) { return static_cast<double>(computed(text)); }

TEST(Figures, WholeNumbersAreExact) {
  const std::pair<const char*, int64_t> expected[] = {
      {"llama3.layer.params", 218'112'000},
      {"llama3.layer.params - llama3.layer.vector_params", 218'103'808},
      {"R03", 6'979'584'000},
      {"llama3.table.params", 525'336'576},
      {"llama3.tables", 2},
      {"llama3.tied", 0},
      {"R03 + R04 + llama3.d", 7'504'924'672},
      {"llama3.params", 8'030'261'248},
      {"llama70.params", 70'553'706'496},
      {"R07", 33'554'432},
      {"R08", 8'388'608},
      {"R11", 352'321'536},
      {"R12", 16'384'000},
      {"R13", 452'591'616},
      {"R15", 14'482'931'712},
      {"llama3.head.flops", 1'050'673'152},
      {"R16", 15'533'604'864},
      {"R21", 436'224'000},
      {"R37", 4'096'000'000},
      {"llama3.kv.token_bytes", 131'072},
      {"llama70.kv.token_bytes", 327'680},
      {"C10", 589'824},
      {"C11", 9'663'676'416},
      {"C12", 4'831'838'208},
      {"C13", 3'221'225'472},
      {"gpt2.step.attention_flops(1, 1024, 0) / gpt2.layers", 1'612'185'600},
      {"C14", 17'716'740'096},
      {"C15", 212'600'881'152},
      {"C16", 79'047'426'048},
      {"C17", 291'648'307'200},
      {"gpt2.params", 124'439'808},
      {"gpt2.tables", 1},
      {"gpt2.matrix_params", 84'934'656},
      {"gpt2.layers * gpt2.layer.params", 85'054'464},
      {"llama2.params", 6'738'415'616},
      {"12 * llama2.layers * llama2.d^2", 6'442'450'944},
      {"C36", 89'653'248},
      {"C37", 56'623'104},
      {"C38", 1'075'838'976},
      {"llama2.kv.token_bytes", 524'288},
      {"llama2.cache_bytes", 536'870'912},
      {"gpt2.kv.token_bytes", 36'864},
      {"one.fitting", 487},
  };
  for (const auto& [text, number] : expected) EXPECT_EQ(computed(text), static_cast<Number>(number)) << text;
}

TEST(Figures, MeasuresAreNearWhatTheyMustBe) {
  EXPECT_NEAR(near("R48 * 1000"), 4.5195, 1e-4);            // ms
  EXPECT_NEAR(near("R16 / h100.bf16 * 1e6"), 15.70, 5e-3);  // us
  EXPECT_NEAR(near("R25"), 284.65, 5e-3);
  EXPECT_NEAR(near("R52"), 9.26, 5e-3);
  EXPECT_NEAR(near("R40 / 1e9"), 5.243, 5e-4);
  EXPECT_NEAR(near("C20"), 0.952, 5e-4);
  EXPECT_NEAR(near("C50"), 49591, 1);
  EXPECT_NEAR(near("C56.1"), 2.21, 5e-3);
  EXPECT_NEAR(near("C56.2"), 2.84, 5e-3);
  EXPECT_NEAR(near("C59.1"), 14.5, 5e-2);
  EXPECT_NEAR(near("llama2.token_flops / llama2.cache_bytes"), 25.6, 5e-2);
}

TEST(Figures, EveryClaimIsThereAndTheseAreWrong) {
  std::set<std::string> ids, expected;
  for (int i = 1; i <= 58; ++i) expected.insert(fmt::format("R{:02}", i));
  for (int i = 1; i <= 70; ++i) expected.insert(fmt::format("C{:02}", i));
  std::set<std::string> wrong;
  for (const auto& d : documents())
    for (const auto& f : d.figures) {
      EXPECT_TRUE(ids.insert(f.id).second) << f.id;
      JudgedFigure j = judge(f, sheet());
      if (j.verdict == Verdict::wrong) {
        wrong.insert(f.id);
        EXPECT_FALSE(f.note.empty()) << f.id << " is wrong and does not say why";
      }
      EXPECT_EQ(j.verdict == Verdict::no_arithmetic, j.computed.empty()) << f.id;
      EXPECT_FALSE(j.says.empty() && j.verdict != Verdict::added) << f.id;
    }
  EXPECT_EQ(ids, expected);
  EXPECT_EQ(wrong, (std::set<std::string>{"R03", "R05", "R06", "R18", "R21", "R31", "R42", "R48", "C36", "C38", "C52",
                                          "C55", "C57", "C59", "C67"}));
}

// A row computes; a number that it should arrive at is no part of it.
TEST(Figures, NoRowIsALiteral) {
  for (const auto& d : documents())
    for (const auto& f : d.figures) {
      std::vector<const Expression*> all;
      for (const auto& p : f.parts) all.push_back(&p.value);
      if (f.holds) all.push_back(&f.holds->left);
      if (f.added) all.push_back(&*f.added);
      for (const auto* e : all) EXPECT_FALSE(e->names().empty() && e->functions().empty()) << f.id;
      for (const auto* e : all)
        for (const auto& name : e->names())
          EXPECT_FALSE(name.ends_with(".claimed") && !f.parts.empty()) << f.id << " is computed from a claim";
    }
}

TEST(Figures, HardwareIsThatOfTheFiles) {
  EXPECT_EQ(computed("h100.bandwidth"), hardware_named("h100-sxm").bandwidth.value);
  EXPECT_EQ(computed("a100_40.memory"), hardware_named("a100-40-sxm").capacity.value);
  EXPECT_EQ(near("h100.ridge"), hardware_named("h100-sxm").ridge(Arithmetic::bf16));
  EXPECT_EQ(sheet().label("h100.bf16").provenance.rfind("hardware file h100-sxm: ", 0), 0u);
}

TEST(Figures, ARowCanSayWhy) {
  Sheet::Reason r = sheet().why("R48", 2);
  EXPECT_EQ(r.label.unit, "s");
  ASSERT_EQ(r.sensitivities.size(), 3u);
  EXPECT_EQ(r.sensitivities[0].name, "h100.bandwidth");
  EXPECT_NEAR(static_cast<double>(r.sensitivities[0].percent), -1, 1e-4);
  EXPECT_NEAR(static_cast<double>(r.sensitivities[1].percent), 131072000 / (15009316864.0 + 131072000), 1e-9);
  // Of whole numbers too: the cached tokens of a step.
  auto tokens = sheet().why(Expression::parse("llama3.step.attention_flops(1, 1, one.context - 1)"), {}).sensitivities;
  ASSERT_EQ(tokens.size(), 1u);
  EXPECT_EQ(tokens[0].name, "one.context");
  EXPECT_NEAR(static_cast<double>(tokens[0].percent), 1, 1e-9);
}

TEST(Figures, PageIsAsCommitted) { test::expect_golden("../../docs/figures.md", figure_page(documents(), sheet())); }

std::string error_of(std::string_view id, const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(e.id(), id) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "expected the error " << id;
  return "";
}
FigureDocument with_rows(const std::string& rows) {
  return read_figures(R"({"title": "t", "subject": "s", "figures": [)" + rows + "]}");
}
std::string row_error(const std::string& members) {
  return error_of("figure", [&] { with_rows(R"({"id": "X1", )" + members + "}"); });
}
bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(FigureRows, AreRefusedWhereTheyAreWrong) {
  EXPECT_TRUE(contains(row_error(R"("claim": "c", "claimed": "14", "value": "1")"), "no unit"));
  EXPECT_TRUE(contains(row_error(R"("claim": "c", "claimed": "GB 14", "value": "1")"), "is no number"));
  EXPECT_TRUE(contains(row_error(R"("claimed": "14 GB", "value": "1")"), "X1: no claim"));
  EXPECT_TRUE(contains(row_error(R"("claim": "c", "claimed": ["1 x", "2 x"], "value": "1")"), "2 numbers claimed"));
  EXPECT_TRUE(contains(row_error(R"("claim": "c")"), "expected one of"));
  EXPECT_TRUE(contains(row_error(R"("claim": "c", "claimed": "1 x", "value": "1", "no_arithmetic": "n")"), "found 2"));
  EXPECT_TRUE(contains(row_error(R"("claim": "c", "holds": ["1", "<"], "unit": "x")"), "left, sign and right"));
  EXPECT_TRUE(contains(row_error(R"("claim": "c", "holds": ["1", "<", "2"])"), "a unit goes with holds"));
  EXPECT_TRUE(contains(row_error(R"("claim": "c", "added": "1")"), "a unit goes with"));
  EXPECT_TRUE(contains(row_error(R"("claim": "c", "claimed": "1 x", "value": "1", "notes": "n")"), "notes"));
  EXPECT_TRUE(contains(row_error(R"("claim": 7)"), "expected a text"));
  error_of("expression", [] { with_rows(R"({"id": "X1", "claim": "c", "claimed": "1 x", "value": "1 +"})"); });
  error_of("expression", [] { with_rows(R"({"id": "X1", "claim": "c", "holds": ["1", "~", "2"], "unit": "x"})"); });
  std::string row = R"({"id": "X1", "claim": "c", "no_arithmetic": "n"})";
  EXPECT_TRUE(contains(error_of("figure", [&] { with_rows(row + "," + row); }), "X1 is there twice"));
  error_of("figure", [] { read_figures("{}"); });
  error_of("figure", [] { read_figures("[1"); });
}

TEST(FigureRows, FailWithTheirNameWhereAQuantityIsUnknown) {
  for (const char* row : {R"({"id": "X1", "claim": "c", "claimed": "80 GB", "value": "h100.memroy"})",
                          R"({"id": "X1", "claim": "c", "no_arithmetic": "it is {h100.memroy -> GB}"})"}) {
    std::string what = error_of("unknown_quantity", [&] { judge(with_rows(row).figures[0], sheet()); });
    EXPECT_TRUE(contains(what, "X1: there is no quantity")) << what;
    EXPECT_TRUE(contains(what, "h100.memory")) << what;
  }
  auto unfinished = with_rows(R"({"id": "X1", "claim": "c", "no_arithmetic": "it is {h100.memory"})");
  EXPECT_TRUE(contains(error_of("figure", [&] { judge(unfinished.figures[0], sheet()); }), "{expression -> unit}"));
}

Verdict verdict_of(const std::string& members) {
  return judge(with_rows(R"({"id": "X1", "claim": "c", )" + members + "}").figures[0], sheet()).verdict;
}

TEST(FigureRows, AreJudgedByTheDigitsTheyPrint) {
  // 141.1 GB
  EXPECT_EQ(verdict_of(R"("claimed": "141 GB", "value": "llama70.params * 2")"), Verdict::reproduces);
  EXPECT_EQ(verdict_of(R"("claimed": "141.1 GB", "value": "llama70.params * 2")"), Verdict::reproduces);
  EXPECT_EQ(verdict_of(R"("claimed": "141.2 GB", "value": "llama70.params * 2")"), Verdict::wrong);
  EXPECT_EQ(verdict_of(R"("claimed": "140 GB", "value": "llama70.params * 2")"), Verdict::wrong);
  EXPECT_EQ(verdict_of(R"("claimed": "~140 GB", "value": "llama70.params * 2")"), Verdict::rounds);
  EXPECT_EQ(verdict_of(R"("claimed": "140 GB", "value": "llama70.params * 2", "stated": "2 * 70e9")"), Verdict::rounds);
  EXPECT_EQ(verdict_of(R"("claimed": "140 GB", "value": "llama70.params * 2", "stated": "2 * 71e9")"), Verdict::wrong);
  EXPECT_EQ(verdict_of(R"("claimed": "~100 GB", "value": "llama70.params * 2")"), Verdict::wrong);
  EXPECT_EQ(verdict_of(R"("claimed": "140 to 150 GB", "value": "llama70.params * 2")"), Verdict::reproduces);
  EXPECT_EQ(verdict_of(R"("claimed": "142 to 150 GB", "value": "llama70.params * 2")"), Verdict::wrong);
  // The worst of several.
  EXPECT_EQ(verdict_of(R"("claimed": ["32 layers", "9 heads"], "value": ["llama3.layers", "llama3.kv_heads"])"),
            Verdict::wrong);
  EXPECT_EQ(verdict_of(R"("holds": ["h100.memory", ">", "a100_40.memory"], "unit": "GB")"), Verdict::reproduces);
  EXPECT_EQ(verdict_of(R"("holds": ["h100.memory", "<=", "a100_40.memory"], "unit": "GB")"), Verdict::wrong);
  EXPECT_EQ(verdict_of(R"("added": "h100.memory", "unit": "GB")"), Verdict::added);
  EXPECT_EQ(verdict_of(R"("no_arithmetic": "n")"), Verdict::no_arithmetic);
}

TEST(FigureRows, ClaimedNumbersAreReadAsTheyArePrinted) {
  auto c = ClaimedNumber::parse("~52,000 tokens");
  EXPECT_TRUE(c.about);
  EXPECT_EQ(c.least, 52000);
  EXPECT_EQ(c.place, 1);
  EXPECT_EQ(c.digits, 2);
  EXPECT_EQ(c.unit, "tokens");
  EXPECT_EQ(c.number, "52,000");
  auto gb = ClaimedNumber::parse("1.30 PFLOP/s");
  EXPECT_EQ(gb.digits, 3);
  EXPECT_EQ(gb.unit, "FLOP/s");
  EXPECT_EQ(static_cast<double>(gb.place), 1e13);
  auto range = ClaimedNumber::parse("8 to 9 x");
  EXPECT_EQ(range.least, 8);
  EXPECT_EQ(range.most, 9);
  EXPECT_EQ(range.unit, "1");
  EXPECT_EQ(ClaimedNumber::parse("0.35 %").digits, 2);
  EXPECT_EQ(ClaimedNumber::parse("1 MiB").scale, 1048576);
}

}  // namespace
}  // namespace ridgeline
