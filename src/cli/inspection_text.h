// An inspection for people and for programs. What a file names is made fit for a terminal.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "instance/inspection.h"

namespace ridgeline {

std::string inspection_text(const Checkpoint&, const Inspection&);
// architecture, name, parameters, file_bytes, config, types, memory, tokenizer, chat_template, unsupported, warnings,
// error.
nlohmann::ordered_json inspection_json(const Checkpoint&, const Inspection&);

// Every tensor: its type, its shape as the file has it (the contiguous dimension first), where it lies.
std::string tensors_text(const Checkpoint&, const Inspection&);
nlohmann::ordered_json tensors_json(const Checkpoint&, const Inspection&);

// Every metadata key of a GGUF file, long values shortened; config.json of a directory. JSON: null, numbers, text, or {type,
// count, begins} for an array; config.json as it is.
std::string metadata_text(const Checkpoint&);
nlohmann::ordered_json metadata_json(const Checkpoint&);

}  // namespace ridgeline
