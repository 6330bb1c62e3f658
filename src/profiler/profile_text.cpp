#include <algorithm>
#include <array>

#include "base/text_table.h"
#include "cost/explain.h"
#include "cost/units.h"
#include "profiler/profile_opportunities.h"
#include "profiler/profile_report.h"

namespace ridgeline {
namespace {

using Align = TextTable::Align;

std::string ms(double seconds) { return fmt::format("{:.3f}", seconds * 1e3); }
std::string percent(double fraction) { return fmt::format("{:.0f} %", 100 * fraction); }
std::string share(double fraction) { return fmt::format("{:.1f} %", 100 * fraction); }
std::string_view short_name(Limit l) { return l == Limit::memory ? "mem" : "comp"; }

// So much of an op that a row fits a hundred columns.
std::string shortened(const std::string& op) {
  constexpr size_t most = 41;
  return op.size() <= most ? op : op.substr(0, most - 3) + "...";
}

std::string limits_text(const Profile& p) {
  auto spread = [](const SourcedValue& f) { return f.spread ? fmt::format(" (spread {})", percent(*f.spread)) : ""; };
  std::string out = fmt::format("reads {}/s{}", bytes_text(p.hardware.bandwidth.value), spread(p.hardware.bandwidth));
  for (const auto& [arithmetic, peak] : p.hardware.peaks)
    out += fmt::format(", {} {} TFLOP/s{}", name_of(arithmetic), figures(peak.value / 1e12), spread(peak));
  return fmt::format("roof: {}; {}\n", p.hardware.title, out);
}

std::string heading(const Profile& p) {
  std::string out = fmt::format("{}   {}   step: {}   {} {}\n", p.model, weight_types(p.program), words(p.batch),
                                p.threads, p.threads == 1 ? "thread" : "threads");
  std::string predicted = p.predicted ? fmt::format(", {} predicted", time_text(*p.predicted)) : "";
  out += fmt::format("step {} measured{}, {} ideal: {} of this machine's roof\n", time_text(p.step), predicted,
                     time_text(p.ideal), percent(p.of_roof()));
  return out + limits_text(p);
}

// The columns of both tables; `predicted` only where there is a prediction.
class Rows {
 public:
  // recoverable: with that column too.
  Rows(const Profile& p, std::string title, bool recoverable)
      : p_(p), recoverable_(recoverable), table_(columns(p, std::move(title), recoverable)) {}

  void op_row(const std::string& name, const ProfileRow& r) {
    std::vector<std::string> rest{percent(r.of_roof()), std::string(short_name(r.limit)),
                                  r.time.measured > 0 ? percent(r.time.waiting / r.time.measured) : "-"};
    if (recoverable_) rest.push_back(ms(r.recoverable()));
    put(name, fmt::format("{}", r.nodes.size()), ms(r.time.ideal), ms(r.time.predicted), ms(r.time.measured),
        r.time.measured, rest);
  }
  // Time that no roof stands for.
  void other_row(const std::string& name, const std::string& count, double seconds) {
    put(name, count, "-", "-", ms(seconds), seconds, {"-"});
  }
  void sum_row(double ideal, double predicted, double measured) {
    put("step", "", ms(ideal), ms(predicted), ms(measured), measured, {percent(ideal / measured)});
  }
  std::string text() const { return table_.text(); }

