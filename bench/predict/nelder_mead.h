// The least of a function of a few numbers, by reflecting and shrinking a simplex (Nelder and Mead, The Computer Journal 7,
// 1965). Good enough for six constants and a function that costs milliseconds.
#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace ridgeline {

using Point = std::vector<double>;

inline Point nelder_mead(const std::function<double(const Point&)>& f, const Point& start, double step,
                         int evaluations) {
  struct Vertex {
    Point at;
    double value;
  };
  std::vector<Vertex> simplex{{start, f(start)}};
  for (size_t i = 0; i < start.size(); ++i) {
    Point p = start;
    p[i] += step;
    simplex.push_back({p, f(p)});
  }
  auto n = static_cast<double>(start.size());
  for (int used = static_cast<int>(simplex.size()); used < evaluations;) {
    std::ranges::sort(simplex, {}, &Vertex::value);
    if (simplex.back().value - simplex.front().value < 1e-9) break;
    Point centre(start.size());
    for (size_t v = 0; v + 1 < simplex.size(); ++v)
      for (size_t i = 0; i < centre.size(); ++i) centre[i] += simplex[v].at[i] / n;
    auto tried = [&](double how_far) {
      Point p = centre;
      for (size_t i = 0; i < p.size(); ++i) p[i] += how_far * (centre[i] - simplex.back().at[i]);
      ++used;
      return Vertex{p, f(p)};
    };
    Vertex reflected = tried(1);
    if (reflected.value < simplex.front().value) {
      Vertex farther = tried(2);
      simplex.back() = farther.value < reflected.value ? farther : reflected;
    } else if (reflected.value < simplex[simplex.size() - 2].value) {
      simplex.back() = reflected;
    } else if (Vertex nearer = tried(reflected.value < simplex.back().value ? 0.5 : -0.5);
               nearer.value < std::min(reflected.value, simplex.back().value)) {
      simplex.back() = nearer;
    } else {
      for (size_t v = 1; v < simplex.size(); ++v) {
        for (size_t i = 0; i < centre.size(); ++i) simplex[v].at[i] = (simplex[v].at[i] + simplex[0].at[i]) / 2;
        simplex[v].value = f(simplex[v].at), ++used;
      }
    }
  }
  return std::ranges::min_element(simplex, {}, &Vertex::value)->at;
}

}  // namespace ridgeline
