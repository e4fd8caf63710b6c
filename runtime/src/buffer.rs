//! Buffers and their mapping.
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::abi::*;
use crate::boundary::*;
use crate::callbacks::{Callback, Work};
use crate::device::Device;
use crate::handles::{self, Object};

pub struct Buffer {
    pub raw: wgpu::Buffer,
    device: Arc<Device>,
    map: Arc<Mutex<Map>>,
}

/// The state of a mapping. Views are made when C asks for a range, of all that is mapped.
enum Map {
    Unmapped,
    Pending { generation: u64 }, // an unmap in between makes the result "aborted"
    Mapped { range: Range<u64>, mode: u32, view: Option<View> },
}

enum View {
    Read(wgpu::BufferView),
    Write(wgpu::BufferViewMut),
}

fn lock(map: &Mutex<Map>) -> MutexGuard<'_, Map> {
    map.lock().unwrap_or_else(|e| e.into_inner())
}

impl Object for Buffer {
    const KIND: &'static str = "WGPUBuffer";
    fn report(&self, kind: Enum, message: &str) {
        self.device.report(kind, message);
    }
}

reference_counting!(Buffer, wgpuBufferAddRef, wgpuBufferRelease, wgpuBufferSetLabel);

impl Drop for Buffer {
    fn drop(&mut self) {
        *lock(&self.map) = Map::Unmapped; // views go before their buffer
    }
}

/// Creates a zeroed buffer; null after an error in the descriptor, otherwise an object, even if the device reports an
/// error. The caller owns it. Any thread.
///
/// # Safety
/// `descriptor` is as webgpu.h says.
#[no_mangle]
pub unsafe extern "C" fn wgpuDeviceCreateBuffer(
    device: *const Device,
    descriptor: *const WGPUBufferDescriptor,
) -> *const Buffer {
    enter("wgpuDeviceCreateBuffer", device, std::ptr::null(), |d| {
        let from = unsafe { required("descriptor", descriptor) }?;
        unsafe { walk_chain(from.nextInChain, |_, _| Ok(false)) }?;
        let label = unsafe { from.label.get() };
        let bits = u32::try_from(from.usage).ok().and_then(wgpu::BufferUsages::from_bits);
        let mapped = from.mappedAtCreation != 0;
        if mapped && from.size % 4 != 0 {
            return Err(invalid("a buffer mapped at creation needs a size that is a multiple of 4"));
        }
        let to = wgpu::BufferDescriptor {
            label: label.as_deref(),
            size: from.size,
            usage: bits.ok_or_else(|| invalid(format!("usage {:#x} is not known", from.usage)))?,
            mapped_at_creation: mapped,
        };
        let state = match mapped {
            true => Map::Mapped { range: 0..from.size, mode: WGPUMapMode::Write, view: None },
            false => Map::Unmapped,
        };
        let device = handles::hold(device).map_err(invalid)?;
        Ok(handles::give(Buffer { raw: d.raw.create_buffer(&to), device, map: Arc::new(Mutex::new(state)) }))
    })
}

/// Frees the memory at once, also if it is mapped; the handle stays valid until released. Any thread.
#[no_mangle]
pub extern "C" fn wgpuBufferDestroy(buffer: *const Buffer) {
    enter("wgpuBufferDestroy", buffer, (), |b| {
        *lock(&b.map) = Map::Unmapped;
        b.raw.destroy();
        Ok(())
    })
}

/// The size it was created with. Any thread.
#[no_mangle]
pub extern "C" fn wgpuBufferGetSize(buffer: *const Buffer) -> u64 {
    enter("wgpuBufferGetSize", buffer, 0, |b| Ok(b.raw.size()))
}

/// The usage it was created with. Any thread.
#[no_mangle]
pub extern "C" fn wgpuBufferGetUsage(buffer: *const Buffer) -> WGPUFlags {
    enter("wgpuBufferGetUsage", buffer, 0, |b| Ok(b.raw.usage().bits().into()))
}

/// Whether it is mapped, or about to be. Any thread.
#[no_mangle]
pub extern "C" fn wgpuBufferGetMapState(buffer: *const Buffer) -> Enum {
    enter("wgpuBufferGetMapState", buffer, WGPUBufferMapState::Unmapped, |b| {
        Ok(match *lock(&b.map) {
            Map::Unmapped => WGPUBufferMapState::Unmapped,
            Map::Pending { .. } => WGPUBufferMapState::Pending,
            Map::Mapped { .. } => WGPUBufferMapState::Mapped,
        })
    })
}

