//! Cuts text into the words that merges may not cross.
//!
//! The published patterns are written for backtracking engines: `\s+(?!\S)|\s+` gives a run of whitespace up to its last
//! character, which goes to the next word, or the whole run at the end of the text. Backtracking takes space and time
//! that grow with the run and gives up on long ones, so the patterns here end in a plain `\s+` for a linear engine, and
//! `words` hands the last character back.

use crate::{invalid, Failure};
use regex::Regex;
use std::sync::OnceLock;

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+";
const LLAMA3: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+";
const QWEN2: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+";

// The patterns that Hugging Face's converter gives OpenAI's o200k and Mistral's Tekken: cased words end at a capital.
const CASED: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+CONTRACTION|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*CONTRACTION|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+";

/// A pattern by its name. It is made once in a process, with what it keeps between searches: a copy would begin with empty
/// tables, and filling them takes longer than all else in a small vocabulary.
fn published(name: &str) -> Option<&'static Regex> {
    static COMPILED: [OnceLock<Regex>; 5] = [const { OnceLock::new() }; 5];
    let at = ["gpt-2", "llama-3", "qwen2", "tekken", "gpt-4o"].iter().position(|known| *known == name)?;
    let cased = |contraction, digits| CASED.replace("CONTRACTION", contraction).replace("DIGITS", digits);
    let source = || match at {
        0 => GPT2.into(),
        1 => LLAMA3.into(),
        2 => QWEN2.into(),
        3 => cased("", r"\p{N}"),
        _ => cased(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?", r"\p{N}{1,3}"),
    };
    Some(COMPILED[at].get_or_init(|| Regex::new(&source()).expect("the patterns are constants")))
}

/// How text is cut into words.
pub struct Rules {
    pub pattern: String,    // the name of a published one; empty: none
    pub digits_apart: bool, // every numeric character is cut off first
    pub compose: bool,      // text is brought into normal form C first
    pub whole_words: bool,  // a word that is a token needs no merges
}

pub struct PreTokenizer {
    pattern: Option<&'static Regex>,
    newlines_end_words: bool, // the pattern matches whitespace that ends in a line break as a word of its own
    digits_apart: bool,
}

impl PreTokenizer {
    /// None where the rules leave text in one piece.
    pub fn new(rules: &Rules) -> Result<Option<Self>, Failure> {
        let pattern = match rules.pattern.as_str() {
            "" if !rules.digits_apart => return Ok(None),
            "" => None,
            name => Some(published(name).ok_or_else(|| invalid(format!("unknown pattern {name:?}")))?),
        };
        Ok(Some(PreTokenizer {
            pattern,
            newlines_end_words: rules.pattern != "gpt-2",
            digits_apart: rules.digits_apart,
        }))
    }

    pub fn for_each_word(&self, text: &str, mut word: impl FnMut(&str)) {
        if !self.digits_apart {
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
        let next = |start| self.pattern.and_then(|pattern| pattern.find_at(text, start));
        while let Some(found) = next(start) {
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
