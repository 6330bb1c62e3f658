// Which tokens of a long text are scored with how much of the text before them.
#pragma once
#include <cstdint>
#include <vector>

namespace ridgeline {

// Tokens [begin, end) are read from position 0 on, and [scored, end) are scored. begin < scored < end.
struct Window {
  int64_t begin, scored, end;
  bool operator==(const Window&) const = default;
};

// Hugging Face's sliding window (transformers, "Perplexity of fixed-length models"): windows of `context` tokens that begin
// every `stride` tokens, each scoring what the one before it did not reach. So every token of the text is scored once, but for
// the first, and all beyond the first window see at least context - stride tokens. Needs 1 <= stride <= context, context >= 2.
std::vector<Window> sliding_windows(int64_t tokens, int64_t context, int64_t stride);

// llama.cpp's perplexity tool: chunks of `context` tokens side by side, of each the second half scored but for that half's first
// token; a last chunk that is not whole is left out. These are the tokens that every other window of
// sliding_windows(context / 2) scores, with the same text before them. Needs context >= 4.
std::vector<Window> chunk_windows(int64_t tokens, int64_t context);

}  // namespace ridgeline