/// `offset..offset + size` of a buffer; WGPU_WHOLE_MAP_SIZE reaches to its end.
fn range_of(b: &Buffer, offset: usize, size: usize) -> Result<Range<u64>, Fault> {
    let (offset, whole) = (offset as u64, b.raw.size());
    let end = match size {
        WGPU_WHOLE_MAP_SIZE => Some(whole),
        size => offset.checked_add(size as u64),
    };
    match end {
        Some(end) if offset <= end && end <= whole => Ok(offset..end),
        _ => Err(invalid(format!("range at {offset} of {size} bytes is not within the buffer's {whole}"))),
    }
}

type Mapping = Result<(), (Enum, String)>;

fn map_callback(info: WGPUBufferMapCallbackInfo) -> Result<Callback<Mapping>, Fault> {
    Callback::new(info, |target, outcome: Option<Mapping>| {
        let (function, user1, user2) = target.parts();
        let (status, message) = match outcome {
            Some(Ok(())) => (WGPUMapAsyncStatus::Success, String::new()),
            Some(Err(error)) => error,
            None => (WGPUMapAsyncStatus::CallbackCancelled, String::new()),
        };
        if let Some(f) = function {
            unsafe { f(status, WGPUStringView::of(&message), user1, user2) };
        }
    })
}

/// What can be wrong with a mapping, checked here: wgpu 30 would refuse it too, but then never map the buffer again.
fn map_request(b: &Buffer, mode: WGPUFlags, offset: usize, size: usize) -> Result<(Range<u64>, wgpu::MapMode), Fault> {
    let (to, usage) = match u32::try_from(mode) {
        Ok(WGPUMapMode::Read) => (wgpu::MapMode::Read, wgpu::BufferUsages::MAP_READ),
        Ok(WGPUMapMode::Write) => (wgpu::MapMode::Write, wgpu::BufferUsages::MAP_WRITE),
        _ => return Err(invalid(format!("map mode {mode} does not exist"))),
    };
    if !b.raw.usage().contains(usage) {
        return Err(invalid(format!("the buffer has usage {:?}, mapping so needs {usage:?}", b.raw.usage())));
    }
    let range = range_of(b, offset, size)?;
    if range.start % 8 != 0 || (range.end - range.start) % 4 != 0 {
        return Err(invalid("the offset is not a multiple of 8, or the size not of 4"));
    }
    Ok((range, to))
}

/// Makes a range visible to the CPU when submitted work no longer needs the buffer. An invalid call is reported to the
/// device and to the callback. Any thread; the callback may run inside a poll.
///
/// # Safety
/// The callback is as webgpu.h says.
#[no_mangle]
pub unsafe extern "C" fn wgpuBufferMapAsync(
    buffer: *const Buffer,
    mode: WGPUFlags,
    offset: usize,
    size: usize,
    callback: WGPUBufferMapCallbackInfo,
) -> WGPUFuture {
    enter("wgpuBufferMapAsync", buffer, WGPUFuture { id: 0 }, |b| {
        let d = &b.device;
        let work = Work { device: Arc::downgrade(d), submission: d.last_submission.load(Ordering::Acquire) };
        let ticket = d.instance.events.begin(map_callback(callback)?, Some(work));
        let future = ticket.future();
        let generation = future.id;
        let checked = map_request(b, mode, offset, size).and_then(|checked| {
            let mut map = lock(&b.map);
            match *map {
                Map::Unmapped => *map = Map::Pending { generation },
                _ => return Err(invalid("the buffer is mapped already")),
            }
            Ok(checked)
        });
        let (range, raw_mode) = match checked {
            Ok(checked) => checked,
            Err(fault) => {
                b.report(fault.kind, &format!("wgpuBufferMapAsync: {}", fault.message));
                ticket.resolve(Err((WGPUMapAsyncStatus::Error, fault.message)));
                return Ok(future);
            }
        };
        let (map, mapped, mode) = (b.map.clone(), range.clone(), mode as u32);
        b.raw.map_async(raw_mode, range, move |result| {
            let mut state = lock(&map);
            let waited = matches!(*state, Map::Pending { generation: g } if g == generation);
            let outcome = match (result, waited) {
                (Ok(()), true) => {
                    *state = Map::Mapped { range: mapped, mode, view: None };
                    Ok(())
                }
                (Err(_), true) => {
                    *state = Map::Unmapped;
                    Err((WGPUMapAsyncStatus::Error, "the buffer cannot be mapped".to_string()))
                }
                (_, false) => Err((WGPUMapAsyncStatus::Aborted, "the buffer was unmapped or destroyed".to_string())),
            };
            drop(state);
            ticket.resolve(outcome);
        });
        Ok(future)
    })
}

