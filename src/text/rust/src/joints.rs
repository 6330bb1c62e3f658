//! Where a text may be cut without changing what merging makes of it.

/// The pairs of characters that stand side by side in some token. Merging never joins two characters that do so in none,
/// so a text falls into short words there. A set of hashes: a pair that shares another's costs time and nothing else.
pub struct Joints {
    seen: Vec<u64>, // 2^bits bits
    bits: u32,
    force: Option<char>, // begins a word always
}

/// 512 KiB: the half million pairs of a large vocabulary fill an eighth.
const MOST_BITS: u32 = 22;

fn place(left: char, right: char, bits: u32) -> (usize, u64) {
    let mixed = (u64::from(left) << 32 | u64::from(right)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits);
    ((mixed >> 6) as usize, 1 << (mixed & 63))
}

impl Joints {
    pub fn new<'a>(tokens: impl Iterator<Item = &'a str> + Clone, force: Option<char>) -> Self {
        let bytes: usize = tokens.clone().map(str::len).sum();
        let bits = (8 * bytes).max(1 << 10).next_power_of_two().trailing_zeros().min(MOST_BITS);
        let mut seen = vec![0; 1 << (bits - 6)];
        for token in tokens {
            for (left, right) in token.chars().zip(token.chars().skip(1)) {
                let (word, bit) = place(left, right, bits);
                seen[word] |= bit;
            }
        }
        Joints { seen, bits, force }
    }

    pub fn for_each_word<'a>(&self, text: &'a str, mut word: impl FnMut(&'a str)) {
        let (mut start, mut left) = (0, None);
        for (at, right) in text.char_indices() {
            if let Some(left) = left {
                let (place, bit) = place(left, right, self.bits);
                if self.seen[place] & bit == 0 || self.force == Some(right) {
                    word(&text[start..at]);
                    start = at;
                }
            }
            left = Some(right);
        }
        if start < text.len() {
            word(&text[start..]);
        }
    }
}
