// A key-value cache of floats. Gives: kv_quad.
@group(0) @binding(3) var<storage, read> cache: array<vec4f>;

// values 4 quad to 4 quad + 3 of the row that begins at word `row_at`
fn kv_quad(row_at: u32, quad: u32) -> vec4f { return cache[row_at / 4u + quad]; }
