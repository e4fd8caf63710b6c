//! Handles are pointers to `Arc`ed objects; C's references are strong counts. A null handle is always noticed. In debug
//! builds a registry knows every handle: one that was released, or is of another kind, is noticed too, and its address
//! is never reused (the registry keeps a weak reference, so the memory stays while the object itself is dropped).
use std::sync::Arc;

/// An object behind a handle.
pub trait Object: Send + Sync + 'static {
    /// The name C knows it by.
    const KIND: &'static str;
    /// Where an error goes that has to do with this object.
    fn report(&self, kind: crate::abi::Enum, message: &str);
}

/// Makes a handle, with one reference that C owns.
pub fn give<T: Object>(object: T) -> *const T {
    give_arc(Arc::new(object))
}

/// As `give`, for an object that Rust holds too.
pub fn give_arc<T: Object>(object: Arc<T>) -> *const T {
    #[cfg(debug_assertions)]
    registry::add(&object);
    Arc::into_raw(object)
}

/// The object of a handle that C still owns; the error says what is wrong with the handle.
pub fn look<'a, T: Object>(handle: *const T) -> Result<&'a T, String> {
    if handle.is_null() {
        return Err(format!("{} is null", T::KIND));
    }
    #[cfg(debug_assertions)]
    registry::check::<T>(handle.cast())?;
    // SAFETY: the caller owns a reference, which in debug builds the registry has confirmed
    Ok(unsafe { &*handle })
}

/// As `look`, with a reference of Rust's own.
pub fn hold<T: Object>(handle: *const T) -> Result<Arc<T>, String> {
    look(handle)?;
    // SAFETY: handles come from `give`, so from `Arc::into_raw`, and this one is live
    unsafe {
        Arc::increment_strong_count(handle);
        Ok(Arc::from_raw(handle))
    }
}

/// One more reference for C.
pub fn add_ref<T: Object>(handle: *const T) -> Result<(), String> {
    give_arc(hold(handle)?);
    Ok(())
}

/// Takes one of C's references back.
pub fn release<T: Object>(handle: *const T) -> Result<(), String> {
    look(handle)?;
    #[cfg(debug_assertions)]
    registry::remove::<T>(handle.cast())?;
    // SAFETY: as in `hold`; this is the reference that `give` or `add_ref` made
    drop(unsafe { Arc::from_raw(handle) });
    Ok(())
}

#[cfg(debug_assertions)]
mod registry {
    use std::any::Any;
    use std::collections::HashMap;
    use std::ffi::c_void;
    use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

    use super::Object;

    struct Entry {
        kind: &'static str,
        references: usize,
        _address: Box<dyn Any + Send>, // a Weak: keeps the address from being used again
    }

    static LIVE: LazyLock<Mutex<HashMap<usize, Entry>>> = LazyLock::new(Mutex::default);

    fn lock() -> MutexGuard<'static, HashMap<usize, Entry>> {
        LIVE.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub fn add<T: Object>(object: &Arc<T>) {
        let fresh = || Entry { kind: T::KIND, references: 0, _address: Box::new(Arc::downgrade(object)) };
        lock().entry(Arc::as_ptr(object) as usize).or_insert_with(fresh).references += 1;
    }

    fn find<T: Object>(entry: Option<&mut Entry>, handle: *const c_void) -> Result<&mut Entry, String> {
        match entry {
            Some(e) if e.kind != T::KIND => Err(format!("{handle:?} is a {}, expected a {}", e.kind, T::KIND)),
            Some(e) if e.references == 0 => Err(format!("{} {handle:?} was released", T::KIND)),
            Some(e) => Ok(e),
            None => Err(format!("{handle:?} is not a {}", T::KIND)),
        }
    }

    pub fn check<T: Object>(handle: *const c_void) -> Result<(), String> {
        find::<T>(lock().get_mut(&(handle as usize)), handle).map(|_| ())
    }

    pub fn remove<T: Object>(handle: *const c_void) -> Result<(), String> {
        find::<T>(lock().get_mut(&(handle as usize)), handle).map(|e| e.references -= 1)
    }
}
