//! The enum values and flag bits of webgpu.h, wgpu.h and corvid_wgpu.h that this crate reads or returns.
#![allow(non_upper_case_globals)]

macro_rules! values {
    ($list:ident: $($prefix:ident { $($name:ident = $value:expr),* $(,)? })*) => {
        $( #[allow(non_snake_case)] pub mod $prefix { $( pub const $name: u32 = $value; )* } )*
        /// ("Enum_Name", value) of every value above.
        pub fn $list() -> Vec<(String, u64)> {
            let of = |name: &str, value: u32| (name.to_string(), u64::from(value));
            vec![ $( $( of(concat!(stringify!($prefix), "_", stringify!($name)), $prefix::$name) ),* ),* ]
        }
    };
}

values! { enum_values:
    WGPUStatus { Success = 1, Error = 2 }
    WGPUOptionalBool { False = 0, True = 1, Undefined = 2 }
    WGPUAdapterType { DiscreteGPU = 1, IntegratedGPU = 2, CPU = 3, Unknown = 4 }
    WGPUBackendType {
        Undefined = 0, Null = 1, WebGPU = 2, D3D11 = 3, D3D12 = 4, Metal = 5, Vulkan = 6, OpenGL = 7, OpenGLES = 8,
    }
    WGPUBufferBindingType { BindingNotUsed = 0, Undefined = 1, Uniform = 2, Storage = 3, ReadOnlyStorage = 4 }
    WGPUBufferMapState { Unmapped = 1, Pending = 2, Mapped = 3 }
    WGPUBufferUsage {
        None = 0, MapRead = 1, MapWrite = 2, CopySrc = 4, CopyDst = 8, Index = 0x10, Vertex = 0x20, Uniform = 0x40,
        Storage = 0x80, Indirect = 0x100, QueryResolve = 0x200,
    }
    WGPUMapMode { None = 0, Read = 1, Write = 2 }
    WGPUShaderStage { None = 0, Vertex = 1, Fragment = 2, Compute = 4 }
    WGPUCallbackMode { WaitAnyOnly = 1, AllowProcessEvents = 2, AllowSpontaneous = 3 }
    WGPUCompilationInfoRequestStatus { Success = 1, CallbackCancelled = 2 }
    WGPUCompilationMessageType { Error = 1, Warning = 2, Info = 3 }
    WGPUCreatePipelineAsyncStatus { Success = 1, CallbackCancelled = 2, ValidationError = 3, InternalError = 4 }
    WGPUDeviceLostReason { Unknown = 1, Destroyed = 2, CallbackCancelled = 3, FailedCreation = 4 }
    WGPUErrorFilter { Validation = 1, OutOfMemory = 2, Internal = 3 }
    WGPUErrorType { NoError = 1, Validation = 2, OutOfMemory = 3, Internal = 4, Unknown = 5 }
    WGPUFeatureLevel { Undefined = 0, Compatibility = 1, Core = 2 }
    WGPUFeatureName {
        CoreFeaturesAndLimits = 1, DepthClipControl = 2, Depth32FloatStencil8 = 3, TextureCompressionBC = 4,
        TextureCompressionBCSliced3D = 5, TextureCompressionETC2 = 6, TextureCompressionASTC = 7,
        TextureCompressionASTCSliced3D = 8, TimestampQuery = 9, IndirectFirstInstance = 0xA, ShaderF16 = 0xB,
        RG11B10UfloatRenderable = 0xC, BGRA8UnormStorage = 0xD, Float32Filterable = 0xE, Float32Blendable = 0xF,
        ClipDistances = 0x10, DualSourceBlending = 0x11, Subgroups = 0x12, PrimitiveIndex = 0x15,
    }
    WGPUNativeFeature {
        Immediates = 0x30001, PipelineStatisticsQuery = 0x30008, StorageResourceBindingArray = 0x30009,
        PartiallyBoundBindingArray = 0x3000A, MappablePrimaryBuffers = 0x3000E, BufferBindingArray = 0x3000F,
        ShaderF64 = 0x3001D, ShaderI16 = 0x3001E, Subgroup = 0x30021, SubgroupVertex = 0x30022,
        SubgroupBarrier = 0x30023, TimestampQueryInsideEncoders = 0x30024, TimestampQueryInsidePasses = 0x30025,
        ShaderInt64 = 0x30026, ShaderFloat32Atomic = 0x30027, PipelineCache = 0x3002B,
        ShaderInt64AtomicMinMax = 0x3002C, ShaderInt64AtomicAllOps = 0x3002D, CooperativeMatrix = 0x3003B,
        MemoryDecorationCoherent = 0x3003F, MemoryDecorationVolatile = 0x30040,
    }
    WGPUInstanceFeatureName { TimedWaitAny = 1, ShaderSourceSPIRV = 2, MultipleDevicesPerAdapter = 3 }
    WGPUMapAsyncStatus { Success = 1, CallbackCancelled = 2, Error = 3, Aborted = 4 }
    WGPUPopErrorScopeStatus { Success = 1, CallbackCancelled = 2, Error = 3 }
    WGPUPowerPreference { Undefined = 0, LowPower = 1, HighPerformance = 2 }
    WGPUQueryType { Occlusion = 1, Timestamp = 2 }
    WGPUQueueWorkDoneStatus { Success = 1, CallbackCancelled = 2, Error = 3 }
    WGPURequestAdapterStatus { Success = 1, CallbackCancelled = 2, Unavailable = 3, Error = 4 }
    WGPURequestDeviceStatus { Success = 1, CallbackCancelled = 2, Error = 3 }
    WGPUSType { ShaderSourceSPIRV = 1, ShaderSourceWGSL = 2, DeviceExtras = 0x30001, InstanceExtras = 0x30004 }
    WGPUWaitStatus { Success = 1, TimedOut = 2, Error = 3 }
    WGPUWGSLLanguageFeatureName {
        ReadonlyAndReadwriteStorageTextures = 1, Packed4x8IntegerDotProduct = 2, UnrestrictedPointerParameters = 3,
        PointerCompositeAccess = 4,
    }
    WGPULogLevel { Off = 0, Error = 1, Warn = 2, Info = 3, Debug = 4, Trace = 5 }
    WGPUInstanceBackend {
        All = 0, Vulkan = 1, GL = 2, Metal = 4, DX12 = 8, BrowserWebGPU = 0x20, Primary = 0x2D, Secondary = 2,
    }
    WGPUInstanceFlag {
        Empty = 0, Debug = 1, Validation = 2, DiscardHalLabels = 4, AllowUnderlyingNoncompliantAdapter = 8,
        GPUBasedValidation = 0x10, ValidationIndirectCall = 0x20, AutomaticTimestampNormalization = 0x40,
        Default = 1 << 24, Debugging = 1 << 25, AdvancedDebugging = 1 << 26, WithEnv = 1 << 27,
    }
    WGPUShaderRuntimeChecks {
        None = 0, BoundsChecks = 1, ForceLoopBounding = 2, RayQueryInitializationTracking = 4,
        TaskShaderDispatchTracking = 8, MeshShaderPrimitiveIndicesClamp = 0x10,
    }
    CorvidWgpuSType {
        InstanceOptions = 0xC00001, DeviceOptions = 0xC00002, ShaderModuleOptions = 0xC00003,
        ComputePipelineOptions = 0xC00004,
    }
    CorvidWgpuFeature { PassthroughShaders = 0xC00001 }
    CorvidWgpuInstanceFlag { StrictCompliance = 0x80 }
    CorvidWgpuRuntimeChecks { IntegerDivision = 0x20, All = 0x3F }
    CorvidWgpuMemoryHint { Performance = 0, MemoryUsage = 1, Manual = 2 }
    CorvidWgpuScalar {
        Other = 0, F16 = 1, F32 = 2, F64 = 3, I8 = 4, I16 = 5, I32 = 6, I64 = 7, U8 = 8, U16 = 9, U32 = 10, U64 = 11,
        BF16 = 12,
    }
}
