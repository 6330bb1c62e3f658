//! Text to token ids: added tokens are found first, the text between them is cut into words, and the bytes of each word
//! are merged.

use crate::bpe::{Bpe, Scratch};
use crate::pre_tokenizer::PreTokenizer;
use crate::{invalid, Failure};
use ahash::AHashMap;
use aho_corasick::{AhoCorasick, MatchKind};
use std::borrow::Cow;
use unicode_normalization::{is_nfc, UnicodeNormalization};

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Unused,  // takes no part in encoding
    Merged,  // a product of merges
    Always,  // matched in any text
    Special, // matched only when asked
}

pub struct Encoder {
    bpe: Bpe,
    pre_tokenizer: PreTokenizer,
    add_prefix_space: bool,
    words: AHashMap<String, u32>, // spelt in the byte alphabet; empty unless whole words go before merges
    alphabet: [char; 256],
    byte_ids: [Option<u32>; 256], // the token of a single byte, where there is one
    always: Added,
    all: Added,
    special: Added,
    special_texts: Vec<String>,
}

/// Tokens that are found in the text itself, the leftmost and longest first.
struct Added {
    finder: Option<AhoCorasick>,
    ids: Vec<u32>,
}

impl Added {
    fn new(tokens: &[(&str, Kind)], wanted: impl Fn(Kind) -> bool) -> Result<Self, Failure> {
        let (mut texts, mut ids) = (Vec::new(), Vec::new());
        for (id, (text, kind)) in tokens.iter().enumerate() {
            if wanted(*kind) {
                texts.push(*text);
                ids.push(id as u32);
            }
        }
        let build = || AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&texts);
        let finder =
            if texts.is_empty() { None } else { Some(build().map_err(|e| invalid(format!("added tokens: {e}")))?) };
        Ok(Added { finder, ids })
    }

    /// The matches in order: (start, end, id).
    fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, usize, u32)> + 'a {
        self.finder
            .iter()
            .flat_map(move |f| f.find_iter(text))
            .map(|m| (m.start(), m.end(), self.ids[m.pattern().as_usize()]))
    }
}

/// The printable stand-ins of GPT-2 for the 256 bytes: printable Latin-1 stands for itself, the others for U+0100 on.
/// (Radford et al. 2019; the order of the others is that of their value.)
fn byte_alphabet() -> [char; 256] {
    let mut next = 0x100;
    std::array::from_fn(|byte| match byte {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => byte as u8 as char,
        _ => {
            next += 1;
            char::from_u32(next - 1).expect("below U+0200")
        }
    })
}

impl Encoder {
    pub fn new(
        tokens: &[(&str, Kind)],
        merges: &[(&str, &str)],
        pre_tokenizer: &str,
        add_prefix_space: bool,
    ) -> Result<Self, Failure> {
        let pre_tokenizer = PreTokenizer::new(pre_tokenizer)?;
        let merged = tokens.iter().enumerate().filter(|(_, (_, kind))| *kind == Kind::Merged);
        let words: AHashMap<String, u32> = merged.map(|(id, (text, _))| (text.to_string(), id as u32)).collect();
        let id = |text: &str| {
            words.get(text).copied().ok_or_else(|| invalid(format!("a merge names {text:?}, which is no token")))
        };
        let merges: Result<Vec<_>, _> =
            merges.iter().map(|(left, right)| Ok((id(left)?, id(right)?, id(&[*left, *right].concat())?))).collect();
        let alphabet = byte_alphabet();
        let byte_ids = alphabet.map(|c| words.get(c.encode_utf8(&mut [0; 4]) as &str).copied());
        Ok(Encoder {
            bpe: Bpe::new(merges?.into_iter()),
            words: if pre_tokenizer.whole_words { words } else { AHashMap::new() },
            pre_tokenizer,
            add_prefix_space,
            alphabet,
            byte_ids,
            always: Added::new(tokens, |kind| kind == Kind::Always)?,
            all: Added::new(tokens, |kind| kind == Kind::Always || kind == Kind::Special)?,
            special: Added::new(tokens, |kind| kind == Kind::Special)?,
            special_texts: tokens
                .iter()
                .filter(|(_, kind)| *kind == Kind::Special)
                .map(|(text, _)| text.to_string())
                .collect(),
        })
    }

    pub fn encode(&self, bytes: &[u8], parse_special: bool, breaker: Option<char>) -> Vec<u32> {
        let added = if parse_special { &self.all } else { &self.always };
        let (mut ids, mut scratch) = (Vec::new(), Scratch::default());
        for chunk in bytes.utf8_chunks() {
            let text = chunk.valid();
            let mut start = 0;
            for (at, end, id) in added.find(text) {
                self.encode_plain(&text[start..at], breaker, &mut scratch, &mut ids);
                ids.push(id);
                start = end;
            }
            self.encode_plain(&text[start..], breaker, &mut scratch, &mut ids);
            ids.extend(chunk.invalid().iter().filter_map(|&byte| self.byte_ids[byte as usize]));
        }
        ids
    }

    fn encode_plain(&self, text: &str, breaker: Option<char>, scratch: &mut Scratch, ids: &mut Vec<u32>) {
        let mut text = Cow::Borrowed(text);
        if let Some(breaker) = breaker.filter(|&c| text.contains(c)) {
            text = text.replace(breaker, "").into();
        }
        if self.pre_tokenizer.normalize && !is_nfc(&text) {
            text = text.nfc().collect::<String>().into();
        }
        if self.add_prefix_space && !text.is_empty() && !text.starts_with(' ') {
            text = format!(" {text}").into();
        }
        self.pre_tokenizer.for_each_word(&text, |word| {
            if !self.words.is_empty() {
                let spelt: String = word.bytes().map(|byte| self.alphabet[byte as usize]).collect();
                if let Some(&id) = self.words.get(&spelt) {
                    return ids.push(id);
                }
            }
            self.bpe.merge(word.bytes().filter_map(|byte| self.byte_ids[byte as usize]), scratch, ids);
        });
    }

    /// The text with the breaker inside each special token in it. Text before or behind may complete a token whose part
    /// stands at an edge, also after a template has trimmed it: there the breaker goes between.
    pub fn break_special(&self, text: &str, breaker: char) -> String {
        let mut broken = String::with_capacity(text.len() + 16);
        let body = text.trim();
        let body_start = text.len() - text.trim_start().len();
        let body_end = body_start + body.len();
        let specials = || self.special_texts.iter().map(String::as_str);
        let starts_with_tail = !body.is_empty() && specials().any(|s| tail_is_head(s, body) || s.contains(body));
        let ends_with_head = specials().any(|s| tail_is_head(body, s));

        broken.push_str(&text[..body_start]);
        if starts_with_tail {
            broken.push(breaker);
        }
        let mut done = body_start;
        let mut from = body_start;
        while let Some((at, _, _)) = self.special.find(&text[from..body_end]).next() {
            let first = text[from + at..].chars().next().map_or(1, char::len_utf8);
            from += at + first;
            broken.push_str(&text[done..from]);
            broken.push(breaker);
            done = from;
        }
        broken.push_str(&text[done..body_end]);
        if ends_with_head {
            broken.push(breaker);
        }
        broken.push_str(&text[body_end..]);
        broken
    }
}

/// Whether some tail of `left` is a head of `right`.
fn tail_is_head(left: &str, right: &str) -> bool {
    let longest = left.len().min(right.len());
    (1..=longest).any(|n| left.as_bytes()[left.len() - n..] == right.as_bytes()[..n])
}
