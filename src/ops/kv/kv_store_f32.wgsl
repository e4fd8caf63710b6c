// Writes to a key-value cache of floats. Needs: KV_BINDING, Lane. Gives: kv_store.
@group(0) @binding(KV_BINDING) var<storage, read_write> cache_out: array<vec4f>;

// values 4 quad to 4 quad + 3 of the row that begins at word `row_at`
fn kv_store(row_at: u32, quad: u32, value: vec4f, writes: bool, lane: Lane) {
    if writes { cache_out[row_at / 4u + quad] = value; }
}
