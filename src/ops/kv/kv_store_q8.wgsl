// Writes to a key-value cache of int8 blocks (quant/kv_row.h): 8 neighbouring threads hold a block of 32 values.
// Needs: KV_BINDING, Lane, octet_max, params.row_quads. Gives: kv_store.
@group(0) @binding(KV_BINDING) var<storage, read_write> cache_out: array<u32>;

// values 4 quad to 4 quad + 3 of the row that begins at word `row_at`; the 8 threads of a block call it together
fn kv_store(row_at: u32, quad: u32, value: vec4f, writes: bool, lane: Lane) {
    let size = abs(value);
    let top = octet_max(max(max(size.x, size.y), max(size.z, size.w)), lane);
    let d = bitcast<f32>((bitcast<u32>(top / 127.0) + 0x40u) & ~0x7fu);
    let q = vec4i(clamp(round(value * select(0.0, 1.0 / d, d > 0.0)), vec4f(-127.0), vec4f(127.0)));
    if !writes { return; }
    cache_out[row_at + quad] = pack4xI8(q);
    if quad % 8u == 0u { cache_out[row_at + params.row_quads + quad / 8u] = bitcast<u32>(d); }
}
