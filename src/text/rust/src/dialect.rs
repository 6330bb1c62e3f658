//! Rewrites what templates may write and the interpreter cannot run, without touching text that is not code.
//!
//! - `{% generation %}` marks what training learns from and prints nothing: it becomes a branch that is always taken, which
//!   leaves the whitespace around it to the same rules.
//! - `[::-1]` of an empty list is a fault of minijinja 2.24: it becomes a call of the method `REVERSED`.

pub const REVERSED: &str = "__reversed";

pub fn rewritten(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 64);
    let mut rest = source;
    let opens = |text: &str, at: usize| matches!(text.as_bytes().get(at + 1), Some(b'{' | b'%' | b'#'));
    while let Some((at, _)) = rest.match_indices('{').find(|(at, _)| opens(rest, *at)) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let kept = match rest.as_bytes()[1] {
            b'#' => Some(rest.find("#}").map_or(rest.len(), |end| end + 2)),
            b'%' if first_word(rest) == "raw" => Some(end_of_raw(rest)),
            _ => None,
        };
        let size = match kept {
            Some(size) => {
                out.push_str(&rest[..size]);
                size
            }
            None => rewrite_tag(rest, if rest.starts_with("{%") { "%}" } else { "}}" }, &mut out),
        };
        rest = &rest[size..];
    }
    out + rest
}

/// Of a tag `{%- word ...`; empty for others.
fn first_word(tag: &str) -> &str {
    let inner = tag.strip_prefix("{%").unwrap_or_default().trim_start_matches(['-', '+']).trim_start();
    &inner[..inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len())]
}

fn end_of_raw(rest: &str) -> usize {
    let mut from = 2;
    while let Some(at) = rest[from..].find("{%") {
        from += at;
        if first_word(&rest[from..]) == "endraw" {
            return rest[from..].find("%}").map_or(rest.len(), |end| from + end + 2);
        }
        from += 2;
    }
    rest.len()
}

/// Writes the tag at the beginning of `rest` and returns its size. Strings in it stay as they are.
fn rewrite_tag(rest: &str, close: &str, out: &mut String) -> usize {
    let mut start = 0; // of what is not yet written
    if let word @ ("generation" | "endgeneration") = first_word(rest) {
        let at = rest.find(word).unwrap_or(0);
        out.push_str(&rest[..at]);
        out.push_str(if word == "generation" { "if true" } else { "endif" });
        start = at + word.len();
    }
    let bytes = rest.as_bytes();
    let mut at = start.max(2);
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'\'' | b'"') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'[' => match reversal(&bytes[at..]) {
                Some(size) => {
                    out.push_str(&rest[start..at]);
                    out.push_str(&format!(".{REVERSED}()"));
                    at += size;
                    start = at;
                }
                None => at += 1,
            },
            _ if bytes[at..].starts_with(close.as_bytes()) => {
                at += 2;
                break;
            }
            _ => at += 1,
        }
    }
    let end = at.min(rest.len());
    out.push_str(&rest[start..end]);
    end
}

/// The size of `[::-1]`, with spaces anywhere, at the beginning of `code`.
fn reversal(code: &[u8]) -> Option<usize> {
    let mut wanted = b"[::-1]".iter();
    let mut next = wanted.next()?;
    for (at, byte) in code.iter().enumerate() {
        if byte == next {
            match wanted.next() {
                Some(more) => next = more,
                None => return Some(at + 1),
            }
        } else if !byte.is_ascii_whitespace() {
            return None;
        }
    }
    None
}
