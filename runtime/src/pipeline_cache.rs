//! Pipeline caches: what a driver has compiled, as bytes that can be kept in a file.
use std::ffi::c_char;
use std::sync::Arc;

use crate::abi::*;
use crate::adapter::Adapter;
use crate::boundary::*;
use crate::corvid::CorvidWgpuPipelineCacheDescriptor;
use crate::device::Device;
use crate::handles::{self, Object};

pub struct PipelineCache {
    pub raw: wgpu::PipelineCache,
    device: Arc<Device>,
}

impl Object for PipelineCache {
    const KIND: &'static str = "CorvidWgpuPipelineCache";
    fn report(&self, kind: Enum, message: &str) {
        self.device.report(kind, message);
    }
}

reference_counting!(PipelineCache, corvidWgpuPipelineCacheAddRef, corvidWgpuPipelineCacheRelease);

/// Writes `from` to `to` if all of it fits; its size in any case.
unsafe fn copy_out(from: &[u8], capacity: usize, to: *mut u8) -> usize {
    if !to.is_null() && from.len() <= capacity {
        from.as_ptr().copy_to_nonoverlapping(to, from.len());
    }
    from.len()
}

/// Creates a cache, empty or of bytes that corvidWgpuPipelineCacheGetData gave. wgpu checks their header (its own
/// version, the backend, the adapter, the driver's identity): after a mismatch the cache is empty with `fallback`, and
/// an error otherwise. The rest goes to the driver as it is, so the caller checks that it is what was saved. The caller
/// owns the cache. Any thread.
///
/// # Safety
/// `descriptor` is valid, and its data came from GetData.
#[no_mangle]
pub unsafe extern "C" fn corvidWgpuDeviceCreatePipelineCache(
    device: *const Device,
    descriptor: *const CorvidWgpuPipelineCacheDescriptor,
) -> *const PipelineCache {
    enter("corvidWgpuDeviceCreatePipelineCache", device, std::ptr::null(), |d| unsafe {
        let from = required("descriptor", descriptor)?;
        walk_chain(from.nextInChain, |_, _| Ok(false))?;
        let label = from.label.get();
        let to = wgpu::PipelineCacheDescriptor {
            label: label.as_deref(),
            data: (!from.data.is_null() && from.size > 0).then(|| array(from.data, from.size)),
            fallback: from.fallback != 0,
        };
        let created = d.errors.catch(|| d.raw.create_pipeline_cache(&to));
        let raw = created.map_err(|(kind, message)| Fault { kind, message })?;
        Ok(handles::give(PipelineCache { raw, device: handles::hold(device).map_err(invalid)? }))
    })
}

/// The bytes to save, written to `data` if `capacity` is enough; their number in any case (it may grow while pipelines
/// are compiled), 0 if the backend has none. Any thread.
///
/// # Safety
/// `data` has room for `capacity` bytes, or is null.
#[no_mangle]
pub unsafe extern "C" fn corvidWgpuPipelineCacheGetData(
    cache: *const PipelineCache,
    capacity: usize,
    data: *mut u8,
) -> usize {
    enter("corvidWgpuPipelineCacheGetData", cache, 0, |c| {
        Ok(unsafe { copy_out(&c.raw.get_data().unwrap_or_default(), capacity, data) })
    })
}

/// wgpu's name for the caches of an adapter, good for a file name, without a final 0; its length in any case, 0 if the
/// backend has no caches. It does not name the driver's version: the bytes do. Any thread.
///
/// # Safety
/// `text` has room for `capacity` bytes, or is null.
#[no_mangle]
pub unsafe extern "C" fn corvidWgpuAdapterGetPipelineCacheKey(
    adapter: *const Adapter,
    capacity: usize,
    text: *mut c_char,
) -> usize {
    enter("corvidWgpuAdapterGetPipelineCacheKey", adapter, 0, |a| {
        let key = wgpu::util::pipeline_cache_key(&a.raw.get_info()).unwrap_or_default();
        Ok(unsafe { copy_out(key.as_bytes(), capacity, text.cast()) })
    })
}
