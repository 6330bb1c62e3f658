//! Runs work that an untrusted template steers, within bounds that the interpreter does not keep by itself.
//!
//! The interpreter counts its steps, but one step may double a string, print a list that contains itself ten times over,
//! or free a value nested a hundred thousand deep. So the work runs on a thread of its own, whose stack is deep enough for
//! anything its step count can nest and whose allocations are counted. Rust cannot refuse an allocation without ending
//! the process; a thread that asks for too much is instead parked for good and its caller told. That costs its memory, at
//! most the bound, once: the template is never run again. A thread that runs out of time is left to itself likewise, and
//! ends at its step count. (One step that compares two values of 2^40 parts keeps a core busy; it can do nothing else.)

use crate::{Failure, Status};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{sync_channel, RecvTimeoutError};
use std::sync::{Arc, Once};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const STACK: usize = 256 << 20; // reserved, not touched: what 10^6 steps nest takes less
const WAITS_LONGER: u32 = 40; // than that for a processor to be free
const PARKED_ABOVE: usize = 64 << 10; // smaller requests pass, lest a lock of the library be held for ever

thread_local! {
    static LEFT: Cell<isize> = const { Cell::new(isize::MAX) };
    static SPENT: Cell<*const AtomicBool> = const { Cell::new(std::ptr::null()) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn take(size: usize) {
    let left = LEFT.get();
    if left == isize::MAX {
        return; // not a guarded thread
    }
    LEFT.set(left.saturating_sub_unsigned(size));
    if size > PARKED_ABOVE && LEFT.get() < 0 {
        // SAFETY: the thread's closure owns the flag and never ends.
        unsafe { (*SPENT.get()).store(true, Ordering::Release) };
        loop {
            std::thread::park();
        }
    }
}

fn give(size: usize) {
    let left = LEFT.get();
    if left != isize::MAX {
        LEFT.set(left.saturating_add_unsigned(size).min(isize::MAX - 1));
    }
}

// SAFETY: every request goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        System.alloc(layout)
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        System.alloc_zeroed(layout)
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        take(size);
        give(layout.size());
        System.realloc(block, layout, size)
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        give(layout.size());
        System.dealloc(block, layout)
    }
}

/// A panic on a guarded thread is an answer to its caller, not news for the terminal.
fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if LEFT.get() == isize::MAX {
                others(panic);
            }
        }));
    });
}

/// What a thread has used of a processor: unlike the time that passes, it does not grow while others keep the machine busy.
fn processor_time(thread: &JoinHandle<()>) -> Duration {
    let mut clock: libc::clockid_t = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the thread is not joined yet, so its handle is valid; one that has ended has no clock, and used nothing.
    let known = unsafe {
        libc::pthread_getcpuclockid(thread.as_pthread_t(), &mut clock) == 0
            && libc::clock_gettime(clock, &mut time) == 0
    };
    if known {
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    } else {
        Duration::ZERO
    }
}

/// Runs the work on a guarded thread and waits for it. On `Status::Limit` the thread may live on: never start such work
/// again with the same input. The milliseconds are of a processor.
pub fn run<T: Send + 'static>(
    memory_bytes: u64,
    milliseconds: u64,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    silence_panics();
    let spent = Arc::new(AtomicBool::new(false));
    let (send, receive) = sync_channel(1);
    let flag = spent.clone();
    let body = move || {
        SPENT.set(Arc::as_ptr(&flag));
        LEFT.set(memory_bytes.min(isize::MAX as u64 / 2) as isize);
        let result = work();
        LEFT.set(isize::MAX);
        let _ = send.send(result); // nobody waits any more when the time was up
    };
    let thread = std::thread::Builder::new().name("template".into()).stack_size(STACK).spawn(body);
    let thread = thread.map_err(|e| Failure(Status::Fault, format!("cannot start a thread for the template: {e}")))?;

    let limit = Duration::from_millis(milliseconds);
    let deadline = Instant::now() + WAITS_LONGER * limit;
    loop {
        match receive.recv_timeout(Duration::from_millis(5)) {
            Ok(result) => {
                let _ = thread.join(); // it has nothing left to do: its memory is returned before the caller goes on
                return result;
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure(Status::Invalid, "the interpreter has no answer to this".into()))
            }
            Err(RecvTimeoutError::Timeout) if spent.load(Ordering::Acquire) => {
                return Err(Failure(Status::Limit, format!("it needs more than {} MiB of memory", memory_bytes >> 20)));
            }
            Err(RecvTimeoutError::Timeout) if processor_time(&thread) > limit || Instant::now() > deadline => {
                return Err(Failure(Status::Limit, format!("it takes longer than {milliseconds} ms")));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}
