#include "profiler/profile_picture.h"

#include <algorithm>

#include "base/error.h"
#include "base/text_table.h"
#include "chart/roofline_chart.h"
#include "cost/explain.h"
#include "cost/units.h"
#include "profiler/profile_rows.h"

namespace ridgeline {
namespace {

std::string flop_rate(double per_second) { return quantity(per_second) + "FLOP/s"; }

}  // namespace

std::string profile_picture(std::span<const Profile> profiles) {
  require(!profiles.empty(), "a picture of no profile");
  const Hardware& h = profiles.front().hardware;
  RooflineChart chart{.bandwidths = {{"memory " + bytes_text(h.bandwidth.value) + "/s", h.bandwidth.value}}};
  chart.caption = {
      fmt::format("{} measured: {}, {} threads", profiles.front().model, weight_types(profiles.front().program),
                  profiles.front().threads),
      "Each point is an op of all layers together at the speed it reached, its area the share of the step's time; "
      "the roofs were measured in the same run.",
      "Measured performance over arithmetic intensity, both logarithmic."};
  std::vector<Arithmetic> used;
  for (const Profile& p : profiles) {
    for (const ProfileRow& row : rows_by_family(p)) {
      if (row.cost.flops() == 0 || row.time.measured <= 0) continue;
      for (size_t node : row.nodes) {
        Arithmetic a = arithmetic_of(p.program, p.program.nodes[node], h, {});
        if (row.cost.matmul + row.cost.attention > 0 && std::ranges::find(used, a) == used.end()) used.push_back(a);
      }
      double rate = static_cast<double>(row.cost.flops()) / row.time.measured, share = row.time.measured / p.step;
      chart.points.push_back({row.name, row.cost.intensity(), rate, share, chart.groups.size(),
                              fmt::format("{}: {:.1f} % of the step, {:.0f} % of its roof, {}", row.name, 100 * share,
                                          100 * row.of_roof(), flop_rate(rate))});
    }
    chart.groups.push_back(
        fmt::format("{}: {}, {:.0f} % of the roof", p.batch.text(), time_text(p.step), 100 * p.of_roof()));
    chart.caption.description +=
        fmt::format(" Step {}: {}, {:.0f} % of the roof.", p.batch.text(), time_text(p.step), 100 * p.of_roof());
  }
  for (int a = arithmetic_count - 1; a >= 0; --a) {
    auto arithmetic = static_cast<Arithmetic>(a);
    if (std::ranges::find(used, arithmetic) == used.end()) continue;
    double value = h.peak(arithmetic).figure.value;
    chart.peaks.push_back({fmt::format("{} {}", name_of(arithmetic), flop_rate(value)), value});
  }
  return roofline_svg(chart);
}

}  // namespace ridgeline
