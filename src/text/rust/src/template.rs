//! Chat templates: Jinja as Hugging Face's `apply_chat_template` runs it, within limits.

use crate::{dialect, guard, invalid, python, Failure, Status};
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Limits {
    pub steps: u64,
    pub output_bytes: u64,
    pub memory_bytes: u64,
    pub milliseconds: u64,
}

const DEEPEST_CALL: usize = 64; // macros that call macros

pub struct ChatTemplate {
    environment: Arc<Environment<'static>>,
    bos: Option<String>,
    eos: Option<String>,
    limits: Limits,
    exhausted: AtomicBool, // a rendering was abandoned: its thread may still hold the environment
}

impl ChatTemplate {
    pub fn new(source: &str, bos: Option<String>, eos: Option<String>, limits: Limits) -> Result<Self, Failure> {
        let source = dialect::rewritten(source);
        let environment = guard::run(limits.memory_bytes, limits.milliseconds, move || {
            let mut environment = environment(limits);
            environment.add_template_owned("chat", source).map_err(failure)?;
            Ok(Arc::new(environment))
        })?;
        Ok(ChatTemplate { environment, bos, eos, limits, exhausted: false.into() })
    }

    pub fn render(&self, messages: Vec<(String, String)>, add_generation_prompt: bool) -> Result<String, Failure> {
        if self.exhausted.load(Ordering::Acquire) {
            return Err(Failure(Status::Limit, "an earlier rendering had to be abandoned".into()));
        }
        let (environment, limits) = (self.environment.clone(), self.limits);
        let (bos, eos) = (self.bos.clone(), self.eos.clone());
        let input_bytes: usize = messages.iter().map(|(role, content)| role.len() + content.len()).sum();
        let memory = limits.memory_bytes.saturating_add(8 * input_bytes as u64); // what honest templates do with long input
        let result = guard::run(memory, limits.milliseconds, move || {
            let messages = messages.into_iter().map(|(role, content)| {
                [("role", Value::from(role)), ("content", Value::from(content))].into_iter().collect::<Value>()
            });
            let mut names = BTreeMap::from([
                ("messages", messages.collect::<Vec<_>>().into()),
                ("add_generation_prompt", Value::from(add_generation_prompt)),
                ("tools", ().into()),
                ("documents", ().into()),
            ]);
            names.extend(bos.map(|text| ("bos_token", text.into())));
            names.extend(eos.map(|text| ("eos_token", text.into())));
            let _namespaces = Namespaces { environment: &environment };
            let mut output = Bounded { text: Vec::new(), most: limits.output_bytes as usize };
            let chat = environment.get_template("chat").map_err(failure)?;
            let rendered = chat.render_captured_to(Value::from_serialize(names), &mut output);
            rendered.map(drop).map_err(failure)?;
            String::from_utf8(output.text).map_err(|e| Failure(Status::Fault, e.to_string()))
        });
        if matches!(result, Err(Failure(Status::Limit, _))) {
            self.exhausted.store(true, Ordering::Release);
        }
        result
    }
}

fn environment(limits: Limits) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_trim_blocks(true);
    env.set_lstrip_blocks(true);
    env.set_fuel(Some(limits.steps));
    env.set_recursion_limit(DEEPEST_CALL);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_unknown_method_callback(call_method);
    env.set_formatter(|out, _, value| match value.as_str() {
        Some(text) => out.write_str(text).map_err(Error::from),
        None => out.write_str(&python::str(value)?).map_err(Error::from),
    });
    env.remove_global("debug"); // prints the interpreter; Jinja has none
    env.add_function("namespace", Namespaces::make);
    env.add_filter("tojson", |value: &Value, options: Kwargs| python::to_json(value, options));
    env.add_filter("string", |value: &Value| python::str(value));
    env.add_function("raise_exception", |message: String| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, message.clone()).with_source(Raised(message)))
    });
    env.add_function("strftime_now", |_: &State, format: String| local_time(&format));
    env
}

/// The namespaces of a rendering. They are all that a template can change, so the only way to a value that holds itself
/// (`{% set ns.me = ns %}`), which reference counts would keep for ever: at the end they are emptied of what could.
struct Namespaces<'a> {
    environment: &'a Environment<'static>,
}

