//! Text to token ids: added tokens are found first, the text between them is cut into words, and the bytes or characters
//! of each word are merged.

use crate::added::{Added, Flags};
use crate::bpe::{Bpe, Scratch, UNKNOWN};
use crate::joints::Joints;
use crate::pre_tokenizer::{PreTokenizer, Rules};
use crate::Failure;
use ahash::AHashMap;
use std::borrow::Cow;
use std::sync::OnceLock;
use unicode_normalization::{is_nfc, UnicodeNormalization};

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Unused,  // takes no part in encoding
    Merged,  // a product of merges
    Always,  // matched in any text
    Special, // matched only when asked
}

#[derive(Clone, Copy, PartialEq)]
pub enum SpacePrefix {
    None,
    WhereMissing,      // before each piece of text between added tokens that does not begin with a space
    Always,            // before each such piece, before tokens are found in normalized text
    FirstWhereMissing, // before the first, if it begins the text and does not begin with a space
}

/// What a vocabulary says beside its tokens.
pub struct Spelling {
    pub rules: Rules,
    pub prefix: SpacePrefix,
    pub characters: Option<Characters>, // none: tokens are spelt in the byte alphabet of GPT-2
    pub unknown: Option<u32>,           // for a byte or a character that has no token
    pub fuse_unknown: bool,             // one for those side by side
}

/// Tokens are spelt in characters, a space as "▁", as SentencePiece does.
pub struct Characters {
    pub byte_ids: Option<[u32; 256]>, // for characters that are no token
    pub words_at_spaces: bool,        // each "▁" begins a word
}

pub enum Order<'a> {
    Merges(&'a [(u32, u32, u32)]),
    Scores(&'a [f32]),
}

pub struct Encoder {
    bpe: Bpe,
    spelling: Spelling,
    pre_tokenizer: Option<PreTokenizer>, // none: text is not cut by a pattern
    words: AHashMap<String, u32>,        // their texts; empty unless whole words go before merges
    byte_ids: [Option<u32>; 256],        // the token of a single byte, where there is one
    character_ids: AHashMap<char, u32>,
    joints: Option<Joints>, // of words in characters
    always: Stages,
    all: Option<Stages>,      // none: there are no special tokens
    special: OnceLock<Added>, // made when a text is first broken: only chats need it
    special_texts: Vec<String>,
}

/// Added tokens that are found in the text as it is, and those found in it once it is normalized.
struct Stages {
    raw: Added,
    normalized: Added,
}

const SPACE: char = '\u{2581}'; // "▁"

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

/// A piece of text between added tokens, and where it stands.
#[derive(Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    is_first: bool, // it begins the text
    is_fresh: bool, // it does, or follows an added token
}

impl Encoder {
    pub fn new(tokens: &[(&str, Kind, Flags)], order: Order, spelling: Spelling) -> Result<Self, Failure> {
        let is_merged = |kind: Kind, flags: Flags| kind == Kind::Merged || flags.is_merged();
        let merged = || tokens.iter().zip(0u32..).filter(|((_, kind, flags), _)| is_merged(*kind, *flags));
        let bpe = match order {
            Order::Merges(merges) => Bpe::of_merges(merges.iter().copied()),
            Order::Scores(scores) => Bpe::of_pieces(merged().map(|((text, ..), id)| (*text, id, scores[id as usize]))),
        };
        let alphabet = byte_alphabet();
        let mut character_ids = AHashMap::new();
        for ((text, ..), id) in merged() {
            let mut characters = text.chars();
            if let (Some(only), None) = (characters.next(), characters.next()) {
                character_ids.insert(only, id);
            }
        }
        let byte_ids = match &spelling.characters {
            Some(characters) => std::array::from_fn(|byte| characters.byte_ids.map(|ids| ids[byte])),
            None => alphabet.map(|c| character_ids.get(&c).copied()),
        };
        let joints = spelling.characters.as_ref().map(|characters| {
            Joints::new(merged().map(|((text, ..), _)| *text), characters.words_at_spaces.then_some(SPACE))
        });
        let bytes_of: AHashMap<char, u8> = alphabet.iter().copied().zip(0..=255).collect();
        let text_of = |spelt: &str| match &spelling.characters {
            Some(_) => Some(spelt.to_string()),
            None => String::from_utf8(spelt.chars().map_while(|c| bytes_of.get(&c).copied()).collect()).ok(),
        };
        let words = match spelling.rules.whole_words {
            true => merged().filter_map(|((text, ..), id)| Some((text_of(text)?, id))).collect(),
            false => AHashMap::new(),
        };
        let mut encoder = Encoder {
            bpe,
            pre_tokenizer: PreTokenizer::new(&spelling.rules)?,
            words,
            byte_ids,
            character_ids,
            joints,
            always: Stages { raw: Added::new(std::iter::empty())?, normalized: Added::new(std::iter::empty())? },
            all: None,
            special: OnceLock::new(),
            special_texts: Vec::new(),
            spelling,
        };
        let of = |kinds: &[Kind]| -> Vec<(String, u32, Flags)> {
            let wanted = tokens.iter().zip(0u32..).filter(|((_, kind, _), _)| kinds.contains(kind));
            wanted.map(|((text, _, flags), id)| (text.to_string(), id, *flags)).collect()
        };
        encoder.always = encoder.stages(of(&[Kind::Always]))?;
        encoder.special_texts = of(&[Kind::Special]).into_iter().map(|(text, ..)| text).collect();
        if !encoder.special_texts.is_empty() {
            encoder.all = Some(encoder.stages(of(&[Kind::Always, Kind::Special]))?);
        }
        Ok(encoder)
    }

