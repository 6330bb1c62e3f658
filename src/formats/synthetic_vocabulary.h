// The vocabulary of synthetic models. Private to this folder.
#pragma once
#include "formats/gguf_writer.h"

namespace ridgeline {

// Sets tokenizer.ggml.* and a ChatML template for `size` tokens of the gpt2 kind: <|endoftext|>, <|im_start|>,
// <|im_end|>, the 256 bytes, then words of one to three syllables and their merges. Fewer than 259 tokens, or more than
// there are words: usage, "synth_shape".
void set_synthetic_vocabulary(GgufHeader& header, int64_t size);

}  // namespace ridgeline
