//! Asynchronous operations: a table of futures per instance, and the three callback modes.
//!
//! An operation begins with `Events::begin`, which gives a `Ticket`. Whoever learns the result resolves the ticket: a
//! spontaneous callback runs at once on that thread, others wait in the table for wgpuInstanceWaitAny,
//! wgpuInstanceProcessEvents or wgpuDevicePoll. A ticket that is dropped resolves as cancelled, so that every callback
//! runs exactly once. No lock is held while a callback runs.
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use crate::abi::{CallbackInfo, Data, Enum, WGPUCallbackMode, WGPUFuture, WGPUWaitStatus};
use crate::boundary::{invalid, Fault};
use crate::device::Device;

type Call = Box<dyn FnOnce() + Send>;

/// The GPU work that an operation waits for: polling the device up to this submission resolves it.
#[derive(Clone)]
pub struct Work {
    pub device: Weak<Device>,
    pub submission: u64,
}

struct Event {
    mode: Enum,
    ready: Option<Call>,
    work: Option<Work>,
}

/// The futures of an instance.
#[derive(Default)]
pub struct Events {
    last: AtomicU64,
    table: Mutex<HashMap<u64, Event>>,
    changed: Condvar,
}

/// What a callback of C gets, as a closure; `Outcome` is the result or, for None, "cancelled".
pub struct Callback<T> {
    call: Box<dyn FnOnce(Option<T>) + Send>,
    mode: Enum,
}

/// A C function with its two pointers, sent between threads as its owner allows.
#[derive(Clone, Copy)]
pub struct Target<F> {
    pub function: F,
    pub user1: Data,
    pub user2: Data,
}

// SAFETY: webgpu.h lets implementations call back from any thread unless the mode forbids it, and modes are kept
unsafe impl<F> Send for Target<F> {}
unsafe impl<F> Sync for Target<F> {}

impl<F> Target<F> {
    /// The parts, in one move (so that a closure captures the whole, which is Send).
    pub fn parts(self) -> (F, Data, Data) {
        (self.function, self.user1, self.user2)
    }
}

impl<F> CallbackInfo<F> {
    pub fn target(self) -> Target<F> {
        Target { function: self.callback, user1: self.userdata1, user2: self.userdata2 }
    }
}

impl<T: 'static> Callback<T> {
    pub fn new<F: 'static>(
        info: CallbackInfo<F>,
        call: impl FnOnce(Target<F>, Option<T>) + Send + 'static,
    ) -> Result<Self, Fault> {
        if !(WGPUCallbackMode::WaitAnyOnly..=WGPUCallbackMode::AllowSpontaneous).contains(&info.mode) {
            return Err(invalid(format!("callback mode {} does not exist", info.mode)));
        }
        let (mode, target) = (info.mode, info.target());
        Ok(Self { call: Box::new(move |outcome| call(target, outcome)), mode })
    }
}

/// An operation under way.
pub struct Ticket<T: Send + 'static> {
    events: Arc<Events>,
    id: u64,
    call: Option<Box<dyn FnOnce(Option<T>) + Send>>,
}

impl<T: Send + 'static> Ticket<T> {
    pub fn future(&self) -> WGPUFuture {
        WGPUFuture { id: self.id }
    }

    /// The operation has ended: the callback runs now or when its mode allows.
    pub fn resolve(mut self, outcome: T) {
        self.settle(Some(outcome));
    }

    fn settle(&mut self, outcome: Option<T>) {
        if let Some(call) = self.call.take() {
            self.events.ready(self.id, Box::new(move || call(outcome)));
        }
    }
}

impl<T: Send + 'static> Drop for Ticket<T> {
    fn drop(&mut self) {
        self.settle(None);
    }
}

impl Events {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Event>> {
        self.table.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Enters an operation into the table.
    pub fn begin<T: Send + 'static>(self: &Arc<Self>, callback: Callback<T>, work: Option<Work>) -> Ticket<T> {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.lock().insert(id, Event { mode: callback.mode, ready: None, work });
        Ticket { events: self.clone(), id, call: Some(callback.call) }
    }

    fn ready(&self, id: u64, call: Call) {
        let mut table = self.lock();
        let spontaneous = table.get(&id).is_none_or(|e| e.mode == WGPUCallbackMode::AllowSpontaneous);
        if spontaneous {
            table.remove(&id);
            drop(table);
            call();
        } else if let Some(event) = table.get_mut(&id) {
            event.ready = Some(call);
        }
        self.changed.notify_all();
    }

    fn take(&self, wanted: impl Fn(u64, &Event) -> bool) -> Vec<(u64, Call)> {
        let mut table = self.lock();
        let mut ids: Vec<u64> =
            table.iter().filter(|(id, e)| e.ready.is_some() && wanted(**id, e)).map(|e| *e.0).collect();
        ids.sort_unstable(); // in the order in which the operations began
        ids.into_iter().filter_map(|id| table.remove(&id).and_then(|e| e.ready).map(|call| (id, call))).collect()
    }

    /// Runs the callbacks of operations that have ended and that need no WaitAny.
    pub fn process(&self) {
        for (_, call) in self.take(|_, e| e.mode != WGPUCallbackMode::WaitAnyOnly) {
            call();
        }
    }

    /// Runs what is left, at the end of the instance.
    pub fn finish(&self) {
        for (_, call) in self.take(|_, _| true) {
            call();
        }
    }

    /// Marks in `done` which of the futures have ended, having run their callbacks; true if any.
    fn collect(&self, ids: &[u64], done: &mut [bool]) -> bool {
        for (_, call) in self.take(|id, _| ids.contains(&id)) {
            call();
        }
        let table = self.lock();
        for (id, done) in ids.iter().zip(done.iter_mut()) {
            *done = !table.contains_key(id);
        }
        done.contains(&true)
    }

    /// Waits until one of the futures has ended, runs the callbacks of all that have, and marks them.
    pub fn wait_any(&self, ids: &[u64], done: &mut [bool], timeout: Duration) -> Enum {
        let begun = Instant::now();
        loop {
            let works: Vec<Work> = {
                let table = self.lock();
                ids.iter().filter_map(|id| table.get(id)?.work.clone()).collect()
            };
            for work in &works {
                if let Some(device) = work.device.upgrade() {
                    device.poll_now();
                }
            }
            if self.collect(ids, done) {
                return WGPUWaitStatus::Success;
            }
            let left = timeout.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return WGPUWaitStatus::TimedOut;
            }
            match works.as_slice() {
                // one device's work alone: let the driver wait for it
                [work, rest @ ..] if works.len() == ids.len() && rest.iter().all(|w| w.device.ptr_eq(&work.device)) => {
                    let first = works.iter().map(|w| w.submission).min().unwrap_or(0);
                    let waited = work.device.upgrade().is_some_and(|d| d.wait_for(first, left));
                    if !waited {
                        self.sleep(ids, left.min(Duration::from_millis(1)));
                    }
                }
                [] => self.sleep(ids, left),
                _ => self.sleep(ids, left.min(Duration::from_micros(200))),
            }
        }
    }

    /// Sleeps until something ends, but not if one of these already has.
    fn sleep(&self, ids: &[u64], time: Duration) {
        let table = self.lock();
        if ids.iter().all(|id| table.get(id).is_some_and(|e| e.ready.is_none())) {
            drop(self.changed.wait_timeout(table, time));
        }
    }
}