/// The address of a range that lies in what is mapped; None, without an error, if it does not.
fn mapped_range(b: &Buffer, offset: usize, size: usize, write: bool) -> Result<Option<NonNull<u8>>, Fault> {
    let mut map = lock(&b.map);
    let Map::Mapped { range: mapped, mode, view } = &mut *map else { return Ok(None) };
    let Ok(range) = range_of(b, offset, size) else { return Ok(None) };
    let outside = range.start < mapped.start || range.end > mapped.end;
    if outside || range.start % 8 != 0 || (range.end - range.start) % 4 != 0 || (write && *mode != WGPUMapMode::Write) {
        return Ok(None);
    }
    if view.is_none() {
        *view = Some(
            match *mode {
                WGPUMapMode::Write => b.raw.get_mapped_range_mut(mapped.clone()).map(View::Write),
                _ => b.raw.get_mapped_range(mapped.clone()).map(View::Read),
            }
            .map_err(|e| invalid(e.to_string()))?,
        );
    }
    let at = (range.start - mapped.start) as usize;
    let base = match view {
        Some(View::Read(view)) => NonNull::from(&view[..]).cast::<u8>(),
        Some(View::Write(view)) => view.slice(..).as_raw_element_ptr(),
        None => return Ok(None),
    };
    // SAFETY: `at` is within the view
    Ok(Some(unsafe { base.add(at) }))
}

/// A mapped range for reading (offset a multiple of 8, size of 4), valid until unmapped; null if it is not mapped. Any
/// thread.
#[no_mangle]
pub extern "C" fn wgpuBufferGetConstMappedRange(buffer: *const Buffer, offset: usize, size: usize) -> *const u8 {
    enter("wgpuBufferGetConstMappedRange", buffer, std::ptr::null(), |b| {
        Ok(mapped_range(b, offset, size, false)?.map_or(std::ptr::null(), |p| p.as_ptr().cast_const()))
    })
}

/// A range mapped for writing (offset a multiple of 8, size of 4), valid until unmapped; null if it is not mapped so.
/// Any thread, but the caller keeps threads apart.
#[no_mangle]
pub extern "C" fn wgpuBufferGetMappedRange(buffer: *const Buffer, offset: usize, size: usize) -> *mut u8 {
    enter("wgpuBufferGetMappedRange", buffer, std::ptr::null_mut(), |b| {
        Ok(mapped_range(b, offset, size, true)?.map_or(std::ptr::null_mut(), |p| p.as_ptr()))
    })
}

/// Copies out of a mapped range. Any thread.
///
/// # Safety
/// `data` has room for `size` bytes.
#[no_mangle]
pub unsafe extern "C" fn wgpuBufferReadMappedRange(
    buffer: *const Buffer,
    offset: usize,
    data: *mut u8,
    size: usize,
) -> Enum {
    enter("wgpuBufferReadMappedRange", buffer, WGPUStatus::Error, |b| match mapped_range(b, offset, size, false)? {
        Some(from) if !data.is_null() && size != WGPU_WHOLE_MAP_SIZE => {
            unsafe { from.as_ptr().copy_to_nonoverlapping(data, size) };
            Ok(WGPUStatus::Success)
        }
        _ => Ok(WGPUStatus::Error),
    })
}

/// Copies into a range mapped for writing. Any thread.
///
/// # Safety
/// `data` points to `size` bytes.
#[no_mangle]
pub unsafe extern "C" fn wgpuBufferWriteMappedRange(
    buffer: *const Buffer,
    offset: usize,
    data: *const u8,
    size: usize,
) -> Enum {
    enter("wgpuBufferWriteMappedRange", buffer, WGPUStatus::Error, |b| match mapped_range(b, offset, size, true)? {
        Some(to) if !data.is_null() && size != WGPU_WHOLE_MAP_SIZE => {
            unsafe { data.copy_to_nonoverlapping(to.as_ptr(), size) };
            Ok(WGPUStatus::Success)
        }
        _ => Ok(WGPUStatus::Error),
    })
}

/// Ends a mapping; pointers into it are invalid from now on. A mapping under way is aborted. Nothing happens to a
/// buffer that is not mapped. Any thread.
#[no_mangle]
pub extern "C" fn wgpuBufferUnmap(buffer: *const Buffer) {
    enter("wgpuBufferUnmap", buffer, (), |b| {
        let before = std::mem::replace(&mut *lock(&b.map), Map::Unmapped);
        let was_mapped = !matches!(before, Map::Unmapped);
        drop(before); // the view, before wgpu takes the memory back
        if was_mapped {
            b.raw.unmap();
        }
        Ok(())
    })
}
