//! Query sets: timestamps.
use std::sync::Arc;

use crate::abi::*;
use crate::boundary::*;
use crate::device::Device;
use crate::handles::{self, Object};

pub struct QuerySet {
    pub raw: wgpu::QuerySet,
    device: Arc<Device>,
}

impl Object for QuerySet {
    const KIND: &'static str = "WGPUQuerySet";
    fn report(&self, kind: Enum, message: &str) {
        self.device.report(kind, message);
    }
}

reference_counting!(QuerySet, wgpuQuerySetAddRef, wgpuQuerySetRelease, wgpuQuerySetSetLabel);

/// Creates queries. The caller owns them. Any thread.
///
/// # Safety
/// `descriptor` is as webgpu.h says.
#[no_mangle]
pub unsafe extern "C" fn wgpuDeviceCreateQuerySet(
    device: *const Device,
    descriptor: *const WGPUQuerySetDescriptor,
) -> *const QuerySet {
    enter("wgpuDeviceCreateQuerySet", device, std::ptr::null(), |d| unsafe {
        let from = required("descriptor", descriptor)?;
        walk_chain(from.nextInChain, |_, _| Ok(false))?;
        let ty = match from.r#type {
            WGPUQueryType::Occlusion => wgpu::QueryType::Occlusion,
            WGPUQueryType::Timestamp => wgpu::QueryType::Timestamp,
            other => return Err(invalid(format!("query type {other} is not supported"))),
        };
        let label = from.label.get();
        let to = wgpu::QuerySetDescriptor { label: label.as_deref(), ty, count: from.count };
        let raw = d.raw.create_query_set(&to);
        Ok(handles::give(QuerySet { raw, device: handles::hold(device).map_err(invalid)? }))
    })
}

/// Frees the queries at once; the handle stays valid until released. Any thread.
#[no_mangle]
pub extern "C" fn wgpuQuerySetDestroy(set: *const QuerySet) {
    enter("wgpuQuerySetDestroy", set, (), |s| {
        s.raw.destroy();
        Ok(())
    })
}

/// How many queries it has. Any thread.
#[no_mangle]
pub extern "C" fn wgpuQuerySetGetCount(set: *const QuerySet) -> u32 {
    enter("wgpuQuerySetGetCount", set, 0, |s| Ok(s.raw.count()))
}

/// Their WGPUQueryType. Any thread.
#[no_mangle]
pub extern "C" fn wgpuQuerySetGetType(set: *const QuerySet) -> Enum {
    enter("wgpuQuerySetGetType", set, 0, |s| {
        Ok(match s.raw.ty() {
            wgpu::QueryType::Timestamp => WGPUQueryType::Timestamp,
            _ => WGPUQueryType::Occlusion,
        })
    })
}
