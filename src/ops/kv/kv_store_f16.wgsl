// Writes to a key-value cache of halves (quant/kv_row.h). Needs: KV_BINDING, Lane. Gives: kv_store.
@group(0) @binding(KV_BINDING) var<storage, read_write> cache_out: array<vec2u>;

const KV_HALF_MAX = 65504.0;

// values 4 quad to 4 quad + 3 of the row that begins at word `row_at`
fn kv_store(row_at: u32, quad: u32, value: vec4f, writes: bool, lane: Lane) {
    let v = clamp(value, vec4f(-KV_HALF_MAX), vec4f(KV_HALF_MAX));
    if writes { cache_out[row_at / 2u + quad] = vec2u(pack2x16float(v.xy), pack2x16float(v.zw)); }
}
