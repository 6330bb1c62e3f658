// A plan as a page for a browser, and its pictures for other pages.
#pragma once
#include <span>

#include "chart/svg.h"
#include "planner/plan.h"

namespace ridgeline {

// One file that needs no other and no network: answers, pictures, tables, figures of the machine, formulas. command: what was
// typed to get it, for the foot of the page.
std::string report_html(const Plan&, std::string_view command);

struct PlanPicture {
  std::string_view name;     // for --svg
  std::string_view heading;  // of its section
  std::string_view reading;  // how it is read
  std::string (*svg)(const Plan&, Paper);
};
std::span<const PlanPicture> plan_pictures();
// Throws Error (usage, "unknown_picture") with the names there are.
const PlanPicture& picture_named(std::string_view name);

}  // namespace ridgeline
