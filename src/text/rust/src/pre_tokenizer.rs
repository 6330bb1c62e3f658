//! Cuts text into the words that merges may not cross.
//!
//! The published patterns are written for backtracking engines: `\s+(?!\S)|\s+` gives a run of whitespace up to its last
//! character, which goes to the next word, or the whole run at the end of the text. Backtracking takes space and time
//! that grow with the run and gives up on long ones, so the patterns here end in a plain `\s+` for a linear engine, and
//! `words` hands the last character back.

use crate::{invalid, Failure};
use regex::Regex;

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+";
const LLAMA3: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+";
const QWEN2: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+";

pub struct PreTokenizer {
    pattern: Regex,
    newlines_end_words: bool, // the pattern matches whitespace that ends in a line break as a word of its own
    single_digits: bool,      // every numeric character is cut off first
    pub normalize: bool,      // text is brought into normal form C first
    pub whole_words: bool,    // a word that is a token needs no merges
}

impl PreTokenizer {
    pub fn new(name: &str) -> Result<Self, Failure> {
        let (pattern, single_digits) = match name {
            "gpt-2" => (GPT2, false),
            "smollm" => (GPT2, true),
            "llama-bpe" => (LLAMA3, false),
            "qwen2" => (QWEN2, false),
            _ => return Err(invalid(format!("unknown pre-tokenizer {name:?}"))),
        };
        Ok(PreTokenizer {
            pattern: Regex::new(pattern).expect("the patterns are constants"),
            newlines_end_words: pattern != GPT2,
            single_digits,
            normalize: name == "qwen2",
            whole_words: name == "llama-bpe",
        })
    }

    pub fn for_each_word(&self, text: &str, mut word: impl FnMut(&str)) {
        if !self.single_digits {
            return self.words(text, &mut word);
        }
        let mut start = 0;
        for (at, digit) in text.match_indices(char::is_numeric) {
            self.words(&text[start..at], &mut word);
            word(digit);
            start = at + digit.len();
        }
        self.words(&text[start..], &mut word);
    }

    fn words(&self, text: &str, word: &mut impl FnMut(&str)) {
        let mut start = 0;
        while let Some(found) = self.pattern.find_at(text, start) {
            if found.start() > start {
                word(&text[start..found.start()]); // between matches: no pattern leaves any, but none is lost
            }
            let mut end = found.end();
            let last = found.as_str().chars().next_back().unwrap_or_default();
            let is_space_run = last.is_whitespace() && !(self.newlines_end_words && matches!(last, '\r' | '\n'));
            if is_space_run && end < text.len() && found.len() > last.len_utf8() {
                end -= last.len_utf8();
            }
            word(&text[found.start()..end]);
            start = end;
        }
        if start < text.len() {
            word(&text[start..]);
        }
    }
}
