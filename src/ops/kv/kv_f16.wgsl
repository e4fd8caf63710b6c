// A key-value cache of halves (quant/kv_row.h). Gives: kv_quad.
@group(0) @binding(3) var<storage, read> cache: array<vec2u>;

// values 4 quad to 4 quad + 3 of the row that begins at word `row_at`
fn kv_quad(row_at: u32, quad: u32) -> vec4f {
    let words = cache[row_at / 2u + quad];
    return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}
