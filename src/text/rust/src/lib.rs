//! Byte-pair encoding and chat templates for the C++ side. The interface is `text_ffi.h`; this file is its mirror and
//! holds all of the crate's `unsafe` but the allocator's: raw slices in, sinks out, every panic caught.

mod added;
mod bpe;
mod dialect;
mod encoder;
mod guard;
mod joints;
mod pre_tokenizer;
mod python;
mod template;

use added::Flags;
use encoder::{Characters, Encoder, Kind, Order, SpacePrefix, Spelling};
use pre_tokenizer::Rules;
use std::panic::{catch_unwind, AssertUnwindSafe};
use template::{ChatTemplate, Limits};

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Status {
    Ok = 0,
    Invalid = 1,
    Limit = 2,
    Raised = 3,
    Fault = 4,
}

/// What a call that fails hands over: its status and a message of one line.
#[derive(Debug)]
pub struct Failure(pub Status, pub String);

pub fn invalid(message: impl Into<String>) -> Failure {
    Failure(Status::Invalid, message.into())
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice {
    data: *const u8,
    size: usize,
}

impl Slice {
    /// # Safety: the caller keeps `size` bytes at `data` alive and unchanged for the length of the call.
    unsafe fn bytes<'a>(self) -> &'a [u8] {
        array(self.data, self.size)
    }
    unsafe fn text<'a>(self, what: &str) -> Result<&'a str, Failure> {
        std::str::from_utf8(self.bytes())
            .map_err(|at| invalid(format!("{what} is not UTF-8 from byte {}", at.valid_up_to())))
    }
}

unsafe fn array<'a, T>(data: *const T, count: usize) -> &'a [T] {
    if count == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(data, count)
    }
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Sink {
    to: *mut std::ffi::c_void,
    write: extern "C" fn(*mut std::ffi::c_void, *const std::ffi::c_void, usize),
}

impl Sink {
    fn put<T: Copy>(&self, items: &[T]) {
        (self.write)(self.to, items.as_ptr().cast(), std::mem::size_of_val(items));
    }
}

/// Runs a call; what it fails with, a panic included, becomes a status and a message in the sink.
fn entry(sink: Sink, call: impl FnOnce() -> Result<(), Failure>) -> Status {
    let result = catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|_| Err(Failure(Status::Fault, "the text library panicked".into())));
    match result {
        Ok(()) => Status::Ok,
        Err(Failure(status, message)) => {
            sink.put(message.as_bytes());
            status
        }
    }
}

#[repr(C)]
pub struct Token {
    text: Slice,
    kind: i32,
    flags: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Merge {
    left: u32,
    right: u32,
    result: u32,
}

#[repr(C)]
pub struct Vocabulary {
    tokens: *const Token,
    token_count: usize,
    merges: *const Merge,
    merge_count: usize,
    scores: *const f32,
    byte_ids: *const u32,
    unknown: i32,
    fuse_unknown: i32,
    pattern: Slice,
    is_in_characters: i32,
    words_at_spaces: i32,
    digits_apart: i32,
    compose: i32,
    whole_words: i32,
    space_prefix: i32,
}

/// # Safety: see `text_ffi.h`; so for every entry point below.
#[no_mangle]
pub unsafe extern "C" fn rl_encoder_new(v: &Vocabulary, result: &mut *mut Encoder, error: Sink) -> Status {
    entry(error, || {
        let mut tokens = Vec::with_capacity(v.token_count);
        for token in array(v.tokens, v.token_count) {
            let kind = match token.kind {
                1 => Kind::Merged,
                2 => Kind::Always,
                3 => Kind::Special,
                _ => Kind::Unused,
            };
            tokens.push((token.text.text("a token")?, kind, Flags(token.flags)));
        }
        let merges: Vec<_> =
            array(v.merges, v.merge_count).iter().map(|merge| (merge.left, merge.right, merge.result)).collect();
        let order = match v.scores.is_null() {
            true => Order::Merges(&merges),
            false => Order::Scores(array(v.scores, v.token_count)),
        };
        let characters = (v.is_in_characters != 0).then(|| Characters {
            byte_ids: (!v.byte_ids.is_null()).then(|| std::array::from_fn(|byte| *v.byte_ids.add(byte))),
            words_at_spaces: v.words_at_spaces != 0,
        });
        let spelling = Spelling {
            rules: Rules {
                pattern: v.pattern.text("the pattern's name")?.into(),
                digits_apart: v.digits_apart != 0,
                compose: v.compose != 0,
                whole_words: v.whole_words != 0,
            },
            prefix: match v.space_prefix {
                1 => SpacePrefix::WhereMissing,
                2 => SpacePrefix::Always,
                3 => SpacePrefix::FirstWhereMissing,
                _ => SpacePrefix::None,
            },
            characters,
            unknown: u32::try_from(v.unknown).ok(),
            fuse_unknown: v.fuse_unknown != 0,
        };
        *result = Box::into_raw(Box::new(Encoder::new(&tokens, order, spelling)?));
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn rl_encoder_free(encoder: *mut Encoder) {
    if !encoder.is_null() {
        drop(Box::from_raw(encoder));
    }
}

#[no_mangle]
pub unsafe extern "C" fn rl_encode(
    encoder: &Encoder,
    text: Slice,
    parse_special: i32,
    breaker: u32,
    result: Sink,
) -> Status {
    entry(result, || {
        let breaker = char::from_u32(breaker).filter(|&c| c != '\0');
        result.put(&encoder.encode(text.bytes(), parse_special != 0, breaker));
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn rl_break_special(encoder: &Encoder, text: Slice, breaker: u32, result: Sink) -> Status {
    entry(result, || {
        let breaker = char::from_u32(breaker).ok_or_else(|| invalid("the breaker is not a code point"))?;
        result.put(encoder.break_special(&String::from_utf8_lossy(text.bytes()), breaker)?.as_bytes());
        Ok(())
    })
}

#[repr(C)]
pub struct Message {
    role: Slice,
    content: Slice,
}

#[no_mangle]
pub unsafe extern "C" fn rl_template_new(
    source: Slice,
    bos: Slice,
    eos: Slice,
    limits: Limits,
    result: &mut *mut ChatTemplate,
    error: Sink,
) -> Status {
    let optional = |text: Slice| (!text.data.is_null()).then(|| String::from_utf8_lossy(text.bytes()).into_owned());
    entry(error, || {
        let source = source.text("the chat template")?;
        *result = Box::into_raw(Box::new(ChatTemplate::new(source, optional(bos), optional(eos), limits)?));
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn rl_template_free(template: *mut ChatTemplate) {
    if !template.is_null() {
        drop(Box::from_raw(template));
    }
}

#[no_mangle]
pub unsafe extern "C" fn rl_template_render(
    template: &ChatTemplate,
    messages: *const Message,
    message_count: usize,
    add_generation_prompt: i32,
    result: Sink,
) -> Status {
    entry(result, || {
        let lossy = |text: Slice| String::from_utf8_lossy(text.bytes()).into_owned();
        let messages = array(messages, message_count).iter().map(|m| (lossy(m.role), lossy(m.content))).collect();
        result.put(template.render(messages, add_generation_prompt != 0)?.as_bytes());
        Ok(())
    })
}
