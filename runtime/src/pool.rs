//! A few threads that compile pipelines. They start with the first job and end with the device.
use std::collections::VecDeque;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use crate::boundary::panic_text;
use crate::log::complain;

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Shared {
    jobs: Mutex<Jobs>,
    changed: Condvar,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    idle: usize,
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(|e| e.into_inner())
    }
}

pub struct Pool {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    limit: usize,
}

fn work(shared: &Shared) {
    let mut jobs = shared.lock();
    loop {
        if let Some(job) = jobs.waiting.pop_front() {
            drop(jobs);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(job)) {
                complain(&format!("a compile thread: panic: {}", panic_text(&*panic)));
            }
            jobs = shared.lock();
        } else if jobs.closed {
            return;
        } else {
            jobs.idle += 1;
            jobs = shared.changed.wait(jobs).unwrap_or_else(|e| e.into_inner());
            jobs.idle -= 1;
        }
    }
}

impl Pool {
    /// `limit` threads at most; 0: one a CPU, at most 8 (more gained nothing where it was measured).
    pub fn new(limit: usize) -> Self {
        let cpus = thread::available_parallelism().map_or(1, |n| n.get());
        Self { shared: Arc::default(), threads: Mutex::default(), limit: if limit > 0 { limit } else { cpus.min(8) } }
    }

    /// Runs the job on one of the threads; on this one if none can be started.
    pub fn run(&self, job: Job) {
        let mut jobs = self.shared.lock();
        jobs.waiting.push_back(job);
        let short = jobs.waiting.len() > jobs.idle;
        drop(jobs);
        self.shared.changed.notify_one();
        let mut threads = self.threads.lock().unwrap_or_else(|e| e.into_inner());
        if short && threads.len() < self.limit {
            let shared = self.shared.clone();
            match thread::Builder::new().name("corvid-wgpu".into()).spawn(move || work(&shared)) {
                Ok(handle) => threads.push(handle),
                Err(_) if threads.is_empty() => {
                    let job = self.shared.lock().waiting.pop_front();
                    drop(threads);
                    job.into_iter().for_each(|job| job());
                }
                Err(_) => {}
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        for handle in self.threads.get_mut().unwrap_or_else(|e| e.into_inner()).drain(..) {
            // the last reference to a device may end in a callback on one of its own threads
            if handle.thread().id() != thread::current().id() {
                let _ = handle.join();
            }
        }
    }
}
