// Writes activations as int8 blocks (quant/q8_row.h): 8 neighbouring threads hold a block of 32 values, 4 each.
// Needs: q8/pack, Q8_BINDING. Gives: q8_store.
@group(0) @binding(Q8_BINDING) var<storage, read_write> q8_out: array<u32>;

// values 4 quad to 4 quad + 3 of row `row` of `quads` vec4s; the 8 threads of a block call it together
fn q8_store(row: u32, quads: u32, quad: u32, value: vec4f, writes: bool, lane: Lane) {
    let packed = q8_pack(value, lane);
    if !writes { return; }
    let row_at = row * ((quads + quads / 4u + 3u) / 4u * 4u);
    q8_out[row_at + quad] = packed.word;
    if quad % 8u == 0u {
        q8_out[row_at + quads + quad / 4u] = q8_scale(packed);
        q8_out[row_at + quads + quad / 4u + 1u] = packed.sums;
    }
}
