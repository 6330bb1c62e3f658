#include "planner/serving_samples.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>

#include "base/error.h"

namespace ridgeline {
namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (size_t end; (end = text.find(at)) != text.npos; text.remove_prefix(end + 1))
    parts.push_back(text.substr(0, end));
  parts.push_back(text);
  return parts;
}

// The catalogue's name of "nvidia/Llama-3.1-8B-Instruct-FP8"; empty: not there.
std::string catalogue_name(std::string_view path) {
  std::string name(path.substr(path.rfind('/') + 1));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (std::string_view suffix : {"-fp8", "-instruct"})
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  return find_in_catalogue(name) ? name : "";
}

template <class T>
T number(std::string_view text, size_t line, std::string_view column) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value > 0))
    fail(ExitCode::bad_data, "serving_samples", "line {}, {}: '{}' is not a number above 0", line, column, text);
  return value;
}

}  // namespace

std::vector<ServingSample> parse_serving_samples(std::string_view csv) {
  std::vector<ServingSample> samples;
  std::map<std::string_view, size_t> column;
  size_t line = 0;
  for (std::string_view text : split(csv, '\n')) {
    ++line;
    while (text.ends_with('\r')) text.remove_suffix(1);
    if (text.empty()) continue;
    auto cells = split(text, ',');
    if (column.empty()) {
      for (size_t i = 0; i < cells.size(); ++i) column[cells[i]] = i;
      for (auto name : {"backend", "model_path", "precision", "isl", "osl", "batch_size", "tp_size", "silicon_tpot_ms"})
        if (!column.contains(name)) fail(ExitCode::bad_data, "serving_samples", "line 1 lacks the column {}", name);
      continue;
    }
    if (cells.size() != column.size())
      fail(ExitCode::bad_data, "serving_samples", "line {} has {} cells, expected {}", line, cells.size(),
           column.size());
    auto cell = [&](std::string_view name) { return cells[column.at(name)]; };
    ServingSample s{.engine = std::string(cell("backend")), .model = catalogue_name(cell("model_path"))};
    if (s.model.empty()) continue;
    if (auto precision = cell("precision"); precision == "fp8")
      s.fp8 = true;
    else if (!precision.empty())
      fail(ExitCode::bad_data, "serving_samples", "line {}: precision '{}'; expected none or fp8", line, precision);
    s.fp8_kv = s.fp8 && s.model == "llama-3.1-70b";
    s.tensor = number<int>(cell("tp_size"), line, "tp_size");
    s.load = {number<int64_t>(cell("batch_size"), line, "batch_size"), number<int64_t>(cell("isl"), line, "isl"),
              number<int64_t>(cell("osl"), line, "osl")};
    s.tpot = number<double>(cell("silicon_tpot_ms"), line, "silicon_tpot_ms") / 1e3;
    samples.push_back(std::move(s));
  }
  return samples;
}

Situation situation_of(const ServingSample& sample, const Hardware& h) {
  Situation s{
      .model = sample.model, .config = from_catalogue(sample.model).config, .hardware = h, .tensor = sample.tensor};
  if (sample.fp8) s.math = Arithmetic::fp8, s.weight_bits = 8;
  if (sample.fp8_kv) s.kv_bits = 8;
  if (auto engine = h.engines.find(sample.engine); engine != h.engines.end()) s.hardware.efficiency = engine->second;
  return s;
}

ErrorSummary summarize(std::vector<double> errors) {
  ErrorSummary e{.count = errors.size()};
  if (errors.empty()) return e;
  auto n = static_cast<double>(errors.size());
  e.bias = std::accumulate(errors.begin(), errors.end(), 0.0) / n;
  for (double& x : errors) x = std::abs(x);
  std::ranges::sort(errors);
  e.mean_absolute = std::accumulate(errors.begin(), errors.end(), 0.0) / n;
  e.median_absolute = (errors[errors.size() / 2] + errors[(errors.size() - 1) / 2]) / 2;
  e.p90_absolute = errors[static_cast<size_t>(0.9 * (n - 1))];
  return e;
}

}  // namespace ridgeline
