//! Log lines: wgpu's own, and this crate's complaints that have no device to go to.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;

use crate::abi::{Data, Enum, WGPULogCallback, WGPULogLevel, WGPUStringView};
use crate::boundary::{enter_free, invalid};

struct Sink {
    callback: WGPULogCallback,
    user: Data,
}

// SAFETY: whoever sets the callback promises that it may be called from any thread
unsafe impl Send for Sink {}

static SINK: Mutex<Sink> = Mutex::new(Sink { callback: None, user: std::ptr::null_mut() });
static INSTALLED: AtomicBool = AtomicBool::new(false);

struct Logger;

fn send(level: Enum, message: &str) -> bool {
    let (callback, user) = {
        let sink = SINK.lock().unwrap_or_else(|e| e.into_inner());
        (sink.callback, sink.user)
    };
    let Some(f) = callback else { return false };
    // SAFETY: as promised to wgpuSetLogCallback
    unsafe { f(level, WGPUStringView::of(message), user) };
    true
}

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata) -> bool {
        true
    }

    fn log(&self, record: &log::Record) {
        if record.level() <= log::max_level() {
            send(record.level() as Enum, &format!("{}: {}", record.target(), record.args()));
        }
    }

    fn flush(&self) {}
}

/// An error line: to the log callback, or to stderr where none is set.
pub fn complain(message: &str) {
    if !send(WGPULogLevel::Error, message) {
        eprintln!("corvid-wgpu: {message}");
    }
}

/// Sets who gets log lines of this library, of wgpu and of the validation layers, on any thread; null stops them. The
/// message is valid during the call only. Any thread.
#[no_mangle]
pub extern "C" fn wgpuSetLogCallback(callback: WGPULogCallback, user: Data) {
    enter_free("wgpuSetLogCallback", (), || {
        *SINK.lock().unwrap_or_else(|e| e.into_inner()) = Sink { callback, user };
        if !INSTALLED.swap(true, Ordering::AcqRel) {
            // a static library may share `log` with a program that has its own logger: then that one stays
            let _ = log::set_logger(&Logger);
            if log::max_level() == log::LevelFilter::Off {
                log::set_max_level(log::LevelFilter::Warn);
            }
        }
        Ok(())
    })
}

/// Sets the least important WGPULogLevel that the callback gets; Warn unless told. Any thread.
#[no_mangle]
pub extern "C" fn wgpuSetLogLevel(level: Enum) {
    enter_free("wgpuSetLogLevel", (), || {
        log::set_max_level(match level {
            WGPULogLevel::Off => log::LevelFilter::Off,
            WGPULogLevel::Error => log::LevelFilter::Error,
            WGPULogLevel::Warn => log::LevelFilter::Warn,
            WGPULogLevel::Info => log::LevelFilter::Info,
            WGPULogLevel::Debug => log::LevelFilter::Debug,
            WGPULogLevel::Trace => log::LevelFilter::Trace,
            other => return Err(invalid(format!("{other} is no log level"))),
        });
        Ok(())
    })
}
