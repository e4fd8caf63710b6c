//! What every exported function goes through: handle checks, and a fence that no panic crosses.
use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::abi::{Enum, WGPUChainedStruct, WGPUErrorType};
use crate::handles::{self, Object};
use crate::log::complain;

/// Why a call failed: reported where its object says.
pub struct Fault {
    pub kind: Enum,
    pub message: String,
}

/// A call that is invalid: the usual fault.
pub fn invalid(message: impl Into<String>) -> Fault {
    Fault { kind: WGPUErrorType::Validation, message: message.into() }
}

/// Runs the body of an exported function on the object of its first handle. After a bad handle, a fault or a panic the
/// error is reported and `otherwise` returned.
pub fn enter<T: Object, R>(name: &str, handle: *const T, otherwise: R, body: impl FnOnce(&T) -> Result<R, Fault>) -> R {
    let object = match handles::look(handle) {
        Ok(object) => object,
        Err(message) => {
            complain(&format!("{name}: {message}"));
            return otherwise;
        }
    };
    match catch_unwind(AssertUnwindSafe(|| body(object))) {
        Ok(Ok(result)) => return result,
        Ok(Err(fault)) => object.report(fault.kind, &format!("{name}: {}", fault.message)),
        Err(panic) => object.report(WGPUErrorType::Internal, &format!("{name}: panic: {}", panic_text(&*panic))),
    }
    otherwise
}

/// As `enter`, for functions without an object: errors are only logged.
pub fn enter_free<R>(name: &str, otherwise: R, body: impl FnOnce() -> Result<R, Fault>) -> R {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(result)) => return result,
        Ok(Err(fault)) => complain(&format!("{name}: {}", fault.message)),
        Err(panic) => complain(&format!("{name}: panic: {}", panic_text(&*panic))),
    }
    otherwise
}

/// The object of a further handle argument.
pub fn argument<'a, T: Object>(what: &str, handle: *const T) -> Result<&'a T, Fault> {
    handles::look(handle).map_err(|e| invalid(format!("{what}: {e}")))
}

/// A pointer argument that must not be null.
///
/// # Safety
/// `pointer` is null or valid.
pub unsafe fn required<'a, T>(what: &str, pointer: *const T) -> Result<&'a T, Fault> {
    pointer.as_ref().ok_or_else(|| invalid(format!("{what} is null")))
}

/// Walks a chain; `take` handles a struct by its sType, or returns false for one that has no place there.
///
/// # Safety
/// The chain is valid, and each struct is what its sType says.
pub unsafe fn walk_chain(
    mut next: *const WGPUChainedStruct,
    mut take: impl FnMut(Enum, *const WGPUChainedStruct) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    while let Some(link) = next.as_ref() {
        if !take(link.sType, next)? {
            return Err(invalid(format!("chained struct with sType {:#010x} has no place here", link.sType)));
        }
        next = link.next;
    }
    Ok(())
}

/// What a panic said.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| s.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "of unknown cause".into())
}

/// Defines the AddRef, Release and SetLabel functions of an object.
macro_rules! reference_counting {
    ($object:ty, $add_ref:ident, $release:ident $(, $set_label:ident)?) => {
        /// One more reference. Any thread.
        #[no_mangle]
        pub extern "C" fn $add_ref(handle: *const $object) {
            $crate::boundary::enter(stringify!($add_ref), handle, (), |_| {
                $crate::handles::add_ref(handle).map_err($crate::boundary::invalid)
            })
        }

        /// Gives a reference back; after the last one the handle is invalid. Any thread.
        #[no_mangle]
        pub extern "C" fn $release(handle: *const $object) {
            $crate::boundary::enter_free(stringify!($release), (), || {
                $crate::handles::release(handle).map_err($crate::boundary::invalid)
            })
        }

        $(
        /// Does nothing: wgpu gives labels at creation, by the descriptor, and cannot change them. Any thread.
        #[no_mangle]
        pub extern "C" fn $set_label(handle: *const $object, _label: $crate::abi::WGPUStringView) {
            $crate::boundary::enter(stringify!($set_label), handle, (), |_| Ok(()))
        }
        )?
    };
}
