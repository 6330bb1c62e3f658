/* The whole border between C++ and the Rust library in rust/. Only tokenizer.cpp and chat_template.cpp include it.
 *
 * Text crosses as slices that the callee only borrows. Results are handed to a sink before the call returns, so that no
 * memory changes hands. A call that does not return rl_ok has handed its sink a message instead. Objects may be used by
 * many threads at once; `free` accepts NULL. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const char* data; /* may be NULL when size is 0 */
  size_t size;
} rl_slice;

typedef struct {
  void* to;
  void (*write)(void* to, const void* data, size_t size); /* must not throw; size in bytes */
} rl_sink;

typedef enum {
  rl_ok = 0,
  rl_invalid = 1, /* what was given is malformed */
  rl_limit = 2,   /* a limit was reached: steps, time, memory, output, nesting */
  rl_raised = 3,  /* the template called raise_exception(message) */
  rl_fault = 4,   /* a fault of the library */
} rl_status;

/* --- byte-pair encoding ------------------------------------------------------------------------------------------ */

typedef struct rl_encoder rl_encoder;

/* One token. kind: 0 takes no part in encoding, 1 a product of merges, 2 matched in any text, 3 matched only when asked. */
enum {
  rl_lstrip = 1,      /* of kinds 2 and 3: takes the whitespace before it */
  rl_rstrip = 2,      /* that behind it */
  rl_single_word = 4, /* matched only where no letter, digit or '_' touches it */
  rl_normalized = 8,  /* looked for in the text once it is normalized */
  rl_merged = 16,     /* a product of merges too */
};
typedef struct {
  rl_slice text; /* UTF-8 */
  int32_t kind;
  int32_t flags; /* rl_lstrip... */
} rl_token;

/* Ids of kind 1: left + right is the text of the result. Their order is their rank. */
typedef struct {
  uint32_t left, right, result;
} rl_merge;

typedef struct {
  const rl_token* tokens; /* the index is the id */
  size_t token_count;
  const rl_merge* merges;
  size_t merge_count;
  const float* scores; /* one per token, no NaN, in place of merges: any two pieces may merge to a third; or NULL */
  const uint32_t* byte_ids; /* 256, for characters that are no token, where is_in_characters; or NULL */
  int32_t unknown;          /* for a byte or character that has no token, nor byte_ids; or -1: nothing */
  int32_t fuse_unknown;     /* one for those side by side */
  rl_slice pattern;         /* cuts the words, one of: gpt-2 llama-3 qwen2 tekken gpt-4o; or empty */
  int32_t is_in_characters; /* tokens are spelt as they are, a space as U+2581; else in the byte alphabet of GPT-2 */
  int32_t words_at_spaces;  /* where is_in_characters: each space begins a word */
  int32_t digits_apart;     /* every numeric character is a word */
  int32_t compose;          /* text is brought into Unicode's normal form C */
  int32_t whole_words;      /* a word that is a token needs no merges */
  int32_t space_prefix; /* a space is put before each piece of text between tokens of kinds 2 and 3: 0 never, 1 where
                               it does not begin with one, 2 always, 3 as 1 but only at the beginning of the text */
} rl_vocabulary;

rl_status rl_encoder_new(const rl_vocabulary* vocabulary, rl_encoder** result, rl_sink error);
void rl_encoder_free(rl_encoder* encoder);

/* text -> int32_t ids. parse_special: tokens of kind 3 are matched. breaker: a code point that is dropped from the text
 * but over which no token is matched; 0 for none. Bytes that are not UTF-8 become their byte tokens. */
rl_status rl_encode(const rl_encoder* encoder, rl_slice text, int32_t parse_special, uint32_t breaker, rl_sink result);

/* text -> text in which the breaker stands inside each occurrence of a token of kind 3, and wherever the text (trimmed)
 * begins or ends with a part of one. Bytes that are not UTF-8 become U+FFFD. */
rl_status rl_break_special(const rl_encoder* encoder, rl_slice text, uint32_t breaker, rl_sink result);

/* --- chat templates ---------------------------------------------------------------------------------------------- */

typedef struct rl_template rl_template;

typedef struct {
  rl_slice role, content;
} rl_message;

typedef struct {
  uint64_t steps;        /* interpreter steps of one rendering */
  uint64_t output_bytes; /* of one rendering */
  uint64_t memory_bytes; /* live at once while compiling or rendering */
  uint64_t milliseconds; /* of a processor, for one compiling or rendering */
} rl_template_limits;

/* bos, eos: data is NULL where the vocabulary has none. */
rl_status rl_template_new(rl_slice source, rl_slice bos, rl_slice eos, rl_template_limits limits, rl_template** result,
                          rl_sink error);
void rl_template_free(rl_template* chat_template);
rl_status rl_template_render(const rl_template* chat_template, const rl_message* messages, size_t message_count,
                             int32_t add_generation_prompt, rl_sink result);

#ifdef __cplusplus
}
#endif
