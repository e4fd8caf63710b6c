// A key-value cache of int8 blocks (quant/kv_row.h). Needs: params.row_quads. Gives: kv_quad.
@group(0) @binding(3) var<storage, read> cache: array<u32>;

// values 4 quad to 4 quad + 3 of the row that begins at word `row_at`
fn kv_quad(row_at: u32, quad: u32) -> vec4f {
    let d = bitcast<f32>(cache[row_at + params.row_quads + quad / 8u]);
    return vec4f(unpack4xI8(cache[row_at + quad])) * d;
}