    fn stages(&self, tokens: Vec<(String, u32, Flags)>) -> Result<Stages, Failure> {
        let (normalized, raw): (Vec<_>, Vec<_>) = tokens.into_iter().partition(|(.., flags)| flags.is_normalized());
        let prefix = if self.spelling.prefix == SpacePrefix::Always { "\u{2581}" } else { "" };
        let in_text = |text: &str| format!("{prefix}{}", self.normalized(text)); // the same is done to the text around it
        let normalized = normalized.into_iter().map(|(text, id, flags)| (in_text(&text), id, flags));
        Ok(Stages { raw: Added::new(raw.into_iter())?, normalized: Added::new(normalized)? })
    }

    pub fn encode(&self, bytes: &[u8], parse_special: bool, breaker: Option<char>) -> Vec<u32> {
        let added = self.all.as_ref().filter(|_| parse_special).unwrap_or(&self.always);
        let (mut ids, mut scratch) = (Vec::new(), Scratch::default());
        let mut is_first = true;
        for chunk in bytes.utf8_chunks() {
            let text = chunk.valid();
            let (mut start, mut is_fresh) = (0, is_first);
            let mut plain = |range: std::ops::Range<usize>, is_fresh, ids: &mut Vec<u32>| {
                let piece = Piece { text: &text[range.clone()], is_first: is_first && range.start == 0, is_fresh };
                self.encode_piece(piece, added, breaker, &mut scratch, ids);
            };
            for found in added.raw.find(text) {
                plain(start..found.start, is_fresh, &mut ids);
                ids.push(found.id);
                (start, is_fresh) = (found.end, true);
            }
            plain(start..text.len(), is_fresh, &mut ids);
            let from = ids.len();
            chunk.invalid().iter().for_each(|&byte| self.put_byte(byte, from, &mut ids));
            is_first = false;
        }
        ids
    }

    fn encode_piece(
        &self,
        piece: Piece,
        added: &Stages,
        breaker: Option<char>,
        scratch: &mut Scratch,
        ids: &mut Vec<u32>,
    ) {
        let mut text = Cow::Borrowed(piece.text);
        if let Some(breaker) = breaker.filter(|&c| added.normalized.is_empty() && text.contains(c)) {
            text = text.replace(breaker, "").into(); // before it keeps characters from composing
        }
        let mut text = self.normalized(&text);
        if self.spelling.prefix == SpacePrefix::Always && piece.is_fresh && !text.is_empty() {
            text = format!("{}{text}", self.space()).into();
        }
        let (mut start, mut is_first, mut is_fresh) = (0, piece.is_first, piece.is_fresh);
        let mut plain = |text: &str, is_first, is_fresh, ids: &mut Vec<u32>| {
            self.encode_plain(Piece { text, is_first, is_fresh }, breaker, scratch, ids);
        };
        for found in added.normalized.find(&text) {
            plain(&text[start..found.start], is_first, is_fresh, ids);
            ids.push(found.id);
            (start, is_first, is_fresh) = (found.end, false, true);
        }
        plain(&text[start..], is_first, is_fresh, ids);
    }

    fn space(&self) -> char {
        if self.spelling.characters.is_some() {
            SPACE
        } else {
            ' '
        }
    }

