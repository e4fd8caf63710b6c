/* abi_names.h - what the runtime has of webgpu.h and wgpu.h, and all of corvid_wgpu.h: S(struct) F(struct, member)
 * V(value) X(function). The runtime has a list of its own (corvidWgpuAbiTable); abi.c compares the two. */
#ifndef ABI_NAMES_H
#define ABI_NAMES_H

#define STRUCTS \
    S(WGPUStringView) F(WGPUStringView, data) F(WGPUStringView, length) \
    S(WGPUChainedStruct) F(WGPUChainedStruct, next) F(WGPUChainedStruct, sType) \
    S(WGPUFuture) F(WGPUFuture, id) \
    S(WGPUFutureWaitInfo) F(WGPUFutureWaitInfo, future) F(WGPUFutureWaitInfo, completed) \
    S(WGPUUncapturedErrorCallbackInfo) F(WGPUUncapturedErrorCallbackInfo, nextInChain) \
       F(WGPUUncapturedErrorCallbackInfo, callback) F(WGPUUncapturedErrorCallbackInfo, userdata1) \
       F(WGPUUncapturedErrorCallbackInfo, userdata2) \
    S(WGPUInstanceLimits) F(WGPUInstanceLimits, nextInChain) F(WGPUInstanceLimits, timedWaitAnyMaxCount) \
    S(WGPUInstanceDescriptor) F(WGPUInstanceDescriptor, nextInChain) F(WGPUInstanceDescriptor, requiredFeatureCount) \
       F(WGPUInstanceDescriptor, requiredFeatures) F(WGPUInstanceDescriptor, requiredLimits) \
    S(WGPUSupportedInstanceFeatures) F(WGPUSupportedInstanceFeatures, featureCount) \
       F(WGPUSupportedInstanceFeatures, features) \
    S(WGPUSupportedFeatures) F(WGPUSupportedFeatures, featureCount) F(WGPUSupportedFeatures, features) \
    S(WGPUSupportedWGSLLanguageFeatures) F(WGPUSupportedWGSLLanguageFeatures, featureCount) \
       F(WGPUSupportedWGSLLanguageFeatures, features) \
    S(WGPURequestAdapterOptions) F(WGPURequestAdapterOptions, nextInChain) F(WGPURequestAdapterOptions, featureLevel) \
       F(WGPURequestAdapterOptions, powerPreference) F(WGPURequestAdapterOptions, forceFallbackAdapter) \
       F(WGPURequestAdapterOptions, backendType) F(WGPURequestAdapterOptions, compatibleSurface) \
    S(WGPUAdapterInfo) F(WGPUAdapterInfo, nextInChain) F(WGPUAdapterInfo, vendor) F(WGPUAdapterInfo, architecture) \
       F(WGPUAdapterInfo, device) F(WGPUAdapterInfo, description) F(WGPUAdapterInfo, backendType) \
       F(WGPUAdapterInfo, adapterType) F(WGPUAdapterInfo, vendorID) F(WGPUAdapterInfo, deviceID) \
       F(WGPUAdapterInfo, subgroupMinSize) F(WGPUAdapterInfo, subgroupMaxSize) \
    S(WGPULimits) F(WGPULimits, nextInChain) F(WGPULimits, maxTextureDimension1D) F(WGPULimits, maxTextureDimension2D) \
       F(WGPULimits, maxTextureDimension3D) F(WGPULimits, maxTextureArrayLayers) F(WGPULimits, maxBindGroups) \
       F(WGPULimits, maxBindGroupsPlusVertexBuffers) F(WGPULimits, maxBindingsPerBindGroup) \
       F(WGPULimits, maxDynamicUniformBuffersPerPipelineLayout) \
       F(WGPULimits, maxDynamicStorageBuffersPerPipelineLayout) F(WGPULimits, maxSampledTexturesPerShaderStage) \
       F(WGPULimits, maxSamplersPerShaderStage) F(WGPULimits, maxStorageBuffersPerShaderStage) \
       F(WGPULimits, maxStorageTexturesPerShaderStage) F(WGPULimits, maxUniformBuffersPerShaderStage) \
       F(WGPULimits, maxUniformBufferBindingSize) F(WGPULimits, maxStorageBufferBindingSize) \
       F(WGPULimits, minUniformBufferOffsetAlignment) F(WGPULimits, minStorageBufferOffsetAlignment) \
       F(WGPULimits, maxVertexBuffers) F(WGPULimits, maxBufferSize) F(WGPULimits, maxVertexAttributes) \
       F(WGPULimits, maxVertexBufferArrayStride) F(WGPULimits, maxInterStageShaderVariables) \
       F(WGPULimits, maxColorAttachments) F(WGPULimits, maxColorAttachmentBytesPerSample) \
       F(WGPULimits, maxComputeWorkgroupStorageSize) F(WGPULimits, maxComputeInvocationsPerWorkgroup) \
       F(WGPULimits, maxComputeWorkgroupSizeX) F(WGPULimits, maxComputeWorkgroupSizeY) \
       F(WGPULimits, maxComputeWorkgroupSizeZ) F(WGPULimits, maxComputeWorkgroupsPerDimension) \
       F(WGPULimits, maxImmediateSize) \
    S(WGPUQueueDescriptor) F(WGPUQueueDescriptor, nextInChain) F(WGPUQueueDescriptor, label) \
    S(WGPUDeviceDescriptor) F(WGPUDeviceDescriptor, nextInChain) F(WGPUDeviceDescriptor, label) \
       F(WGPUDeviceDescriptor, requiredFeatureCount) F(WGPUDeviceDescriptor, requiredFeatures) \
       F(WGPUDeviceDescriptor, requiredLimits) F(WGPUDeviceDescriptor, defaultQueue) \
       F(WGPUDeviceDescriptor, deviceLostCallbackInfo) F(WGPUDeviceDescriptor, uncapturedErrorCallbackInfo) \
    S(WGPUBufferDescriptor) F(WGPUBufferDescriptor, nextInChain) F(WGPUBufferDescriptor, label) \
       F(WGPUBufferDescriptor, usage) F(WGPUBufferDescriptor, size) F(WGPUBufferDescriptor, mappedAtCreation) \
    S(WGPUBufferBindingLayout) F(WGPUBufferBindingLayout, nextInChain) F(WGPUBufferBindingLayout, type) \
       F(WGPUBufferBindingLayout, hasDynamicOffset) F(WGPUBufferBindingLayout, minBindingSize) \
    S(WGPUSamplerBindingLayout) F(WGPUSamplerBindingLayout, nextInChain) F(WGPUSamplerBindingLayout, type) \
    S(WGPUTextureBindingLayout) F(WGPUTextureBindingLayout, nextInChain) F(WGPUTextureBindingLayout, sampleType) \
       F(WGPUTextureBindingLayout, viewDimension) F(WGPUTextureBindingLayout, multisampled) \
    S(WGPUStorageTextureBindingLayout) F(WGPUStorageTextureBindingLayout, nextInChain) \
       F(WGPUStorageTextureBindingLayout, access) F(WGPUStorageTextureBindingLayout, format) \
       F(WGPUStorageTextureBindingLayout, viewDimension) \
    S(WGPUBindGroupLayoutEntry) F(WGPUBindGroupLayoutEntry, nextInChain) F(WGPUBindGroupLayoutEntry, binding) \
       F(WGPUBindGroupLayoutEntry, visibility) F(WGPUBindGroupLayoutEntry, bindingArraySize) \
       F(WGPUBindGroupLayoutEntry, buffer) F(WGPUBindGroupLayoutEntry, sampler) F(WGPUBindGroupLayoutEntry, texture) \
       F(WGPUBindGroupLayoutEntry, storageTexture) \
    S(WGPUBindGroupLayoutDescriptor) F(WGPUBindGroupLayoutDescriptor, nextInChain) \
       F(WGPUBindGroupLayoutDescriptor, label) F(WGPUBindGroupLayoutDescriptor, entryCount) \
       F(WGPUBindGroupLayoutDescriptor, entries) \
    S(WGPUBindGroupEntry) F(WGPUBindGroupEntry, nextInChain) F(WGPUBindGroupEntry, binding) \
       F(WGPUBindGroupEntry, buffer) F(WGPUBindGroupEntry, offset) F(WGPUBindGroupEntry, size) \
       F(WGPUBindGroupEntry, sampler) F(WGPUBindGroupEntry, textureView) \
    S(WGPUBindGroupDescriptor) F(WGPUBindGroupDescriptor, nextInChain) F(WGPUBindGroupDescriptor, label) \
       F(WGPUBindGroupDescriptor, layout) F(WGPUBindGroupDescriptor, entryCount) F(WGPUBindGroupDescriptor, entries) \
    S(WGPUPipelineLayoutDescriptor) F(WGPUPipelineLayoutDescriptor, nextInChain) \
       F(WGPUPipelineLayoutDescriptor, label) F(WGPUPipelineLayoutDescriptor, bindGroupLayoutCount) \
       F(WGPUPipelineLayoutDescriptor, bindGroupLayouts) F(WGPUPipelineLayoutDescriptor, immediateSize) \
    S(WGPUShaderModuleDescriptor) F(WGPUShaderModuleDescriptor, nextInChain) F(WGPUShaderModuleDescriptor, label) \
    S(WGPUShaderSourceWGSL) F(WGPUShaderSourceWGSL, chain) F(WGPUShaderSourceWGSL, code) \
    S(WGPUShaderSourceSPIRV) F(WGPUShaderSourceSPIRV, chain) F(WGPUShaderSourceSPIRV, codeSize) \
       F(WGPUShaderSourceSPIRV, code) \
    S(WGPUCompilationMessage) F(WGPUCompilationMessage, nextInChain) F(WGPUCompilationMessage, message) \
       F(WGPUCompilationMessage, type) F(WGPUCompilationMessage, lineNum) F(WGPUCompilationMessage, linePos) \
       F(WGPUCompilationMessage, offset) F(WGPUCompilationMessage, length) \
    S(WGPUCompilationInfo) F(WGPUCompilationInfo, nextInChain) F(WGPUCompilationInfo, messageCount) \
       F(WGPUCompilationInfo, messages) \
    S(WGPUConstantEntry) F(WGPUConstantEntry, nextInChain) F(WGPUConstantEntry, key) F(WGPUConstantEntry, value) \
    S(WGPUComputeState) F(WGPUComputeState, nextInChain) F(WGPUComputeState, module) F(WGPUComputeState, entryPoint) \
       F(WGPUComputeState, constantCount) F(WGPUComputeState, constants) \
    S(WGPUComputePipelineDescriptor) F(WGPUComputePipelineDescriptor, nextInChain) \
       F(WGPUComputePipelineDescriptor, label) F(WGPUComputePipelineDescriptor, layout) \
       F(WGPUComputePipelineDescriptor, compute) \
    S(WGPUQuerySetDescriptor) F(WGPUQuerySetDescriptor, nextInChain) F(WGPUQuerySetDescriptor, label) \
       F(WGPUQuerySetDescriptor, type) F(WGPUQuerySetDescriptor, count) \
    S(WGPUPassTimestampWrites) F(WGPUPassTimestampWrites, nextInChain) F(WGPUPassTimestampWrites, querySet) \
       F(WGPUPassTimestampWrites, beginningOfPassWriteIndex) F(WGPUPassTimestampWrites, endOfPassWriteIndex) \
    S(WGPUComputePassDescriptor) F(WGPUComputePassDescriptor, nextInChain) F(WGPUComputePassDescriptor, label) \
       F(WGPUComputePassDescriptor, timestampWrites) \
    S(WGPUCommandEncoderDescriptor) F(WGPUCommandEncoderDescriptor, nextInChain) \
       F(WGPUCommandEncoderDescriptor, label) \
    S(WGPUCommandBufferDescriptor) F(WGPUCommandBufferDescriptor, nextInChain) F(WGPUCommandBufferDescriptor, label) \
    S(WGPUNativeDisplayHandle) F(WGPUNativeDisplayHandle, type) F(WGPUNativeDisplayHandle, data) \
    S(WGPUInstanceExtras) F(WGPUInstanceExtras, chain) F(WGPUInstanceExtras, backends) F(WGPUInstanceExtras, flags) \
       F(WGPUInstanceExtras, dx12ShaderCompiler) F(WGPUInstanceExtras, gles3MinorVersion) \
       F(WGPUInstanceExtras, glFenceBehaviour) F(WGPUInstanceExtras, dxcPath) F(WGPUInstanceExtras, dxcMaxShaderModel) \
       F(WGPUInstanceExtras, dx12PresentationSystem) F(WGPUInstanceExtras, budgetForDeviceCreation) \
       F(WGPUInstanceExtras, budgetForDeviceLoss) F(WGPUInstanceExtras, displayHandle) \
    S(WGPUDeviceExtras) F(WGPUDeviceExtras, chain) F(WGPUDeviceExtras, tracePath) \
    S(WGPUInstanceEnumerateAdapterOptions) F(WGPUInstanceEnumerateAdapterOptions, nextInChain) \
       F(WGPUInstanceEnumerateAdapterOptions, backends) \
    S(WGPUBufferMapCallbackInfo) F(WGPUBufferMapCallbackInfo, nextInChain) F(WGPUBufferMapCallbackInfo, mode) \
       F(WGPUBufferMapCallbackInfo, callback) F(WGPUBufferMapCallbackInfo, userdata1) \
       F(WGPUBufferMapCallbackInfo, userdata2) \
    S(WGPUCompilationInfoCallbackInfo) F(WGPUCompilationInfoCallbackInfo, nextInChain) \
       F(WGPUCompilationInfoCallbackInfo, mode) F(WGPUCompilationInfoCallbackInfo, callback) \
       F(WGPUCompilationInfoCallbackInfo, userdata1) F(WGPUCompilationInfoCallbackInfo, userdata2) \
    S(WGPUCreateComputePipelineAsyncCallbackInfo) F(WGPUCreateComputePipelineAsyncCallbackInfo, nextInChain) \
       F(WGPUCreateComputePipelineAsyncCallbackInfo, mode) F(WGPUCreateComputePipelineAsyncCallbackInfo, callback) \
       F(WGPUCreateComputePipelineAsyncCallbackInfo, userdata1) \
       F(WGPUCreateComputePipelineAsyncCallbackInfo, userdata2) \
    S(WGPUDeviceLostCallbackInfo) F(WGPUDeviceLostCallbackInfo, nextInChain) F(WGPUDeviceLostCallbackInfo, mode) \
       F(WGPUDeviceLostCallbackInfo, callback) F(WGPUDeviceLostCallbackInfo, userdata1) \
       F(WGPUDeviceLostCallbackInfo, userdata2) \
    S(WGPUPopErrorScopeCallbackInfo) F(WGPUPopErrorScopeCallbackInfo, nextInChain) \
       F(WGPUPopErrorScopeCallbackInfo, mode) F(WGPUPopErrorScopeCallbackInfo, callback) \
       F(WGPUPopErrorScopeCallbackInfo, userdata1) F(WGPUPopErrorScopeCallbackInfo, userdata2) \
    S(WGPUQueueWorkDoneCallbackInfo) F(WGPUQueueWorkDoneCallbackInfo, nextInChain) \
       F(WGPUQueueWorkDoneCallbackInfo, mode) F(WGPUQueueWorkDoneCallbackInfo, callback) \
       F(WGPUQueueWorkDoneCallbackInfo, userdata1) F(WGPUQueueWorkDoneCallbackInfo, userdata2) \
    S(WGPURequestAdapterCallbackInfo) F(WGPURequestAdapterCallbackInfo, nextInChain) \
       F(WGPURequestAdapterCallbackInfo, mode) F(WGPURequestAdapterCallbackInfo, callback) \
       F(WGPURequestAdapterCallbackInfo, userdata1) F(WGPURequestAdapterCallbackInfo, userdata2) \
    S(WGPURequestDeviceCallbackInfo) F(WGPURequestDeviceCallbackInfo, nextInChain) \
       F(WGPURequestDeviceCallbackInfo, mode) F(WGPURequestDeviceCallbackInfo, callback) \
       F(WGPURequestDeviceCallbackInfo, userdata1) F(WGPURequestDeviceCallbackInfo, userdata2) \
    S(CorvidWgpuInstanceOptions) F(CorvidWgpuInstanceOptions, chain) F(CorvidWgpuInstanceOptions, flags) \
       F(CorvidWgpuInstanceOptions, creationBudgetPercent) F(CorvidWgpuInstanceOptions, lossBudgetPercent) \
    S(CorvidWgpuDeviceOptions) F(CorvidWgpuDeviceOptions, chain) F(CorvidWgpuDeviceOptions, experimentalFeatures) \
       F(CorvidWgpuDeviceOptions, memoryHint) F(CorvidWgpuDeviceOptions, blockBytesMin) \
       F(CorvidWgpuDeviceOptions, blockBytesMax) F(CorvidWgpuDeviceOptions, compileThreads) \
    S(CorvidWgpuShaderModuleOptions) F(CorvidWgpuShaderModuleOptions, chain) \
       F(CorvidWgpuShaderModuleOptions, runtimeChecks) \
    S(CorvidWgpuComputePipelineOptions) F(CorvidWgpuComputePipelineOptions, chain) \
       F(CorvidWgpuComputePipelineOptions, cache) F(CorvidWgpuComputePipelineOptions, zeroInitializeWorkgroupMemory) \
    S(CorvidWgpuPipelineCacheDescriptor) F(CorvidWgpuPipelineCacheDescriptor, nextInChain) \
       F(CorvidWgpuPipelineCacheDescriptor, label) F(CorvidWgpuPipelineCacheDescriptor, data) \
       F(CorvidWgpuPipelineCacheDescriptor, size) F(CorvidWgpuPipelineCacheDescriptor, fallback) \
    S(CorvidWgpuPassthroughEntryPoint) F(CorvidWgpuPassthroughEntryPoint, name) \
       F(CorvidWgpuPassthroughEntryPoint, workgroupSize) \
    S(CorvidWgpuPassthroughDescriptor) F(CorvidWgpuPassthroughDescriptor, nextInChain) \
       F(CorvidWgpuPassthroughDescriptor, label) F(CorvidWgpuPassthroughDescriptor, entryPointCount) \
       F(CorvidWgpuPassthroughDescriptor, entryPoints) F(CorvidWgpuPassthroughDescriptor, spirvWords) \
       F(CorvidWgpuPassthroughDescriptor, spirv) F(CorvidWgpuPassthroughDescriptor, msl) \
       F(CorvidWgpuPassthroughDescriptor, hlsl) \
    S(CorvidWgpuCooperativeMatrix) F(CorvidWgpuCooperativeMatrix, m) F(CorvidWgpuCooperativeMatrix, n) \
       F(CorvidWgpuCooperativeMatrix, k) F(CorvidWgpuCooperativeMatrix, aType) F(CorvidWgpuCooperativeMatrix, bType) \
       F(CorvidWgpuCooperativeMatrix, cType) F(CorvidWgpuCooperativeMatrix, resultType) \
       F(CorvidWgpuCooperativeMatrix, saturating) \
    S(CorvidWgpuMemoryHeap) F(CorvidWgpuMemoryHeap, bytes) F(CorvidWgpuMemoryHeap, budgetBytes) \
       F(CorvidWgpuMemoryHeap, usedBytes) F(CorvidWgpuMemoryHeap, deviceLocal) \
    S(CorvidWgpuMemory) F(CorvidWgpuMemory, allocatedBytes) F(CorvidWgpuMemory, reservedBytes) \
       F(CorvidWgpuMemory, allocationCount) F(CorvidWgpuMemory, blockCount) F(CorvidWgpuMemory, heapCount) \
       F(CorvidWgpuMemory, heaps) \
    S(CorvidWgpuAbiEntry) F(CorvidWgpuAbiEntry, name) F(CorvidWgpuAbiEntry, value)

