// How the page of a plan looks: on a phone, on a desk, on paper, by day and by night.
#pragma once
#include <string_view>

namespace ridgeline {

std::string_view report_style();

}  // namespace ridgeline
