target_link_libraries(ridgeline_base PUBLIC nlohmann_json::nlohmann_json)  # json.h
