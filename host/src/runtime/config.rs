//! The wasmtime settings: what guests may use, and how their instances are pooled.

use crate::guest::MAX_CORE_INSTANCES;
use theus_core::limits::Limits;
use wasmtime::{
    Config, Enabled, InstanceAllocationStrategy, OperatorCost, PoolingAllocationConfig,
    WasmBacktraceDetails, WasmFeatures,
};

/// Memories of one component: composed components have one per part.
pub(super) const MEMORIES: u32 = 4;
/// Tables of one component that are counted rather than called invalid.
const MAX_TABLES: u32 = 100;
/// The page of a linear memory.
const PAGE: u64 = 64 * 1024;
/// A 32-bit memory holds no more than this.
const MEMORY32: u64 = 4 << 30;
/// Unmapped bytes behind each memory, so that small constant offsets need no check of their own.
const GUARD: u64 = 2 << 20;
/// Memory of a slot that is wiped in place between calls: an ordinary guest then needs no system call.
const KEEP_RESIDENT: usize = 128 * 1024;
/// Wasm runs on the caller's stack, and a thread of the standard library has 2 MiB.
const MAX_STACK: u64 = 1 << 20;

/// Builds the settings for `slots` calls at a time.
///
/// Every setting that changes generated code or what a guest can observe stands here: determinism (canonical NaN,
/// deterministic relaxed SIMD, no threads), the two ways to stop a guest (fuel, epochs), the stack, and the pool.
pub(super) fn config(limits: &Limits, slots: u32) -> anyhow::Result<Config> {
    anyhow::ensure!(
        (1..=MAX_STACK).contains(&limits.stack_bytes),
        "the wasm stack must be 1 to {MAX_STACK} bytes, for it lies on the calling thread's own; {} were set",
        limits.stack_bytes
    );
    let memory = limits
        .memory_bytes
        .next_multiple_of(PAGE)
        .clamp(PAGE, MEMORY32);
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .operator_cost(OperatorCost {
            // These enter the host; everything else costs about what it takes.
            MemoryGrow: 100,
            TableGrow: 100,
            ..OperatorCost::new()
        })
        .epoch_interruption(true)
        .max_wasm_stack(usize::try_from(limits.stack_bytes)?)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .concurrency_support(false)
        // Debug information comes from the guest's author; nothing of it is parsed.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .native_unwind_info(false)
        .memory_reservation(memory)
        .memory_reservation_for_growth(0)
        .memory_guard_size(GUARD)
        .wasm_features(
            WasmFeatures::MEMORY64
                | WasmFeatures::THREADS
                | WasmFeatures::CUSTOM_PAGE_SIZES
                | WasmFeatures::WIDE_ARITHMETIC,
            false,
        )
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(
            limits, slots, memory,
        )?));
    Ok(config)
}

fn pool(limits: &Limits, slots: u32, memory: u64) -> anyhow::Result<PoolingAllocationConfig> {
    let tables = u32::try_from(limits.tables)?;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .total_core_instances(slots.saturating_mul(MAX_CORE_INSTANCES))
        .max_memories_per_module(MEMORIES)
        .max_memories_per_component(MEMORIES)
        .total_memories(slots.saturating_mul(MEMORIES))
        .max_memory_size(usize::try_from(memory)?)
        // More than the limit, so that a component over it is told so rather than called invalid.
        .max_tables_per_module(MAX_TABLES)
        .max_tables_per_component(MAX_TABLES)
        .total_tables(slots.saturating_mul(tables))
        .table_elements(usize::try_from(limits.table_elements)?)
        // Calls are synchronous: no fiber ever needs a stack.
        .total_stacks(0)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(KEEP_RESIDENT)
        // Where the kernel can say which pages a call has touched, only those are wiped: a guest with its stack's usual
        // megabyte then costs no more than one with a small stack.
        .pagemap_scan(Enabled::Auto);
    Ok(pool)
}
