//! Byte-pair encoding and chat templates for the C++ side. The interface is `text_ffi.h`; this file is its mirror and
//! holds all of the crate's `unsafe` but the allocator's: raw slices in, sinks out, every panic caught.

mod bpe;
mod encoder;
mod guard;
mod pre_tokenizer;
mod python;
mod template;

use encoder::{Encoder, Kind};
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
}

#[repr(C)]
pub struct Merge {
    left: Slice,
    right: Slice,
}

#[repr(C)]
pub struct Vocabulary {
    tokens: *const Token,
    token_count: usize,
    merges: *const Merge,
    merge_count: usize,
    pre_tokenizer: Slice,
    add_prefix_space: i32,
}

/// # Safety: see `text_ffi.h`; so for every entry point below.
#[no_mangle]
pub unsafe extern "C" fn rl_encoder_new(vocabulary: &Vocabulary, result: &mut *mut Encoder, error: Sink) -> Status {
    entry(error, || {
        let mut tokens = Vec::with_capacity(vocabulary.token_count);
        for token in array(vocabulary.tokens, vocabulary.token_count) {
            let kind = match token.kind {
                1 => Kind::Merged,
                2 => Kind::Always,
                3 => Kind::Special,
                _ => Kind::Unused,
            };
            tokens.push((token.text.text("a token")?, kind));
        }
        let mut merges = Vec::with_capacity(vocabulary.merge_count);
        for merge in array(vocabulary.merges, vocabulary.merge_count) {
            merges.push((merge.left.text("a merge")?, merge.right.text("a merge")?));
        }
        let name = vocabulary.pre_tokenizer.text("the pre-tokenizer's name")?;
        let encoder = Encoder::new(&tokens, &merges, name, vocabulary.add_prefix_space != 0)?;
        *result = Box::into_raw(Box::new(encoder));
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
        result.put(encoder.break_special(&String::from_utf8_lossy(text.bytes()), breaker).as_bytes());
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
