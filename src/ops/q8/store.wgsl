// Writes activations as int8 blocks (quant/q8_row.h): 8 neighbouring threads hold a block of 32 values, 4 each.
// Needs: octet_sum, octet_max, Q8_BINDING. Gives: q8_store.
@group(0) @binding(Q8_BINDING) var<storage, read_write> q8_out: array<u32>;

// values 4 quad to 4 quad + 3 of row `row` of `quads` vec4s; the 8 threads of a block call it together
fn q8_store(row: u32, quads: u32, quad: u32, value: vec4f, writes: bool, lane: Lane) {
    let size = abs(value);
    let top = octet_max(max(max(size.x, size.y), max(size.z, size.w)), lane);
    let q = vec4i(round(value * select(0.0, 127.0 / top, top > 0.0)));
    let sum = f32(q.x + q.y + q.z + q.w);
    let last = (quad & 4u) != 0u;
    let sums = vec2i(octet_sum(vec2f(select(sum, 0.0, last), select(0.0, sum, last)), lane));
    if !writes { return; }
    let row_at = row * ((quads + quads / 4u + 3u) / 4u * 4u);
    q8_out[row_at + quad] = pack4xI8(q);
    if quad % 8u == 0u {
        q8_out[row_at + quads + quad / 4u] = bitcast<u32>(top / 127.0);
        q8_out[row_at + quads + quad / 4u + 1u] = (u32(sums.x) & 0xffffu) | (u32(sums.y) << 16u);
    }
}