#define VALUES \
    V(WGPUStatus_Success) V(WGPUStatus_Error) V(WGPUOptionalBool_False) V(WGPUOptionalBool_True) \
       V(WGPUOptionalBool_Undefined) V(WGPUAdapterType_DiscreteGPU) V(WGPUAdapterType_IntegratedGPU) \
       V(WGPUAdapterType_CPU) V(WGPUAdapterType_Unknown) V(WGPUBackendType_Undefined) V(WGPUBackendType_Null) \
       V(WGPUBackendType_WebGPU) V(WGPUBackendType_D3D11) V(WGPUBackendType_D3D12) V(WGPUBackendType_Metal) \
       V(WGPUBackendType_Vulkan) V(WGPUBackendType_OpenGL) V(WGPUBackendType_OpenGLES) \
       V(WGPUBufferBindingType_BindingNotUsed) V(WGPUBufferBindingType_Undefined) V(WGPUBufferBindingType_Uniform) \
       V(WGPUBufferBindingType_Storage) V(WGPUBufferBindingType_ReadOnlyStorage) V(WGPUBufferMapState_Unmapped) \
       V(WGPUBufferMapState_Pending) V(WGPUBufferMapState_Mapped) V(WGPUBufferUsage_None) V(WGPUBufferUsage_MapRead) \
       V(WGPUBufferUsage_MapWrite) V(WGPUBufferUsage_CopySrc) V(WGPUBufferUsage_CopyDst) V(WGPUBufferUsage_Index) \
       V(WGPUBufferUsage_Vertex) V(WGPUBufferUsage_Uniform) V(WGPUBufferUsage_Storage) V(WGPUBufferUsage_Indirect) \
       V(WGPUBufferUsage_QueryResolve) V(WGPUMapMode_None) V(WGPUMapMode_Read) V(WGPUMapMode_Write) \
       V(WGPUShaderStage_None) V(WGPUShaderStage_Vertex) V(WGPUShaderStage_Fragment) V(WGPUShaderStage_Compute) \
       V(WGPUCallbackMode_WaitAnyOnly) V(WGPUCallbackMode_AllowProcessEvents) V(WGPUCallbackMode_AllowSpontaneous) \
       V(WGPUCompilationInfoRequestStatus_Success) V(WGPUCompilationInfoRequestStatus_CallbackCancelled) \
       V(WGPUCompilationMessageType_Error) V(WGPUCompilationMessageType_Warning) V(WGPUCompilationMessageType_Info) \
       V(WGPUCreatePipelineAsyncStatus_Success) V(WGPUCreatePipelineAsyncStatus_CallbackCancelled) \
       V(WGPUCreatePipelineAsyncStatus_ValidationError) V(WGPUCreatePipelineAsyncStatus_InternalError) \
       V(WGPUDeviceLostReason_Unknown) V(WGPUDeviceLostReason_Destroyed) V(WGPUDeviceLostReason_CallbackCancelled) \
       V(WGPUDeviceLostReason_FailedCreation) V(WGPUErrorFilter_Validation) V(WGPUErrorFilter_OutOfMemory) \
       V(WGPUErrorFilter_Internal) V(WGPUErrorType_NoError) V(WGPUErrorType_Validation) V(WGPUErrorType_OutOfMemory) \
       V(WGPUErrorType_Internal) V(WGPUErrorType_Unknown) V(WGPUFeatureLevel_Undefined) \
       V(WGPUFeatureLevel_Compatibility) V(WGPUFeatureLevel_Core) V(WGPUFeatureName_CoreFeaturesAndLimits) \
       V(WGPUFeatureName_DepthClipControl) V(WGPUFeatureName_Depth32FloatStencil8) \
       V(WGPUFeatureName_TextureCompressionBC) V(WGPUFeatureName_TextureCompressionBCSliced3D) \
       V(WGPUFeatureName_TextureCompressionETC2) V(WGPUFeatureName_TextureCompressionASTC) \
       V(WGPUFeatureName_TextureCompressionASTCSliced3D) V(WGPUFeatureName_TimestampQuery) \
       V(WGPUFeatureName_IndirectFirstInstance) V(WGPUFeatureName_ShaderF16) \
       V(WGPUFeatureName_RG11B10UfloatRenderable) V(WGPUFeatureName_BGRA8UnormStorage) \
       V(WGPUFeatureName_Float32Filterable) V(WGPUFeatureName_Float32Blendable) V(WGPUFeatureName_ClipDistances) \
       V(WGPUFeatureName_DualSourceBlending) V(WGPUFeatureName_Subgroups) V(WGPUFeatureName_PrimitiveIndex) \
       V(WGPUNativeFeature_Immediates) V(WGPUNativeFeature_PipelineStatisticsQuery) \
       V(WGPUNativeFeature_StorageResourceBindingArray) V(WGPUNativeFeature_PartiallyBoundBindingArray) \
       V(WGPUNativeFeature_MappablePrimaryBuffers) V(WGPUNativeFeature_BufferBindingArray) \
       V(WGPUNativeFeature_ShaderF64) V(WGPUNativeFeature_ShaderI16) V(WGPUNativeFeature_Subgroup) \
       V(WGPUNativeFeature_SubgroupVertex) V(WGPUNativeFeature_SubgroupBarrier) \
       V(WGPUNativeFeature_TimestampQueryInsideEncoders) V(WGPUNativeFeature_TimestampQueryInsidePasses) \
       V(WGPUNativeFeature_ShaderInt64) V(WGPUNativeFeature_ShaderFloat32Atomic) V(WGPUNativeFeature_PipelineCache) \
       V(WGPUNativeFeature_ShaderInt64AtomicMinMax) V(WGPUNativeFeature_ShaderInt64AtomicAllOps) \
       V(WGPUNativeFeature_CooperativeMatrix) V(WGPUNativeFeature_MemoryDecorationCoherent) \
       V(WGPUNativeFeature_MemoryDecorationVolatile) V(WGPUInstanceFeatureName_TimedWaitAny) \
       V(WGPUInstanceFeatureName_ShaderSourceSPIRV) V(WGPUInstanceFeatureName_MultipleDevicesPerAdapter) \
       V(WGPUMapAsyncStatus_Success) V(WGPUMapAsyncStatus_CallbackCancelled) V(WGPUMapAsyncStatus_Error) \
       V(WGPUMapAsyncStatus_Aborted) V(WGPUPopErrorScopeStatus_Success) V(WGPUPopErrorScopeStatus_CallbackCancelled) \
       V(WGPUPopErrorScopeStatus_Error) V(WGPUPowerPreference_Undefined) V(WGPUPowerPreference_LowPower) \
       V(WGPUPowerPreference_HighPerformance) V(WGPUQueryType_Occlusion) V(WGPUQueryType_Timestamp) \
       V(WGPUQueueWorkDoneStatus_Success) V(WGPUQueueWorkDoneStatus_CallbackCancelled) \
       V(WGPUQueueWorkDoneStatus_Error) V(WGPURequestAdapterStatus_Success) \
       V(WGPURequestAdapterStatus_CallbackCancelled) V(WGPURequestAdapterStatus_Unavailable) \
       V(WGPURequestAdapterStatus_Error) V(WGPURequestDeviceStatus_Success) \
       V(WGPURequestDeviceStatus_CallbackCancelled) V(WGPURequestDeviceStatus_Error) V(WGPUSType_ShaderSourceSPIRV) \
       V(WGPUSType_ShaderSourceWGSL) V(WGPUSType_DeviceExtras) V(WGPUSType_InstanceExtras) V(WGPUWaitStatus_Success) \
       V(WGPUWaitStatus_TimedOut) V(WGPUWaitStatus_Error) \
       V(WGPUWGSLLanguageFeatureName_ReadonlyAndReadwriteStorageTextures) \
       V(WGPUWGSLLanguageFeatureName_Packed4x8IntegerDotProduct) \
       V(WGPUWGSLLanguageFeatureName_UnrestrictedPointerParameters) \
       V(WGPUWGSLLanguageFeatureName_PointerCompositeAccess) V(WGPULogLevel_Off) V(WGPULogLevel_Error) \
       V(WGPULogLevel_Warn) V(WGPULogLevel_Info) V(WGPULogLevel_Debug) V(WGPULogLevel_Trace) \
       V(WGPUInstanceBackend_All) V(WGPUInstanceBackend_Vulkan) V(WGPUInstanceBackend_GL) V(WGPUInstanceBackend_Metal) \
       V(WGPUInstanceBackend_DX12) V(WGPUInstanceBackend_BrowserWebGPU) V(WGPUInstanceBackend_Primary) \
       V(WGPUInstanceBackend_Secondary) V(WGPUInstanceFlag_Empty) V(WGPUInstanceFlag_Debug) \
       V(WGPUInstanceFlag_Validation) V(WGPUInstanceFlag_DiscardHalLabels) \
       V(WGPUInstanceFlag_AllowUnderlyingNoncompliantAdapter) V(WGPUInstanceFlag_GPUBasedValidation) \
       V(WGPUInstanceFlag_ValidationIndirectCall) V(WGPUInstanceFlag_AutomaticTimestampNormalization) \
       V(WGPUInstanceFlag_Default) V(WGPUInstanceFlag_Debugging) V(WGPUInstanceFlag_AdvancedDebugging) \
       V(WGPUInstanceFlag_WithEnv) V(WGPUShaderRuntimeChecks_None) V(WGPUShaderRuntimeChecks_BoundsChecks) \
       V(WGPUShaderRuntimeChecks_ForceLoopBounding) V(WGPUShaderRuntimeChecks_RayQueryInitializationTracking) \
       V(WGPUShaderRuntimeChecks_TaskShaderDispatchTracking) \
       V(WGPUShaderRuntimeChecks_MeshShaderPrimitiveIndicesClamp) V(CorvidWgpuSType_InstanceOptions) \
       V(CorvidWgpuSType_DeviceOptions) V(CorvidWgpuSType_ShaderModuleOptions) \
       V(CorvidWgpuSType_ComputePipelineOptions) V(CorvidWgpuFeature_PassthroughShaders) \
       V(CorvidWgpuInstanceFlag_StrictCompliance) V(CorvidWgpuRuntimeChecks_IntegerDivision) \
       V(CorvidWgpuRuntimeChecks_All) V(CorvidWgpuMemoryHint_Performance) V(CorvidWgpuMemoryHint_MemoryUsage) \
       V(CorvidWgpuMemoryHint_Manual) V(CorvidWgpuScalar_Other) V(CorvidWgpuScalar_F16) V(CorvidWgpuScalar_F32) \
       V(CorvidWgpuScalar_F64) V(CorvidWgpuScalar_I8) V(CorvidWgpuScalar_I16) V(CorvidWgpuScalar_I32) \
       V(CorvidWgpuScalar_I64) V(CorvidWgpuScalar_U8) V(CorvidWgpuScalar_U16) V(CorvidWgpuScalar_U32) \
       V(CorvidWgpuScalar_U64) V(CorvidWgpuScalar_BF16)

