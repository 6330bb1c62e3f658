// Two profiles of one step held against each other: which kind of op became slower, and is it the program or the machine?
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace ridgeline {

// What `profile --json` wrote, as far as it is compared.
struct SavedProfile {
  struct Row {
    std::string name;  // of a kind of op, or "barriers", "choosing the token", "not explained"
    double measured = 0;
    double ideal = 0;
    double roof = 0;  // FLOP/s or B/s of what limits it; 0: nothing does
  };
  std::string file, model, batch;
  double step = 0, ideal = 0;  // seconds
  std::vector<Row> rows;
};
// Errors: what read_json_file throws; (bad_data, "profile_file") for what is no such file, naming the key that is wrong.
SavedProfile read_profile(const std::string& path);

struct ProfileDifference {
  struct Row {
    std::string name;
    double before = 0, after = 0;  // seconds; 0: that profile has none
    // Seconds by which `after` exceeds what the machine allows for: `before`, or more where the roof of the op was lower in the
    // second run. A faster machine is no reason to be slower. Below 0: it became faster.
    double slower = 0;
  };
  SavedProfile before, after;
  std::vector<Row> rows;  // what became slower first
  double slower = 0;      // of the step, in the same way
  // The greatest of `slower`, of the step or a row, as a fraction of the step before.
  double regression() const;
  const Row* regressed() const;  // the row that became slowest; nullptr: none did
};
ProfileDifference compare(SavedProfile before, SavedProfile after);
std::string difference_text(const ProfileDifference&);
nlohmann::ordered_json difference_json(const ProfileDifference&);

}  // namespace ridgeline
