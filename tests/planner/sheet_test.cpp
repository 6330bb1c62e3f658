#include "planner/sheet.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "base/error.h"
#include "planner/sheet_text.h"

namespace ridgeline {
namespace {

Number computed(std::string_view text) { return Sheet().evaluate(Expression::parse(text)); }

// The message of the Error that f throws, which must have this id.
template <class F>
std::string error_of(std::string_view id, F&& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(e.id(), id) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "expected the error " << id;
  return "";
}
std::string parse_error(const std::string& text) {
  return error_of("expression", [&] { Expression::parse(text); });
}
bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(Expression, KnowsWhatBindsTighter) {
  EXPECT_EQ(computed("2 + 3 * 4"), 14);
  EXPECT_EQ(computed("(2 + 3) * 4"), 20);
  EXPECT_EQ(computed("20 - 5 - 3"), 12);
  EXPECT_EQ(computed("64 / 4 / 2"), 8);
  EXPECT_EQ(computed("2 ^ 3 ^ 2"), 512);
  EXPECT_EQ(computed("-3 ^ 2"), -9);
  EXPECT_EQ(computed("2 * -3"), -6);
  EXPECT_EQ(computed("2 ^ -1"), 0.5L);
  EXPECT_EQ(computed("--5"), 5);
  EXPECT_EQ(computed("1 + 1 == 2"), 1);
  EXPECT_EQ(computed("2 * 3 < 6"), 0);
  EXPECT_EQ(computed("2 * 3 <= 6"), 1);
  EXPECT_EQ(computed("3 != 4"), 1);
}

TEST(Expression, ReadsNumbersAsTheyAreWritten) {
  EXPECT_EQ(computed("128'256"), 128256);
  EXPECT_EQ(computed("8_030_261_248"), 8'030'261'248);
  EXPECT_EQ(computed("3.35e12"), 3.35e12L);
  EXPECT_EQ(computed("1E-3"), 1e-3L);
  EXPECT_EQ(computed("9223372036854775807"), Number{9223372036854775807});
  EXPECT_EQ(computed("9223372036854775807 - 9223372036854775806"), 1);
  EXPECT_EQ(computed("3037000499 ^ 2"), Number{9223372030926249001});
}

TEST(Expression, HasFunctions) {
  EXPECT_EQ(computed("min(3, 1, 2) + max(3, 1, 2) + sum(1, 2, 3)"), 10);
  EXPECT_EQ(computed("floor(2.7) + ceil(2.2) + round(2.5) + abs(-1)"), 9);
  EXPECT_EQ(computed("sqrt(16) + log2(8) + log10(1000) + exp(0)"), 11);
}

TEST(Expression, SaysWhereItIsWrong) {
  EXPECT_TRUE(contains(parse_error(""), "at 1: expected a number, a name or '(', found the end"));
  EXPECT_TRUE(contains(parse_error("1 + "), "at 5: expected a number, a name or '(', found the end"));
  EXPECT_TRUE(contains(parse_error("1 2"), "at 3: expected an operator or the end, found \"2\""));
  EXPECT_TRUE(contains(parse_error("(1 + 2"), "at 7: expected ')', found the end"));
  EXPECT_TRUE(contains(parse_error("f(1; 2)"), "at 4: expected ',' or ')', found \";\""));
  EXPECT_TRUE(contains(parse_error("12ab"), "at 3"));
  EXPECT_TRUE(contains(parse_error("1'"), "at 2"));
  EXPECT_TRUE(contains(parse_error("1''0"), "at 2"));
  EXPECT_TRUE(contains(parse_error("1."), "at 3"));
  EXPECT_TRUE(contains(parse_error("1e+"), "at 4"));
  EXPECT_TRUE(contains(parse_error("1 < 2 < 3"), "at 7"));
  EXPECT_TRUE(contains(parse_error("a..b"), "at 2"));
  EXPECT_TRUE(contains(parse_error("a."), "at 2"));
  EXPECT_TRUE(contains(parse_error("1e99999"), "too large"));
  EXPECT_TRUE(contains(parse_error("2 + sqrt(1, 2)"), "at 5: sqrt takes one argument, found 2"));
  EXPECT_TRUE(contains(parse_error("min()"), "at 1: min takes one argument or more, found 0"));
}

TEST(Expression, IsBoundedInLengthAndDepth) {
  std::string sum = "1";
  for (int i = 0; i < 2000; ++i) sum += "+1";
  EXPECT_EQ(computed(sum), 2001);
  EXPECT_TRUE(contains(parse_error(sum + sum + std::string(200, ' ')), "at most 4096"));
  for (const char* opening : {"(", "-", "2^", "abs(", "1+("}) {
    std::string deep;
    while (deep.size() < 1000) deep += opening;
    EXPECT_TRUE(contains(parse_error(deep), "nested more than 64 deep")) << opening;
  }
  EXPECT_EQ(computed(std::string(60, '(') + "7" + std::string(60, ')')), 7);
}

TEST(Expression, RefusesWhatIsNoFiniteNumber) {
  for (const char* text : {"1 / 0", "sqrt(-1)", "log2(0)", "1e4000 * 1e4000", "0 / 0"}) {
    std::string what = error_of("arithmetic", [&] { computed(text); });
    EXPECT_TRUE(contains(what, "no finite number")) << what;
  }
}

TEST(Expression, TakesAnyTextOrSaysWhatIsWrong) {
  const char* pieces[] = {"1", "2.5e3", "1'0", "a", "a.b", "f", "min", "sqrt", "(", ")", "(", ")",
                          ",", "+",     "-",   "*", "/",   "^", "<",   "==",   " ", ".", "'", "\xff"};
  std::mt19937 random(7);
  int parsed = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (size_t n = random() % 12; n > 0; --n) text += pieces[random() % std::size(pieces)];
    try {
      Expression e = Expression::parse(text);
      ++parsed;
      EXPECT_EQ(e.with_names([](const auto& name) { return name; }), text);
      e.evaluate({[](const auto&) { return Number{3}; }, [](const auto&, auto x) { return Number(x.size()); }});
    } catch (const Error& error) {
      EXPECT_TRUE(error.id() == "expression" || error.id() == "arithmetic") << error.what();
    }
  }
  EXPECT_GT(parsed, 500);
}

// A step that reads weights and caches, as a planner would write it.
Sheet step() {
  Sheet s;
  s.input({"weights", "B", "bytes of weights that a step reads", "config of a model"}, 15e9L);
  s.input({"cache.token", "B", "bytes of keys and values of a token", "config of a model"}, 131072);
  s.input({"context", "tokens", "tokens cached", "assumed"}, 1000);
  s.input({"bandwidth", "B/s", "bytes read in a second", "datasheet"}, 3.35e12L);
  s.function({"twice", "1", "its argument, doubled"}, {"x"}, [](auto x) { return 2 * x[0]; });
  s.formula({"cache", "B", "bytes of keys and values that a step reads"}, "cache.token * context");
  s.formula({"bytes", "B", "bytes that a step reads"}, "weights + cache");
  s.formula({"step", "s", "time of a step"}, "bytes / bandwidth");
  return s;
}

TEST(Sheet, WorksOutWhatIsAskedFor) {
  Sheet s = step();
  EXPECT_EQ(s.value("cache"), 131072000);
  EXPECT_EQ(s.value("step"), (15e9L + 131072000) / 3.35e12L);
  EXPECT_EQ(s.evaluate(Expression::parse("twice(context) + 1")), 2001);
  EXPECT_EQ(s.formula_of("cache"), "cache.token * context");
  EXPECT_EQ(s.formula_of("context"), "");
  EXPECT_EQ(s.label("context").provenance, "assumed");
}

TEST(Sheet, AsksNativeCodeOnce) {
  Sheet s;
  int asked = 0;
  s.counted({"n", "tokens", "a count", "program"}, [&] { return ++asked, Number{7}; });
  s.formula({"m", "tokens", "twice as many"}, "n + n");
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(s.value("m"), 14);
  EXPECT_EQ(s.value("n"), 7);
  EXPECT_EQ(asked, 1);
}

TEST(Sheet, AnswersWhatIf) {
  Sheet s = step();
  Number before = s.value("step");
  auto e = Expression::parse("bytes + 0 * step");
  EXPECT_EQ(s.evaluate(e, {{"context", 0}}), 15e9L);
  EXPECT_EQ(s.evaluate(e, {{"context", 0}, {"weights", 7}}), 7);
  EXPECT_EQ(s.evaluate(e, {{"cache", 1}}), 15e9L + 1);  // a formula
  EXPECT_EQ(s.evaluate(e, {{"weights", 0}, {"cache", 0}}), 0);
  EXPECT_TRUE(contains(error_of("unknown_quantity", [&] { s.evaluate(e, {{"contxt", 0}}); }), "context"));
  EXPECT_EQ(s.value("step"), before);
}

TEST(Sheet, RefusesCirclesUnknownNamesAndHalfLabels) {
  Sheet s = step();
  s.formula({"a", "1", "first"}, "b + 1");
  s.formula({"b", "1", "second"}, "c");
  s.formula({"c", "1", "third"}, "a");
  EXPECT_TRUE(contains(error_of("circular_quantity", [&] { s.value("b"); }), "b -> c -> a -> b"));
  EXPECT_TRUE(contains(error_of("circular_quantity", [&] { s.why("a"); }), "a -> b -> c -> a"));
  EXPECT_TRUE(contains(error_of("unknown_quantity", [&] { s.value("bandwith"); }), "did you mean bandwidth?"));
  EXPECT_TRUE(contains(error_of("unknown_function", [&] { s.evaluate(Expression::parse("twcie(1)")); }), "twice"));
  EXPECT_TRUE(contains(error_of("unknown_function", [&] { s.evaluate(Expression::parse("twice(1, 2)")); }),
                       "twice takes 1 arguments (x), found 2"));
  error_of("quantity_twice", [&] { s.input({"weights", "B", "again", "x"}, 1); });
  error_of("quantity_twice", [&] { s.formula({"twice", "B", "a function already"}, "1"); });
  error_of("quantity_label", [&] { s.input({"no_unit", "", "m", "x"}, 1); });
  error_of("quantity_label", [&] { s.input({"no_meaning", "B", "", "x"}, 1); });
  error_of("quantity_label", [&] { s.input({"no_provenance", "B", "m", ""}, 1); });
  error_of("quantity_label", [&] { s.function({"no_meaning", "B", ""}, {}, [](auto) { return Number{1}; }); });
  error_of("quantity_twice", [&] { s.function({"context", "B", "a quantity"}, {}, [](auto) { return Number{1}; }); });
  // A failed evaluation leaves nothing behind.
  EXPECT_EQ(s.value("cache"), 131072000);
}

TEST(Sheet, BoundsHowDeepFormulasGo) {
  Sheet s;
  s.input({"q0", "1", "the first", "assumed"}, 1);
  for (int i = 1; i < 1000; ++i) s.formula({fmt::format("q{}", i), "1", "the next"}, fmt::format("q{} + 1", i - 1));
  EXPECT_EQ(s.value("q150"), 151);
  error_of("quantity_depth", [&] { s.value("q999"); });
}

TEST(Sheet, SaysWhy) {
  Sheet::Reason r = step().why("step", 2);
  EXPECT_EQ(r.formula, "bytes / bandwidth");
  EXPECT_EQ(r.with_values, "15.13 GB / 3.35 TB/s");
  ASSERT_EQ(r.inputs.size(), 4u);
  const char* names[] = {"bytes", "weights", "cache", "bandwidth"};
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(r.inputs[i].label.name, names[i]);
  EXPECT_EQ(r.inputs[2].depth, 1);
  EXPECT_EQ(step().why("step", 3).inputs.size(), 6u);
  EXPECT_EQ(step().why("context").inputs.size(), 0u);
  EXPECT_EQ(step().why("context").label.provenance, "assumed");
}

TEST(Sheet, SensitivitiesAreElasticities) {
  auto s = step().why("step", 1).sensitivities;
  ASSERT_EQ(s.size(), 4u);
  double share = 131072000 / 15131072000.0;  // of the cache
  EXPECT_EQ(s[0].name, "bandwidth");         // 1 / x is steeper than its tangent
  EXPECT_NEAR(static_cast<double>(s[0].percent), -1, 1e-4);
  EXPECT_EQ(s[1].name, "weights");
  EXPECT_NEAR(static_cast<double>(s[1].percent), 1 - share, 1e-9);
  EXPECT_NEAR(static_cast<double>(s[2].percent), share, 1e-9);
  EXPECT_NEAR(static_cast<double>(s[3].percent), share, 1e-9);

  // On the edge of what a formula takes, by the side that it takes.
  Sheet edge;
  edge.input({"share", "1", "of a whole", "assumed"}, 1);
  edge.formula({"rest", "1", "what is left, and one"}, "1 + sqrt(1 - share) ");
  edge.formula({"square", "1", "defined up to 1"}, "share ^ 2 + 0 * rest");
  auto one_sided = edge.why("square").sensitivities;
  ASSERT_EQ(one_sided.size(), 1u);
  EXPECT_NEAR(static_cast<double>(one_sided[0].percent), 1.995, 1e-9);

  Sheet t;
  t.input({"x", "1", "varied", "assumed"}, 3);
  t.input({"y", "1", "without effect", "assumed"}, 5);
  t.formula({"x2", "1", "its square"}, "x ^ 2");
  t.formula({"z", "1", "both ways at once, and another way around"}, "x * x2 + max(0, y - 100) + twice(x2) - 2 * x2");
  t.function({"twice", "1", "doubled"}, {"a"}, [](auto a) { return 2 * a[0]; });
  auto cubic = t.why("z").sensitivities;
  ASSERT_EQ(cubic.size(), 1u);
  EXPECT_NEAR(static_cast<double>(cubic[0].percent), 3, 1e-3);
}

TEST(SheetText, IsReadFromTheTop) {
  EXPECT_EQ(reason_text(step().why("step", 2)),
            "step = 4.517 ms: time of a step\n"
            "  formula      bytes / bandwidth\n"
            "  with values  15.13 GB / 3.35 TB/s\n"
            "\n"
            "inputs\n"
            "  bytes      15,131,072,000 B  = weights + cache\n"
            "    weights  15,000,000,000 B  config of a model\n"
            "    cache       131,072,000 B  = cache.token * context\n"
            "  bandwidth         3.35 TB/s  datasheet\n"
            "\n"
            "+1 % of one of these changes it by\n"
            "  bandwidth     -1.000 %\n"
            "  weights       +0.991 %\n"
            "  cache.token   +0.009 %\n"
            "  context       +0.009 %\n");
}

TEST(SheetText, SaysWhatFunctionsDoAndWhereValuesComeFrom) {
  Sheet s = step();
  s.function({"plus", "1", "a sum", "arithmetic"}, {"x", "y"}, [](auto x) { return x[0] + x[1]; });
  s.formula({"inner", "1", "calls one"}, "plus(context, 1)");
  s.formula({"outer", "1", "calls both"}, "twice(inner) + twice(1)");
  EXPECT_EQ(reason_text(s.why("outer", 1)),
            "outer = 2,004: calls both\n"
            "  formula      twice(inner) + twice(1)\n"
            "  with values  twice(1,001) + twice(1)\n"
            "\n"
            "inputs\n"
            "  inner  1,001  = plus(context, 1)\n"
            "\n"
            "functions\n"
            "  twice(x): its argument, doubled\n"
            "  plus(x, y): a sum; arithmetic\n"
            "\n"
            "+1 % of one of these changes it by\n"
            "  context   +0.998 %\n");
  EXPECT_EQ(reason_json(s.why("outer"))["functions"][1]["provenance"], "arithmetic");
  EXPECT_EQ(reason_text(s.why("context")), "context = 1,000 tokens: tokens cached\n  from         assumed\n");
}

TEST(SheetText, IsNeverWiderThanAPage) {
  Sheet s = step();
  std::string sum = "step";
  for (int i = 0; i < 60; ++i) sum += " + weights";
  s.formula({"long", "s", std::string(30, 'm') + " a meaning of many words that does not fit " + std::string(60, 'x')},
            sum);
  std::string text = reason_text(s.why("long"));
  size_t start = 0;
  for (size_t end; (end = text.find('\n', start)) != std::string::npos; start = end + 1) EXPECT_LE(end - start, 100u);
}

TEST(SheetText, JsonHasTheSameNumbers) {
  auto j = reason_json(step().why("bytes", 2));
  EXPECT_EQ(j["value"], 15131072000);
  EXPECT_EQ(j["formula"], "weights + cache");
  EXPECT_EQ(j["with_values"], "15 GB + 131.1 MB");
  EXPECT_EQ(j["inputs"][1]["name"], "cache");
  EXPECT_EQ(j["inputs"][2]["provenance"], "config of a model");
  EXPECT_EQ(j["inputs"][2]["depth"], 1);
  EXPECT_EQ(j["sensitivities"][0]["name"], "weights");
}

TEST(SheetText, AmountsHaveThePrefixOneExpects) {
  EXPECT_EQ(amount(15009316864, "B"), "15.01 GB");
  EXPECT_EQ(amount(0.004480393L, "s"), "4.48 ms");
  EXPECT_EQ(amount(1.456e-5L, "s"), "14.56 µs");
  EXPECT_EQ(amount(989.4e12L, "FLOP/s"), "989.4 TFLOP/s");
  EXPECT_EQ(amount(8030261248, "parameters"), "8.03 B parameters");
  EXPECT_EQ(amount(405853388800, "parameters", 3), "406 B parameters");
  EXPECT_EQ(amount(999.96L, "B"), "1 kB");
  EXPECT_EQ(amount(32, "layers"), "32 layers");
  EXPECT_EQ(amount(49591.06L, "tokens"), "49,591 tokens");
  EXPECT_EQ(amount(0.94823L, "1", 3), "0.948");
  EXPECT_EQ(amount(1075.838976L, "1", 5), "1,075.8");
  EXPECT_EQ(amount(999.99L, "1"), "1,000");
  EXPECT_EQ(amount(9999.6L, "1"), "10,000");
  EXPECT_EQ(amount(-1001, "1"), "-1,001");
  EXPECT_EQ(amount(1e300L, "1"), "1e+300");
  EXPECT_EQ(amount(0, "s"), "0 s");
  EXPECT_EQ(full_amount(8030261248, "parameters"), "8,030,261,248 parameters");
  EXPECT_EQ(full_amount(-1234567, "1"), "-1,234,567");
}

}  // namespace
}  // namespace ridgeline
