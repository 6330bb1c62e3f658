#include "planner/report.h"

#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <sstream>

#include "markup.h"
#include "planner/plan_lines.h"
#include "planner/step_kinds.h"

namespace ridgeline {
namespace {

Plan plan_of(std::string_view model, std::string_view hardware, std::string called = "") {
  PlanRequest r;
  r.situation.model = called.empty() ? std::string(model) : called;
  r.situation.config = from_catalogue(model).config;
  r.situation.hardware = hardware_named(hardware);
  r.fit = model == "llama-3-8b";
  return make_plan(r);
}

const Plan& llama() {
  static const Plan plan = plan_of("llama-3-8b", "h100");
  return plan;
}

const std::vector<std::string> html_empty = {"meta"};

// The text of a page or picture without its markup.
std::string words_of(const std::vector<test::Element>& all) {
  std::string out;
  for (const auto& e : all) out += e.text + "\n";
  return out;
}

TEST(Report, NeedsNothingFromElsewhere) {
  std::string html = report_html(llama(), "ridgeline plan llama-3-8b");
  for (const char* reference : {"http", "src=", "@import", "url(", "<link", "<script", "<iframe", "<object", "<base"})
    EXPECT_EQ(html.find(reference), html.npos) << reference;
  for (const auto& e : test::elements_of(html, html_empty))
    if (std::string to = e["href"]; !to.empty()) {
      EXPECT_TRUE(to.starts_with("#")) << to;
      EXPECT_NE(html.find("id=\"" + to.substr(1) + "\""), html.npos) << to;
    }
}

TEST(Report, HoldsEverySectionAndNumber) {
  const Plan& p = llama();
  std::string html = report_html(p, "ridgeline plan llama-3-8b --hw 'a b'");
  auto all = test::elements_of(html, html_empty);
  for (const char* id :
       {"answers", "roofline", "flops", "memory", "kv", "throughput", "step", "tables", "machine", "formulas"})
    EXPECT_TRUE(std::ranges::any_of(all, [&](const auto& e) { return e.name == "section" && e["id"] == id; })) << id;
  for (const PlanAnswer& a : plan_answers(p))
    for (const auto& line : a.lines) EXPECT_NE(html.find("<dd>" + xml_text(line) + "</dd>"), html.npos) << line;
  for (const PlanTable& t : plan_tables(p))
    for (const auto& row : t.rows)
      for (const auto& cell : row) EXPECT_NE(html.find(">" + xml_text(cell) + "<"), html.npos) << cell;
  std::string text = words_of(all);
  for (const auto& row : total_rows()) EXPECT_NE(text.find(row.label), text.npos);
  EXPECT_NE(html.find("= 13958643712 tokens"), html.npos);
  EXPECT_NE(text.find("NVIDIA H100 data sheet"), text.npos);
  EXPECT_NE(html.find("ridgeline plan llama-3-8b --hw &#39;a b&#39;"), html.npos);
  // One of the first level, then those of the second; pictures with a name and a description, at two widths.
  auto count = [&](std::string_view name) {
    return std::ranges::count_if(all, [&](const auto& e) { return e.name == name; });
  };
  EXPECT_EQ(count("h1"), 1);
  EXPECT_EQ(count("h2"), 10);
  EXPECT_EQ(count("svg"), 10);
  EXPECT_EQ(count("desc"), 10);
  EXPECT_EQ(html, report_html(p, "ridgeline plan llama-3-8b --hw 'a b'"));
}

TEST(Report, HostileNamesAreText) {
  std::string name = "x</title><script>alert('1')</script>\" onload=\"y\x1b[31m\xff";
  std::string html = report_html(plan_of("gpt2", "xeon-8480", name), "ridgeline plan '" + name + "'");
  EXPECT_EQ(html.find("<script"), html.npos);
  EXPECT_EQ(html.find('\x1b'), html.npos);
  for (const auto& e : test::elements_of(html, html_empty)) EXPECT_EQ(e["onload"], "");
}

TEST(Pictures, AreReadableAtBothWidths) {
  for (auto [model, hardware] : {std::pair{"llama-3-8b", "h100"},
                                 {"gpt2", "xeon-8480"},
                                 {"gemma-3-27b", "rtx-4090"},  // does not fit
                                 {"llama-3.1-405b", "mi300x"},
                                 {"smollm2-135m", "apple-m4"}}) {
    Plan p = plan_of(model, hardware);
    for (const auto& picture : plan_pictures())
      for (double width : {830.0, 350.0}) {
        SCOPED_TRACE(fmt::format("{} of {} on {}, {} wide", picture.name, model, hardware, width));
        test::expect_readable(picture.svg(p, {.width = width}));
      }
  }
}

TEST(Pictures, SayWhatThePlanSays) {
  auto svg = [](std::string_view name) { return picture_named(name).svg(llama(), {}); };
  EXPECT_NE(svg("roofline").find("decode, 1 sequence: 4.52 ms"), std::string::npos);
  EXPECT_NE(svg("roofline").find("ridge: 295 FLOP/B"), std::string::npos);
  EXPECT_NE(svg("throughput").find("memory: 426 fit"), std::string::npos);
  EXPECT_NE(svg("throughput").find("never crosses"), std::string::npos);
  EXPECT_NE(svg("kv").find(">64: 6,668 tokens<"), std::string::npos);
  EXPECT_NE(svg("memory").find("does not fit"), std::string::npos);
}

TEST(Pictures, AnUnknownOneNamesThoseThereAre) {
  try {
    picture_named("pie");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::usage);
    EXPECT_EQ(e.id(), "unknown_picture");
    EXPECT_STREQ(e.what(), "there is no picture \"pie\"; there are: roofline, flops, memory, kv, throughput");
  }
}

TEST(Pictures, TheOneInTheDocsIsNotStale) {
  std::ifstream in(RIDGELINE_TEST_DATA "/../../docs/images/roofline-llama-3-8b.svg");
  std::stringstream committed;
  committed << in.rdbuf();
  EXPECT_EQ(committed.str(), picture_named("roofline").svg(llama(), {}))
      << "ridgeline plan llama-3-8b --hw h100 --svg roofline -o docs/images/roofline-llama-3-8b.svg";
}

TEST(Components, AreFoundInEveryFamily) {
  for (const char* model : {"llama-3-8b", "gpt2", "pythia-160m", "gemma-3-4b", "qwen3-8b"}) {
    SCOPED_TRACE(model);
    Plan p = plan_of(model, "h100");
    const Program& program = p.deployment->program();
    auto parts = components(program);
    std::map<Component, std::set<std::string>> weights;
    for (const StepKind& k : step_kinds(program, p.step)) weights[k.component].insert(k.label);
    for (const char* made : {"q k v", "attn_out"}) EXPECT_TRUE(weights[Component::projections].contains(made)) << made;
    EXPECT_TRUE(weights[Component::attention].contains("attention"));
    EXPECT_TRUE(weights[Component::feed_forward].contains("down"));
    EXPECT_EQ(weights[Component::projections].size(), 2u);
    EXPECT_EQ(weights[Component::head].size(), 1u);
    auto flops = flops_by_component(program, p.step);
    EXPECT_EQ(std::accumulate(flops.begin(), flops.end(), int64_t{0}), p.step.sum.flops());
    int64_t head = 0;
    for (size_t i = 0; i < parts.size(); ++i)
      if (parts[i] == Component::head) head += p.step.ops[i].cost.matmul;
    EXPECT_EQ(head, totals(program).head_flops.at(p.step.batch));
  }
}

TEST(StepKinds, HoldTheWholeStep) {
  const Plan& p = llama();
  int64_t flops = 0, bytes = 0, ops = 0;
  double seconds = 0;
  auto kinds = step_kinds(p.deployment->program(), p.step);
  for (const StepKind& k : kinds) {
    ops += k.count, flops += k.count * k.one.cost.flops(), bytes += k.count * k.one.cost.bytes();
    seconds += static_cast<double>(k.count) * k.one.ideal;
  }
  EXPECT_EQ(ops, std::ssize(p.step.ops));
  EXPECT_LT(kinds.size(), 25u);
  EXPECT_EQ(flops, p.step.sum.flops());
  EXPECT_EQ(bytes, p.step.sum.bytes());
  EXPECT_NEAR(seconds, p.step.ideal, 1e-12);
}

}  // namespace
}  // namespace ridgeline
