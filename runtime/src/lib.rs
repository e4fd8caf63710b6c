//! The compute part of the webgpu.h ABI on the wgpu crate, with what wgpu.h and corvid_wgpu.h add to it.
//!
//! A thin layer: each exported function checks its handles, turns C structs into wgpu's and calls wgpu. Handles are
//! counted pointers (handles.rs); errors go to the device (errors.rs) and no panic leaves (boundary.rs); asynchronous
//! results wait in the instance's table (callbacks.rs). Functions of one object are in the file of its name.
#![allow(non_snake_case)]

#[macro_use]
mod boundary;
mod abi;
mod adapter;
mod bind_group;
mod buffer;
mod callbacks;
mod convert;
mod corvid;
mod device;
mod encoder;
mod errors;
mod exports;
mod handles;
mod instance;
mod log;
mod pass;
mod pipeline;
mod pipeline_cache;
mod pool;
mod query;
mod queue;
mod recording;
mod shader;
mod tee;
mod values;
mod vulkan;

#[cfg(test)]
mod tests;