#define FUNCTIONS \
    X(corvidWgpuAbiTable) X(corvidWgpuAdapterGetCooperativeMatrices) X(corvidWgpuAdapterGetPipelineCacheKey) \
    X(corvidWgpuCommandEncoderFinishRecording) X(corvidWgpuDeviceCreatePipelineCache) \
    X(corvidWgpuDeviceCreateShaderModulePassthrough) \
    X(corvidWgpuDeviceGetMemory) X(corvidWgpuGetName) X(corvidWgpuGetVersion) X(corvidWgpuPipelineCacheAddRef) \
    X(corvidWgpuPipelineCacheGetData) X(corvidWgpuPipelineCacheRelease) X(corvidWgpuRecordingAddRef) \
    X(corvidWgpuRecordingRelease) X(corvidWgpuRecordingReplay) X(wgpuAdapterAddRef) \
    X(wgpuAdapterGetFeatures) X(wgpuAdapterGetInfo) X(wgpuAdapterGetLimits) X(wgpuAdapterHasFeature) \
    X(wgpuAdapterInfoFreeMembers) X(wgpuAdapterRelease) X(wgpuAdapterRequestDevice) X(wgpuBindGroupAddRef) \
    X(wgpuBindGroupLayoutAddRef) X(wgpuBindGroupLayoutRelease) X(wgpuBindGroupLayoutSetLabel) \
    X(wgpuBindGroupRelease) X(wgpuBindGroupSetLabel) X(wgpuBufferAddRef) X(wgpuBufferDestroy) \
    X(wgpuBufferGetConstMappedRange) X(wgpuBufferGetMapState) X(wgpuBufferGetMappedRange) X(wgpuBufferGetSize) \
    X(wgpuBufferGetUsage) X(wgpuBufferMapAsync) X(wgpuBufferReadMappedRange) X(wgpuBufferRelease) \
    X(wgpuBufferSetLabel) X(wgpuBufferUnmap) X(wgpuBufferWriteMappedRange) X(wgpuCommandBufferAddRef) \
    X(wgpuCommandBufferRelease) X(wgpuCommandBufferSetLabel) X(wgpuCommandEncoderAddRef) \
    X(wgpuCommandEncoderBeginComputePass) X(wgpuCommandEncoderClearBuffer) X(wgpuCommandEncoderCopyBufferToBuffer) \
    X(wgpuCommandEncoderFinish) X(wgpuCommandEncoderInsertDebugMarker) X(wgpuCommandEncoderPopDebugGroup) \
    X(wgpuCommandEncoderPushDebugGroup) X(wgpuCommandEncoderRelease) X(wgpuCommandEncoderResolveQuerySet) \
    X(wgpuCommandEncoderSetLabel) X(wgpuCommandEncoderWriteTimestamp) X(wgpuComputePassEncoderAddRef) \
    X(wgpuComputePassEncoderDispatchWorkgroups) X(wgpuComputePassEncoderDispatchWorkgroupsIndirect) \
    X(wgpuComputePassEncoderEnd) X(wgpuComputePassEncoderInsertDebugMarker) X(wgpuComputePassEncoderPopDebugGroup) \
    X(wgpuComputePassEncoderPushDebugGroup) X(wgpuComputePassEncoderRelease) X(wgpuComputePassEncoderSetBindGroup) \
    X(wgpuComputePassEncoderSetImmediates) X(wgpuComputePassEncoderSetLabel) X(wgpuComputePassEncoderSetPipeline) \
    X(wgpuComputePassEncoderWriteTimestamp) X(wgpuComputePipelineAddRef) X(wgpuComputePipelineGetBindGroupLayout) \
    X(wgpuComputePipelineRelease) X(wgpuComputePipelineSetLabel) X(wgpuCreateInstance) X(wgpuDeviceAddRef) \
    X(wgpuDeviceCreateBindGroup) X(wgpuDeviceCreateBindGroupLayout) X(wgpuDeviceCreateBuffer) \
    X(wgpuDeviceCreateCommandEncoder) X(wgpuDeviceCreateComputePipeline) X(wgpuDeviceCreateComputePipelineAsync) \
    X(wgpuDeviceCreatePipelineLayout) X(wgpuDeviceCreateQuerySet) X(wgpuDeviceCreateShaderModule) \
    X(wgpuDeviceCreateShaderModuleTrusted) X(wgpuDeviceDestroy) X(wgpuDeviceGetAdapterInfo) X(wgpuDeviceGetFeatures) \
    X(wgpuDeviceGetLimits) X(wgpuDeviceGetLostFuture) X(wgpuDeviceGetQueue) X(wgpuDeviceHasFeature) \
    X(wgpuDevicePoll) X(wgpuDevicePopErrorScope) X(wgpuDevicePushErrorScope) X(wgpuDeviceRelease) \
    X(wgpuDeviceSetLabel) X(wgpuDeviceStartGraphicsDebuggerCapture) X(wgpuDeviceStopGraphicsDebuggerCapture) \
    X(wgpuGetInstanceFeatures) X(wgpuGetInstanceLimits) X(wgpuGetProcAddress) X(wgpuGetVersion) \
    X(wgpuHasInstanceFeature) X(wgpuInstanceAddRef) X(wgpuInstanceEnumerateAdapters) \
    X(wgpuInstanceGetWGSLLanguageFeatures) X(wgpuInstanceHasWGSLLanguageFeature) X(wgpuInstanceProcessEvents) \
    X(wgpuInstanceRelease) X(wgpuInstanceRequestAdapter) X(wgpuInstanceWaitAny) X(wgpuPipelineLayoutAddRef) \
    X(wgpuPipelineLayoutRelease) X(wgpuPipelineLayoutSetLabel) X(wgpuQuerySetAddRef) X(wgpuQuerySetDestroy) \
    X(wgpuQuerySetGetCount) X(wgpuQuerySetGetType) X(wgpuQuerySetRelease) X(wgpuQuerySetSetLabel) X(wgpuQueueAddRef) \
    X(wgpuQueueGetTimestampPeriod) X(wgpuQueueOnSubmittedWorkDone) X(wgpuQueueRelease) X(wgpuQueueSetLabel) \
    X(wgpuQueueSubmit) X(wgpuQueueSubmitForIndex) X(wgpuQueueWriteBuffer) X(wgpuSetLogCallback) X(wgpuSetLogLevel) \
    X(wgpuShaderModuleAddRef) X(wgpuShaderModuleGetCompilationInfo) X(wgpuShaderModuleRelease) \
    X(wgpuShaderModuleSetLabel) X(wgpuSupportedFeaturesFreeMembers) X(wgpuSupportedInstanceFeaturesFreeMembers) \
    X(wgpuSupportedWGSLLanguageFeaturesFreeMembers)

#endif