    fn normalized<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        if self.spelling.rules.compose && !is_nfc(&text) {
            text = text.nfc().collect::<String>().into();
        }
        if self.spelling.characters.is_some() && text.contains(' ') {
            text = text.replace(' ', "\u{2581}").into();
        }
        text
    }

    fn encode_plain(&self, piece: Piece, breaker: Option<char>, scratch: &mut Scratch, ids: &mut Vec<u32>) {
        let mut text = Cow::Borrowed(piece.text);
        if let Some(breaker) = breaker.filter(|&c| text.contains(c)) {
            text = text.replace(breaker, "").into();
        }
        let may_have_prefix = match self.spelling.prefix {
            SpacePrefix::WhereMissing => piece.is_fresh,
            SpacePrefix::FirstWhereMissing => piece.is_first,
            SpacePrefix::None | SpacePrefix::Always => false,
        };
        if may_have_prefix && !text.is_empty() && !text.starts_with(self.space()) {
            text = format!("{}{text}", self.space()).into();
        }
        let word = |word: &str| match (self.words.get(word), &self.joints) {
            (Some(&id), _) => ids.push(id),
            (None, Some(joints)) => {
                let start = ids.len();
                joints.for_each_word(word, |word| self.encode_characters(word, start, scratch, ids));
            }
            (None, None) => self.encode_bytes(word, scratch, ids),
        };
        match &self.pre_tokenizer {
            Some(pre_tokenizer) => pre_tokenizer.for_each_word(&text, word),
            None => Some(&*text).filter(|text| !text.is_empty()).into_iter().for_each(word),
        }
    }

    fn encode_bytes(&self, word: &str, scratch: &mut Scratch, ids: &mut Vec<u32>) {
        let id = |byte: u8| self.byte_ids[byte as usize].or(self.spelling.unknown.map(|_| UNKNOWN));
        let start = ids.len();
        for symbol in self.bpe.merge("", word.bytes().filter_map(id).enumerate(), scratch) {
            match symbol.id {
                UNKNOWN => self.put_unknown(start, ids),
                id => ids.push(id),
            }
        }
    }

    /// `start`: where the ids of the text begin that unknown characters may run through.
    fn encode_characters(&self, word: &str, start: usize, scratch: &mut Scratch, ids: &mut Vec<u32>) {
        let id = |c| self.character_ids.get(&c).copied().unwrap_or(UNKNOWN);
        let characters = word.char_indices().map(|(at, c)| (at, id(c)));
        for symbol in self.bpe.merge(word, characters, scratch) {
            if symbol.id != UNKNOWN {
                ids.push(symbol.id);
                continue;
            }
            let rest = &word[symbol.start as usize..];
            let character = &rest[..rest.chars().next().map_or(0, char::len_utf8)];
            match self.byte_ids[0] {
                Some(_) => character.bytes().for_each(|byte| self.put_byte(byte, start, ids)),
                None => self.put_unknown(start, ids),
            }
        }
    }

    fn put_byte(&self, byte: u8, start: usize, ids: &mut Vec<u32>) {
        match self.byte_ids[byte as usize] {
            Some(id) => ids.push(id),
            None => self.put_unknown(start, ids),
        }
    }

    fn put_unknown(&self, start: usize, ids: &mut Vec<u32>) {
        let Some(id) = self.spelling.unknown else { return };
        if !self.spelling.fuse_unknown || ids[start..].last() != Some(&id) {
            ids.push(id);
        }
    }

    /// The text with the breaker inside each special token in it. Text before or behind may complete a token whose part
    /// stands at an edge, also after a template has trimmed it: there the breaker goes between.
    pub fn break_special(&self, text: &str, breaker: char) -> Result<String, Failure> {
        let special = match self.special.get() {
            Some(special) => special,
            None => {
                let texts = self.special_texts.iter().map(|text| (text.clone(), 0, Flags(0)));
                let made = Added::new(texts)?;
                self.special.get_or_init(|| made)
            }
        };
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
        while let Some(found) = special.find(&text[from..body_end]).next() {
            let first = text[from + found.start..].chars().next().map_or(1, char::len_utf8);
            from += found.start + first;
            broken.push_str(&text[done..from]);
            broken.push(breaker);
            done = from;
        }
        broken.push_str(&text[done..body_end]);
        if ends_with_head {
            broken.push(breaker);
        }
        broken.push_str(&text[body_end..]);
        Ok(broken)
    }
}

/// Whether some tail of `left` is a head of `right`.
fn tail_is_head(left: &str, right: &str) -> bool {
    let longest = left.len().min(right.len());
    (1..=longest).any(|n| left.as_bytes()[left.len() - n..] == right.as_bytes()[..n])
}
