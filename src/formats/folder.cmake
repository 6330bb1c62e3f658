target_link_libraries(ridgeline_formats PUBLIC nlohmann_json::nlohmann_json)  # safetensors headers, config.json