thread_local! {
    static MADE: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) }; // every rendering has a thread of its own
}

impl Namespaces<'_> {
    fn make(defaults: Option<Value>) -> Result<Value, Error> {
        let made = minijinja::functions::namespace(defaults)?;
        MADE.with_borrow_mut(|all| all.push(made.clone()));
        Ok(made)
    }
}

impl Drop for Namespaces<'_> {
    fn drop(&mut self) {
        use ValueKind::{Bool, Bytes, None, Number, String, Undefined};
        for ns in MADE.take() {
            for key in ns.try_iter().into_iter().flatten() {
                let simple = |v: Value| matches!(v.kind(), Bool | Bytes | None | Number | String | Undefined);
                // Only assignments tie knots, and they name an identifier.
                if key.as_str().is_some() && !ns.get_item(&key).is_ok_and(simple) {
                    let names = BTreeMap::from([("ns", ns.clone())]);
                    let _ = self.environment.render_str(&format!("{{% set ns.{key} = none %}}"), names);
                }
            }
        }
    }
}

/// Methods that Python's values have, and the one that `dialect` writes.
fn call_method(state: &State, value: &Value, method: &str, arguments: &[Value]) -> Result<Value, Error> {
    if method != dialect::REVERSED || !arguments.is_empty() {
        return minijinja_contrib::pycompat::unknown_method_callback(state, value, method, arguments);
    }
    match value.as_str() {
        Some(text) => Ok(text.chars().rev().collect::<String>().into()),
        None if value.kind() == ValueKind::Seq || value.kind() == ValueKind::Iterable => {
            let mut items: Vec<Value> = value.try_iter()?.collect();
            items.reverse();
            Ok(items.into())
        }
        None => {
            Err(Error::new(ErrorKind::InvalidOperation, format!("value of type {} cannot be sliced", value.kind())))
        }
    }
}

#[derive(Debug)]
struct Raised(String);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Raised {}

#[derive(Debug)]
struct OutputFull(usize);

impl fmt::Display for OutputFull {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "it writes more than {} bytes", self.0)
    }
}
impl std::error::Error for OutputFull {}

struct Bounded {
    text: Vec<u8>,
    most: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.most - self.text.len() {
            return Err(io::Error::other(OutputFull(self.most)));
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The interpreter's error as a status and one line: what happened, and in which line of the template.
fn failure(error: Error) -> Failure {
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(inner) = cause {
        if let Some(Raised(message)) = inner.downcast_ref() {
            return Failure(Status::Raised, message.clone());
        }
        if let Some(full) = inner.downcast_ref::<io::Error>().and_then(|e| e.get_ref()).filter(|e| e.is::<OutputFull>())
        {
            return Failure(Status::Limit, full.to_string());
        }
        if let Some(inner) = inner.downcast_ref::<Error>() {
            if inner.kind() == ErrorKind::OutOfFuel {
                return Failure(Status::Limit, "it takes too many steps".into());
            }
        }
        cause = inner.source();
    }
    let line = error.line().map_or(String::new(), |n| format!("line {n}: "));
    let detail = error.detail().map_or(String::new(), |text| format!(": {text}"));
    invalid(format!("{line}{}{detail}", error.kind()))
}

/// Local time through the C library, as Python's `datetime.now().strftime` does.
fn local_time(format: &str) -> Result<String, Error> {
    let format = std::ffi::CString::new(format)
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "strftime_now: the format holds a NUL"))?;
    let mut buffer = [0u8; 512];
    // SAFETY: `now` is written before it is read, the buffer's size is passed, the format ends in a NUL.
    let written = unsafe {
        let seconds = libc::time(std::ptr::null_mut());
        let mut now: libc::tm = std::mem::zeroed();
        libc::localtime_r(&seconds, &mut now);
        libc::strftime(buffer.as_mut_ptr().cast(), buffer.len(), format.as_ptr(), &now)
    };
    Ok(String::from_utf8_lossy(&buffer[..written]).into_owned())
}
