// Aligned text for people: tables, and numbers as they are read.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ridgeline {

// A table of text: two spaces before and between columns, as wide as its longest cell. Cells are UTF-8.
class TextTable {
 public:
  enum class Align : uint8_t { left, right };
  struct Column {
    std::string title;
    Align align = Align::right;
  };
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void row(std::vector<std::string> cells) { rows_.push_back({std::move(cells), {}}); }  // missing cells are empty
  void line(std::string text) { rows_.push_back({{}, std::move(text)}); }                // across all columns
  std::string text() const;                                                              // with a line of titles

 private:
  struct Row {
    std::vector<std::string> cells;
    std::string line;
  };
  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

std::string grouped(int64_t n);  // 8,030,261,248
// Three to four digits and a decimal unit, "15.01 G", "131.2 M", "96 ": put the base unit behind it.
std::string quantity(double x);

// The decimal unit in which a column of numbers is written, so that they align on the digit.
struct Scale {
  double unit = 1;
  std::string_view prefix;  // "", "k", "M", ...
  // The unit in which `most`, the greatest of the numbers, is written with at most four digits before the point.
  explicit Scale(int64_t most);
  std::string text(int64_t n) const;  // "1,050.673"; 0 is "-"
};

}  // namespace ridgeline