 private:
  static std::vector<TextTable::Column> columns(const Profile& p, std::string title, bool recoverable) {
    std::vector<TextTable::Column> c{{std::move(title), Align::left}, {"ops"}, {"ideal ms"}};
    if (p.predicted) c.push_back({"predicted"});
    for (auto name : {"measured", "of step", "of roof"}) c.push_back({name});
    c.push_back({"limit", Align::left});
    c.push_back({"waits"});
    if (recoverable) c.push_back({"recoverable ms"});
    return c;
  }
  void put(const std::string& name, const std::string& count, const std::string& ideal, const std::string& predicted,
           const std::string& measured, double seconds, const std::vector<std::string>& rest) {
    std::vector<std::string> cells{name, count, ideal};
    if (p_.predicted) cells.push_back(predicted);
    cells.push_back(measured), cells.push_back(share(seconds / p_.step));
    cells.insert(cells.end(), rest.begin(), rest.end());
    table_.row(std::move(cells));
  }
  const Profile& p_;
  bool recoverable_;
  TextTable table_;
};

std::string family_table(const Profile& p) {
  Rows rows(p, "where", true);
  for (const ProfileRow& r : rows_by_family(p)) rows.op_row(r.name, r);
  rows.other_row("barriers", fmt::format("{}", p.barriers), p.in_barriers());
  rows.other_row("choosing the token", "", p.sampling);
  rows.other_row("not explained", "", p.unexplained);
  rows.sum_row(p.ideal, p.predicted.value_or(0), p.step);
  return rows.text();
}

std::string kind_table(const Profile& p) {
  Rows rows(p, "op", false);
  for (const ProfileRow& r : rows_by_kind(p)) rows.op_row(shortened(r.name), r);
  return rows.text();
}

std::string where_text(const Opportunity& o) {
  std::string text = (o.kind == Opportunity::Kind::fusion ? "fuse " : "") + shortened(o.what);
  return o.places == 1 ? text : fmt::format("{} x{}", text, o.places);
}

std::string opportunity_list(const Profile& p) {
  constexpr size_t most = 10;
  auto found = opportunities(p);
  if (found.empty()) return "nothing to have back: every op is at its roof\n";
  TextTable table({{"recoverable ms"}, {"where", Align::left}, {"why", Align::left}});
  for (size_t i = 0; i < std::min(most, found.size()); ++i)
    table.row({ms(found[i].seconds), where_text(found[i]), found[i].why});
  std::string more = found.size() > most ? fmt::format("  and {} more (--json has all)\n", found.size() - most) : "";
  return table.text() + more;
}

std::string notes(const Profile& p) {
  bool best = p.displaced && !p.left_out;
  std::string out = fmt::format("{} of {} timed steps: the {}, by how near each came to its roof.\n", p.used, p.steps,
                                best ? "best quarter" : "middle half");
  if (p.displaced)
    out += fmt::format("In {} of them the system took a processor away: {}.\n", p.displaced,
                       best ? "too many to leave them out" : "they are left out");
  out += fmt::format(
      "Timing adds {:+.1f} % to a step: median of {} pairs with and without, quartiles {:+.1f} and {:+.1f} %.\n",
      100 * p.observing, p.pairs, 100 * p.observing_low, 100 * p.observing_high);
  constexpr double quiet = 0.25;  // what bursts of an idle machine differ by
  std::array<double, 2> ideal{};
  for (size_t i = 0; i < p.ops.size(); ++i) ideal[static_cast<size_t>(p.limits[i])] += p.ops[i].ideal;
  double spread = 0;
  if (ideal[static_cast<size_t>(Limit::memory)] > p.ideal / 4) spread = p.hardware.bandwidth.spread.value_or(0);
  if (ideal[static_cast<size_t>(Limit::compute)] > p.ideal / 4)
    for (const auto& [arithmetic, peak] : p.hardware.peaks) spread = std::max(spread, peak.spread.value_or(0));
  if (p.limits_in_run && spread > quiet)
    out += fmt::format("The limits swung by {} in this run: other work is on the machine, and the times are its too.\n",
                       percent(spread));
  for (const ProfileRow& r : rows_by_family(p))
    if (r.of_roof() > 1.05) {
      out += "More than 100 % of a roof: what was read came from a cache and not from memory.\n";
      break;
    }
  return out;
}

}  // namespace

std::string profile_text(const Profile& p) {
  return heading(p) + "\n" + family_table(p) + "\n" + opportunity_list(p) + "\n" + kind_table(p) + "\n" + notes(p);
}

}  // namespace ridgeline
