target_link_libraries(ridgeline_cost PUBLIC nlohmann_json::nlohmann_json)  # explain --json
