#include "base/text_table.h"
#include "cost/explain.h"
#include "cost/units.h"
#include "planner/plan_lines.h"
#include "planner/plan_words.h"
#include "planner/report.h"
#include "planner/report_style.h"
#include "planner/step_kinds.h"

namespace ridgeline {
namespace {

using Align = TextTable::Align;

constexpr double wide = 830, narrow = 350;  // pixels that pictures are made for; the page shows one of the two

std::string paragraph(std::string_view text, std::string_view classes = "") {
  return fmt::format("<p{}>{}</p>\n", classes.empty() ? "" : fmt::format(" class=\"{}\"", classes), xml_text(text));
}

std::string section(std::string_view id, std::string_view heading, const std::string& body) {
  return fmt::format(
      "<section id=\"{0}\" aria-labelledby=\"{0}-heading\">\n<h2 id=\"{0}-heading\">{1}</h2>\n{2}</section>\n", id,
      xml_text(heading), body);
}

// A table that scrolls sideways by itself where the page is narrower; `last` sets its last row apart, as a sum.
std::string table_html(const PlanTable& t, bool last = false) {
  std::string name = t.caption.empty() ? t.columns.front().title : t.caption;
  if (t.columns.empty()) return paragraph(name);
  auto cell = [&](std::string_view kind, size_t column, const std::string& text) {
    bool left = t.columns[column].align == Align::left;
    return fmt::format("<{}{}>{}</{}>", kind, left ? " class=\"left\"" : "", xml_text(text), kind.substr(0, 2));
  };
  std::string out = fmt::format(
      "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
      "aria-label=\"{}\">\n<table>\n{}<thead><tr>",
      xml_text(name), t.caption.empty() ? "" : fmt::format("<caption>{}</caption>\n", xml_text(name)));
  for (size_t i = 0; i < t.columns.size(); ++i)
    out += t.columns[i].title.empty() ? "<td></td>" : cell("th scope=\"col\"", i, t.columns[i].title);
  out += "</tr></thead>\n<tbody>\n";
  for (size_t r = 0; r < t.rows.size(); ++r) {
    out += last && r + 1 == t.rows.size() ? "<tr class=\"sum\">" : "<tr>";
    for (size_t i = 0; i < t.columns.size(); ++i)
      out += cell(i == 0 ? "th scope=\"row\"" : "td", i, i < t.rows[r].size() ? t.rows[r][i] : "");
    out += "</tr>\n";
  }
  return out + "</tbody>\n</table>\n</div>\n";
}

std::string answers_html(const Plan& p) {
  std::string out = "<dl>\n";
  for (const PlanAnswer& a : plan_answers(p)) {
    out += fmt::format("<dt>{}</dt>\n", xml_text(a.title));
    for (const auto& line : a.lines) out += fmt::format("<dd>{}</dd>\n", xml_text(line));
  }
  return out + "</dl>\n" + paragraph(times_remark(p), "remark");
}

std::string picture_html(const Plan& p, const PlanPicture& picture) {
  std::string out = paragraph(picture.reading) + "<figure>\n";
  for (auto [width, name] : {std::pair{wide, "wide"}, {narrow, "narrow"}})
    out += fmt::format("<div class=\"{}\">\n{}</div>\n", name, picture.svg(p, {.width = width, .in_page = true}));
  return out + "</figure>\n";
}

std::string bytes_or_none(int64_t bytes) { return bytes ? bytes_text(static_cast<double>(bytes)) : "-"; }
std::string flop_or_none(int64_t flops) { return flops ? quantity(static_cast<double>(flops)) : "-"; }

std::string step_html(const Plan& p) {
  const StepTime& t = p.step;
  auto time = [&](const auto& x) { return p.times == Times::ideal ? x.ideal : x.calibrated; };
  double whole = time(t);
  PlanTable table{words(t.batch),
                  {{"op", Align::left},
                   {"time"},
                   {"share"},
                   {"roof", Align::left},
                   {"FLOP/B"},
                   {"FLOP"},
                   {"weights"},
                   {"KV"},
                   {"activations"},
                   {"ops"},
                   {"part", Align::left}},
                  {}};
  for (const StepKind& k : step_kinds(p.deployment->program(), t)) {
    const OpCost& c = k.one.cost;
    double seconds = time(k.one) * static_cast<double>(k.count);
    auto all = [&](int64_t n) { return n * k.count; };
    std::string roof = k.one.limit() == Limit::memory
                           ? "memory"
                           : fmt::format("{} {}", name_of(k.one.arithmetic), name_of(k.one.limit()));
    table.row({k.text, time_text(seconds), percent(seconds / whole), roof, c.flops() ? figures(c.intensity()) : "-",
               flop_or_none(all(c.flops())), bytes_or_none(all(c.bytes(Role::weight))),
               bytes_or_none(all(c.bytes(Role::kv))), bytes_or_none(all(c.bytes(Role::activation))), grouped(k.count),
               std::string(name_of(k.component))});
  }
  auto extra = [&](std::string what, double seconds) {
    if (seconds > 0) table.row({std::move(what), time_text(seconds), percent(seconds / whole)});
  };
  const Efficiency e = p.request.situation.hardware.efficiency.value_or(Efficiency{});
  extra("links between devices", p.times == Times::ideal ? t.link_ideal : t.link_calibrated);
  if (p.times == Times::calibrated)
    extra("the step and its layers", t.overhead - e.op.value * static_cast<double>(t.ops.size()));
  table.row({"whole step", time_text(whole), percent(1), std::string(name_of(t.limit())), figures(t.sum.intensity()),
             flop_or_none(t.sum.flops()), bytes_or_none(t.sum.bytes(Role::weight)),
             bytes_or_none(t.sum.bytes(Role::kv)), bytes_or_none(t.sum.bytes(Role::activation)),
             grouped(std::ssize(t.ops)), ""});
  return paragraph("Ops that are alike in all layers are one row, their numbers taken together.") +
         table_html(table, true);
}

std::string tables_html(const Plan& p) {
  std::string out;
  for (const PlanTable& t : plan_tables(p)) out += table_html(t);
  return out;
}

std::string machine_html(const Plan& p) {
  const Hardware& h = p.request.situation.hardware;
  PlanTable t{h.title, {{"figure", Align::left}, {"value"}, {"source", Align::left}}, {}};
  auto row = [&](std::string what, std::string value, const SourcedValue& f) {
    std::string source = f.source + (f.checked ? "" : " (not checked)");
    if (f.spread) source += fmt::format(", spread {}", percent(*f.spread));
    t.row({std::move(what), std::move(value), std::move(source)});
  };
  for (const auto& [arithmetic, f] : h.peaks)
    row(fmt::format("{} peak, dense", name_of(arithmetic)), quantity(f.value) + "FLOP/s", f);
  row("memory bandwidth", bytes_text(h.bandwidth.value) + "/s", h.bandwidth);
  row("memory", bytes_text(h.capacity.value), h.capacity);
  for (const CacheLevel& c : h.caches) {
    row(c.name, bytes_text(c.bytes.value), c.bytes);
    row(c.name + " bandwidth", bytes_text(c.bandwidth.value) + "/s", c.bandwidth);
  }
  if (h.link) row("link to other devices", bytes_text(h.link->value) + "/s", *h.link);
  if (const auto& e = h.efficiency) {
    row("of the peaks, reached", percent(e->compute.value), e->compute);
    row("of the bandwidth, reached", percent(e->memory.value), e->memory);
    row("of the link, reached", percent(e->link.value), e->link);
    for (auto [what, f] : {std::pair{"a step adds", &e->step},
                           {"a layer adds", &e->layer},
                           {"an op adds", &e->op},
                           {"a collective adds", &e->link_latency}})
      row(what, time_text(f->value), *f);
  }
  std::string out = table_html(t);
  if (const auto& m = h.measured)
    out += paragraph(fmt::format("Measured {} on {}, {}{}.", m->date, m->processor, plural(m->threads, "thread"),
                                 m->contended ? ", beside other work" : ""));
  if (!h.note.empty()) out += paragraph(h.note);
  return out;
}

std::string formulas_html(const Plan& p) {
  Totals totals_of = totals(p.deployment->program());
  const BatchShape& batch = p.step.batch;
  PlanTable t{words(batch), {{"total", Align::left}, {"this step"}, {"for every batch", Align::left}}, {}};
  for (const auto& row : total_rows())
    t.row({std::string(row.label), grouped((totals_of.*row.count).at(batch)), "= " + (totals_of.*row.count).text()});
  std::string out = paragraph(
      "An op takes the longer of its FLOPs over the peak of its arithmetic and its bytes over the memory's bandwidth; "
      "a "
      "step takes the sum over its ops. Each total below is exact for every batch at once:");
  out += "<ul>\n";
  for (auto [symbol, meaning] : {std::pair{"tokens", "new tokens of all sequences"},
                                 {"keys", "keys and values read: cached and new tokens, of all sequences"},
                                 {"pairs", "pairs of a new token and a key that it sees"},
                                 {"logit_rows", "rows of logits that are wanted"}})
    out += fmt::format("<li><code>{}</code> {}</li>\n", symbol, meaning);
  out += "</ul>\n" + table_html(t);
  const Hardware& h = p.request.situation.hardware;
  if (h.activations != DType::f32)
    out += paragraph(
        fmt::format("Activations are counted here as the program stores them, in fp32; times count them in {}, "
                    "as engines on this machine store them.",
                    name_of(h.activations)));
  return out;
}

}  // namespace

std::string report_html(const Plan& p, std::string_view command) {
  const Situation& s = p.request.situation;
  std::string title = fmt::format("{} on {}", s.model, s.hardware.title);
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{0}: ridgeline plan</title>\n"
      "<style>{1}{2}</style>\n</head>\n<body>\n<header>\n<h1>{0}</h1>\n",
      xml_text(title), report_style(), chart_style());
  out += paragraph(plan_heading(p)) + "</header>\n<main>\n";

  std::string body = section("answers", "Answers", answers_html(p)), contents;
  auto add = [&](std::string_view id, std::string_view heading, const std::string& html) {
    body += section(id, heading, html);
    contents += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", id, xml_text(heading));
  };
  for (const PlanPicture& picture : plan_pictures()) add(picture.name, picture.heading, picture_html(p, picture));
  add("step", "The step, op by op", step_html(p));
  add("tables", "The numbers", tables_html(p));
  add("machine", "The machine", machine_html(p));
  add("formulas", "Formulas", formulas_html(p));
  // The answers come first, then where the rest is.
  size_t after_answers = body.find("</section>\n") + 11;
  body.insert(after_answers, "<nav aria-label=\"Contents\">\n<ul>\n" + contents + "</ul>\n</nav>\n");
  return out + body + "</main>\n<footer>\n<p>Made by <code>" + xml_text(command) +
         "</code></p>\n</footer>\n</body>\n</html>\n";
}

}  // namespace ridgeline
