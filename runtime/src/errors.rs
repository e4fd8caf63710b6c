//! Where the errors of a device go: the innermost fitting error scope of the thread, or the uncaptured-error callback.
use std::collections::HashMap;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread::{self, ThreadId};

use crate::abi::{Enum, WGPUDeviceLostReason, WGPUErrorType, WGPUStringView, WGPUUncapturedErrorCallback};
use crate::callbacks::{Target, Ticket};
use crate::device::Device;
use crate::log::complain;

struct Scope {
    kind: Enum, // WGPUErrorType
    error: Option<String>,
}

/// Why a device was lost.
pub struct Lost {
    pub reason: Enum,
    pub message: String,
}

/// The error side of a device. wgpu's callbacks hold it, so it must not hold the device.
pub struct Errors {
    uncaptured: Target<WGPUUncapturedErrorCallback>,
    scopes: Mutex<HashMap<ThreadId, Vec<Scope>>>,
    lost: Mutex<Option<Ticket<Lost>>>,
    device: AtomicPtr<Device>, // null before creation and after the end
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

impl Errors {
    pub fn new(uncaptured: Target<WGPUUncapturedErrorCallback>) -> Self {
        let (scopes, lost) = (Mutex::default(), Mutex::default());
        Self { uncaptured, scopes, lost, device: AtomicPtr::default() }
    }

    /// Tells which handle callbacks are given; null at the end.
    pub fn set_device(&self, device: *const Device) {
        self.device.store(device.cast_mut(), Ordering::Release);
    }

    pub fn device(&self) -> *const Device {
        self.device.load(Ordering::Acquire)
    }

    pub fn set_lost(&self, ticket: Ticket<Lost>) {
        *lock(&self.lost) = Some(ticket);
    }

    /// The device is lost: its callback runs, once.
    pub fn lose(&self, lost: Lost) {
        let ticket = lock(&self.lost).take();
        if let Some(ticket) = ticket {
            ticket.resolve(lost);
        }
    }

    /// An error of this device, on the thread whose call failed.
    pub fn report(&self, kind: Enum, message: &str) {
        if let Some(stack) = lock(&self.scopes).get_mut(&thread::current().id()) {
            if let Some(scope) = stack.iter_mut().rev().find(|s| s.kind == kind) {
                scope.error.get_or_insert_with(|| message.into());
                return;
            }
        }
        let (function, user1, user2) = self.uncaptured.parts();
        match function {
            // SAFETY: as the device descriptor promised
            Some(f) => unsafe { f(&self.device(), kind, WGPUStringView::of(message), user1, user2) },
            None => complain(message),
        }
    }

    /// Opens a scope on this thread that catches errors of one WGPUErrorType.
    pub fn push(&self, kind: Enum) {
        lock(&self.scopes).entry(thread::current().id()).or_default().push(Scope { kind, error: None });
    }

    /// Closes this thread's innermost scope: its type and first error. None if there is no scope.
    pub fn pop(&self) -> Option<(Enum, Option<String>)> {
        let mut scopes = lock(&self.scopes);
        let id = thread::current().id();
        let stack = scopes.get_mut(&id)?;
        let scope = stack.pop()?;
        if stack.is_empty() {
            scopes.remove(&id);
        }
        Some((scope.kind, scope.error))
    }

    /// Runs `work` on this thread and gives its first error, of any type, instead of reporting it.
    pub fn catch<T>(&self, work: impl FnOnce() -> T) -> Result<T, (Enum, String)> {
        let kinds = [WGPUErrorType::Internal, WGPUErrorType::OutOfMemory, WGPUErrorType::Validation];
        kinds.iter().for_each(|&kind| self.push(kind));
        let result = work();
        let caught: Vec<_> = kinds.iter().filter_map(|_| self.pop()).collect(); // every one of them
        caught.into_iter().find_map(|(kind, error)| Some((kind, error?))).map_or(Ok(result), Err)
    }

    /// What wgpu reports.
    pub fn hear(&self, error: wgpu::Error) {
        match error {
            wgpu::Error::OutOfMemory { source } => {
                self.report(WGPUErrorType::OutOfMemory, &format!("out of memory: {source}"))
            }
            wgpu::Error::Validation { description, .. } => self.report(WGPUErrorType::Validation, &description),
            wgpu::Error::Internal { description, .. } => self.report(WGPUErrorType::Internal, &description),
        }
    }
}

/// wgpu's reason as C's.
pub fn lost_reason(reason: wgpu::DeviceLostReason) -> Enum {
    match reason {
        wgpu::DeviceLostReason::Destroyed => WGPUDeviceLostReason::Destroyed,
        _ => WGPUDeviceLostReason::Unknown,
    }
}
