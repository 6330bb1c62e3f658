// The one table of limits. Everything that comes from outside is held to a row of it before any work starts.
#pragma once
#include <cstdint>

namespace ridgeline::limits {

// GGUF files
inline constexpr uint64_t gguf_header_bytes = 128ull << 20;  // everything before the tensor data; a million tensors fit
inline constexpr uint64_t gguf_metadata_entries = 65'536;
inline constexpr uint64_t gguf_tensors = 1'048'576;
inline constexpr uint64_t gguf_key_bytes = 256;
inline constexpr uint64_t gguf_tensor_name_bytes = 64;      // including the NUL other readers reserve: 63 characters
inline constexpr uint64_t gguf_string_bytes = 16ull << 20;  // one metadata string; chat templates are below 1 MiB
inline constexpr uint64_t gguf_array_elements = 16ull << 20;
inline constexpr uint64_t tensor_dimensions = 4;
inline constexpr uint64_t alignment_least = 8, alignment_most = 4096;

// Files of one model: shards, or parts of a split GGUF; the largest published have a few hundred.
inline constexpr uint64_t shards = 1'000;

// safetensors files, and the JSON beside them
inline constexpr uint64_t safetensors_header_bytes = 100'000'000;  // the most the format's own reader takes
inline constexpr uint64_t safetensors_tensors = 1'048'576;
inline constexpr uint64_t safetensors_name_bytes = 1'024;
inline constexpr uint64_t safetensors_dimensions = 64;
inline constexpr uint64_t safetensors_metadata_entries = 65'536;
inline constexpr uint64_t index_bytes = 64ull << 20, index_values = 1ull << 21;
inline constexpr uint64_t config_bytes = 4ull << 20, config_values = 1ull << 18;
inline constexpr int json_depth = 64;

// Models
inline constexpr int64_t layers = 1'024;
inline constexpr int64_t dimension = 1 << 20;  // hidden size, feed-forward size, heads * head_dim
inline constexpr int64_t heads = 4'096;
inline constexpr int64_t head_dim = 512;
inline constexpr int64_t vocabulary = 4 << 20;
inline constexpr int64_t context = 64 << 20;

// Text
inline constexpr uint64_t prompt_bytes = 8ull << 20;
inline constexpr uint64_t token_bytes = 1ull << 20;
inline constexpr uint64_t special_token_bytes = 1'024;
inline constexpr uint64_t merges = 8ull << 20;
inline constexpr uint64_t added_tokens = 256ull << 10;           // published vocabularies have some thousands
inline constexpr uint64_t tokenizer_json_bytes = 128ull << 20;   // tokenizer.json; Gemma 3's has 33 MB
inline constexpr uint64_t tokenizer_json_values = 512ull << 10;  // outside of the vocabulary, merges and added tokens
inline constexpr uint64_t template_bytes = 512ull << 10;  // published ones are below 32 KiB; bounds how deep one nests
inline constexpr uint64_t template_fuel = 1'000'000;      // interpreter steps of one rendering
inline constexpr uint64_t template_output_bytes = 4ull << 20;
inline constexpr uint64_t template_memory_bytes = 16ull << 20;  // beside eight times the messages
inline constexpr uint64_t template_milliseconds = 250;          // of a processor

// The hub
inline constexpr uint64_t hub_listing_bytes = 64ull << 20, hub_listing_values = 4ull << 20;  // one page
inline constexpr uint64_t hub_listing_pages = 1'000;
inline constexpr uint64_t hub_header_bytes = 256ull << 10;
inline constexpr uint64_t hub_name_bytes = 1'024;
inline constexpr uint64_t hub_redirects = 10;
inline constexpr int hub_attempts = 4;   // of a request that brings nothing
inline constexpr int hub_resumes = 100;  // of a file that comes in pieces

// Evaluation
inline constexpr uint64_t question_file_bytes = 256ull << 20;
inline constexpr uint64_t choices = 1'000;  // of one question

// Command line
inline constexpr int64_t threads = 1'024;
inline constexpr int64_t batch_sequences = 65'536;  // of an --batch expression

// A saved conversation
inline constexpr uint64_t chat_file_bytes = 64ull << 20;
inline constexpr uint64_t chat_file_values = 4ull << 20;

}  // namespace ridgeline::limits
