//! Byte-pair merging (Sennrich et al. 2016): of all adjacent pairs of symbols the one of the lowest rank is merged, the
//! leftmost first, until none is left. Ids equal those of Hugging Face's `tokenizers`.
//!
//! Which pairs merge, and in which order, is either a list of merges, or, in SentencePiece's way (Kudo and Richardson
//! 2018), a score per piece: two symbols merge where their texts together are a piece.
//!
//! A word may be the whole prompt (eight million spaces are one word), so this takes O(n log n) time with a small
//! constant, eight bytes per waiting pair, and no recursion.

use ahash::AHashMap;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

pub enum Bpe {
    Merges(AHashMap<(u32, u32), Merge>),
    Pieces { pieces: AHashMap<Box<str>, Merge>, longest: usize },
}

#[derive(Clone, Copy)]
pub struct Merge {
    rank: u32,
    id: u32,
}

#[derive(Clone, Copy)]
pub struct Symbol {
    pub id: u32,
    pub start: u32, // of its text in the word
    previous: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;

/// The id of a symbol that is no token: it may be a part of one, and where it is not the caller replaces it.
pub const UNKNOWN: u32 = u32::MAX - 1;

/// What merging one word needs, kept from word to word.
#[derive(Default)]
pub struct Scratch {
    symbols: Vec<Symbol>,
    pairs: Pairs,
}

/// The pairs that wait, as rank << 32 | index of the left symbol; the least comes first. Long words are long because they
/// repeat themselves, and then pairs arrive in order: those go to the end of a queue, and only the others to a heap.
#[derive(Default)]
struct Pairs {
    in_order: VecDeque<u64>,
    others: BinaryHeap<Reverse<u64>>,
}

impl Pairs {
    fn push(&mut self, pair: Option<u64>) {
        let Some(pair) = pair else { return };
        if self.in_order.back().is_none_or(|&last| last <= pair) {
            self.in_order.push_back(pair);
        } else {
            self.others.push(Reverse(pair));
        }
    }

    fn pop(&mut self) -> Option<u64> {
        match (self.in_order.front(), self.others.peek()) {
            (Some(&first), Some(&Reverse(other))) if other < first => self.others.pop().map(|pair| pair.0),
            (None, Some(_)) => self.others.pop().map(|pair| pair.0),
            _ => self.in_order.pop_front(),
        }
    }
}

impl Bpe {
    /// The merges (left, right, result) in the order of their rank; of one that is there twice the last rank counts.
    pub fn of_merges(merges: impl Iterator<Item = (u32, u32, u32)>) -> Self {
        let ranked =
            merges.enumerate().map(|(rank, (left, right, id))| ((left, right), Merge { rank: rank as u32, id }));
        Bpe::Merges(ranked.collect())
    }

    /// The pieces (text, id, score): a higher score is a lower rank, equal scores are equal ranks. No score is NaN.
    pub fn of_pieces<'a>(pieces: impl Iterator<Item = (&'a str, u32, f32)>) -> Self {
        let mut pieces: Vec<_> = pieces.collect();
        pieces.sort_by(|a, b| b.2.total_cmp(&a.2));
        let (mut rank, mut last, mut longest) = (0, f32::INFINITY, 0);
        let mut ranked = AHashMap::with_capacity(pieces.len());
        for (text, id, score) in pieces {
            rank += u32::from(score < last);
            (last, longest) = (score, longest.max(text.len()));
            ranked.insert(text.into(), Merge { rank, id });
        }
        Bpe::Pieces { pieces: ranked, longest }
    }

    /// The symbols that are left of a word, which is shorter than 2^32 - 2 bytes, given its first ones: (start, id).
    pub fn merge<'a>(
        &self,
        word: &str,
        first: impl Iterator<Item = (usize, u32)>,
        scratch: &'a mut Scratch,
    ) -> impl Iterator<Item = Symbol> + 'a {
        match self {
            Bpe::Merges(merges) => scratch.merge(first, |left, right, _| merges.get(&(left.id, right.id)).copied()),
            Bpe::Pieces { pieces, longest } => scratch.merge(first, |left, _, end| {
                let joined = &word[left.start as usize..end.map_or(word.len(), |symbol| symbol.start as usize)];
                if joined.len() <= *longest {
                    pieces.get(joined).copied()
                } else {
                    None
                }
            }),
        }
        scratch.symbols.iter().copied().filter(|symbol| symbol.id != NONE)
    }
}

impl Scratch {
    /// Leaves in `symbols` those that are left, and others whose id is NONE. `joined` says what two neighbours become,
    /// given also the symbol behind them.
    fn merge(
        &mut self,
        first: impl Iterator<Item = (usize, u32)>,
        joined: impl Fn(Symbol, Symbol, Option<Symbol>) -> Option<Merge>,
    ) {
        let Scratch { symbols, pairs } = self;
        symbols.clear();
        symbols.extend(first.enumerate().map(|(i, (start, id))| Symbol {
            id,
            start: start as u32,
            previous: (i as u32).wrapping_sub(1),
            next: i as u32 + 1,
        }));
        let Some(last) = symbols.last_mut() else { return };
        last.next = NONE;

        let merged = |symbols: &[Symbol], at: u32| {
            let left = symbols[at as usize];
            let right = symbols.get(left.next as usize)?;
            joined(left, *right, symbols.get(right.next as usize).copied())
        };
        let pair =
            |symbols: &[Symbol], at| merged(symbols, at).map(|merge| u64::from(merge.rank) << 32 | u64::from(at));

        pairs.in_order.extend((0..symbols.len() as u32).filter_map(|at| pair(symbols, at)));
        pairs.in_order.make_contiguous().sort_unstable();
        while let Some(waiting) = pairs.pop() {
            let (rank, at) = ((waiting >> 32) as u32, waiting as u32);
            let left = symbols[at as usize];
            if left.id == NONE || left.next == NONE {
                continue; // merged away since
            }
            let Some(merge) = merged(symbols, at).filter(|merge| merge.rank == rank) else {
                continue;
            };

            let right = symbols[left.next as usize];
            symbols[left.next as usize].id = NONE;
            symbols[at as usize] = Symbol { id: merge.id, next: right.next, ..left };
            if right.next != NONE {
                symbols[right.next as usize].previous = at;
                pairs.push(pair(symbols, at));
            }
            if left.previous != NONE {
                pairs.push(pair(symbols, left.previous));
            }
        }
    }
}
