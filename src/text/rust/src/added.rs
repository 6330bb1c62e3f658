//! Tokens that are found in the text itself, before it is cut into words: the leftmost, and of those the longest.

use crate::{invalid, Failure};
use aho_corasick::{AhoCorasick, MatchKind};
use regex::Regex;
use std::sync::LazyLock;

/// What Hugging Face's `AddedToken` says beside its text: the bits of `rl_token.flags`.
#[derive(Clone, Copy, Default)]
pub struct Flags(pub i32);

impl Flags {
    pub fn takes_space_before(self) -> bool {
        self.0 & 1 != 0
    }
    pub fn takes_space_behind(self) -> bool {
        self.0 & 2 != 0
    }
    pub fn is_word(self) -> bool {
        self.0 & 4 != 0
    }
    pub fn is_normalized(self) -> bool {
        self.0 & 8 != 0
    }
    pub fn is_merged(self) -> bool {
        self.0 & 16 != 0
    }
}

pub struct Added {
    finder: Option<AhoCorasick>,
    tokens: Vec<(u32, Flags)>,
}

pub struct Match {
    pub start: usize,
    pub end: usize,
    pub id: u32,
}

impl Added {
    pub fn new(tokens: impl Iterator<Item = (String, u32, Flags)>) -> Result<Self, Failure> {
        let (mut texts, mut kept) = (Vec::new(), Vec::new());
        for (text, id, flags) in tokens {
            texts.push(text);
            kept.push((id, flags));
        }
        let build = || AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&texts);
        let finder =
            if texts.is_empty() { None } else { Some(build().map_err(|e| invalid(format!("added tokens: {e}")))?) };
        Ok(Added { finder, tokens: kept })
    }

    pub fn is_empty(&self) -> bool {
        self.finder.is_none()
    }

    /// The matches in order. One may take whitespace that the next begins with: then that one begins where it ended.
    pub fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Match> + 'a {
        let mut done = 0;
        let found = self.finder.iter().flat_map(move |finder| finder.find_iter(text));
        found.filter_map(move |found| {
            let (id, flags) = self.tokens[found.pattern().as_usize()];
            let (before, behind) = (&text[..found.start()], &text[found.end()..]);
            if flags.is_word() && (ends_with_word(before) || starts_with_word(behind)) {
                return None;
            }
            let start = if flags.takes_space_before() { before.trim_end().len() } else { found.start() };
            let space = if flags.takes_space_behind() { behind.len() - behind.trim_start().len() } else { 0 };
            let start = start.max(done);
            done = done.max(found.end() + space);
            Some(Match { start, end: done, id })
        })
    }
}

fn ends_with_word(text: &str) -> bool {
    text.chars().next_back().is_some_and(is_word_character)
}

fn starts_with_word(text: &str) -> bool {
    text.chars().next().is_some_and(is_word_character)
}

/// `\w`, as the regular expressions of Hugging Face's library have it.
fn is_word_character(c: char) -> bool {
    static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\w").expect("a constant"));
    WORD.is_match(c.encode_utf8(&mut [0; 4]))
}
