//! Byte-pair merging (Sennrich et al. 2016): of all adjacent pairs of symbols the one of the lowest rank is merged, the
//! leftmost first, until none is left. Ids equal those of Hugging Face's `tokenizers`.
//!
//! A word may be the whole prompt (eight million spaces are one word), so this takes O(n log n) time with a small
//! constant, eight bytes per waiting pair, and no recursion.

use ahash::AHashMap;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

pub struct Bpe {
    merges: AHashMap<(u32, u32), Merge>,
}

#[derive(Clone, Copy)]
struct Merge {
    rank: u32,
    id: u32,
}

#[derive(Clone, Copy)]
struct Symbol {
    id: u32,
    previous: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;

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
    pub fn new(merges: impl Iterator<Item = (u32, u32, u32)>) -> Self {
        let ranked =
            merges.enumerate().map(|(rank, (left, right, id))| ((left, right), Merge { rank: rank as u32, id }));
        Bpe { merges: ranked.collect() }
    }

    /// Appends the ids of a word, given the ids of its bytes. Words are shorter than 2^32 - 1.
    pub fn merge(&self, word: impl Iterator<Item = u32>, scratch: &mut Scratch, ids: &mut Vec<u32>) {
        let Scratch { symbols, pairs } = scratch;
        symbols.clear();
        symbols.extend(word.enumerate().map(|(i, id)| Symbol {
            id,
            previous: (i as u32).wrapping_sub(1),
            next: i as u32 + 1,
        }));
        let Some(last) = symbols.last_mut() else { return };
        last.next = NONE;

        pairs.in_order.extend(
            symbols.windows(2).enumerate().filter_map(|(at, pair)| self.pair(at as u32, pair[0].id, pair[1].id)),
        );
        pairs.in_order.make_contiguous().sort_unstable();
        while let Some(pair) = pairs.pop() {
            let (rank, at) = ((pair >> 32) as u32, pair as u32);
            let left = symbols[at as usize];
            if left.id == NONE || left.next == NONE {
                continue; // merged away since
            }
            let right = symbols[left.next as usize];
            let Some(merge) = self.merges.get(&(left.id, right.id)).filter(|merge| merge.rank == rank) else {
                continue;
            };

            symbols[left.next as usize].id = NONE;
            symbols[at as usize] = Symbol { id: merge.id, next: right.next, ..left };
            if right.next != NONE {
                symbols[right.next as usize].previous = at;
                pairs.push(self.pair(at, merge.id, symbols[right.next as usize].id));
            }
            if left.previous != NONE {
                pairs.push(self.pair(left.previous, symbols[left.previous as usize].id, merge.id));
            }
        }
        ids.extend(symbols.iter().map(|symbol| symbol.id).filter(|&id| id != NONE));
    }

    fn pair(&self, at: u32, left: u32, right: u32) -> Option<u64> {
        self.merges.get(&(left, right)).map(|merge| u64::from(merge.rank) << 32 | u64::from(at))
    }
}
