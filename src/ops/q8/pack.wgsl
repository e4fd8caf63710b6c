// Activations as int8 (quant/q8_row.h): 8 neighbouring threads, the first a multiple of 8, hold a block of 32 values.
// Needs: octet_max, octet_sums. Gives: Q8Quad, q8_pack, q8_scale.
struct Q8Quad {
    word: u32,  // this thread's 4 values
    top: f32,   // of the block: the largest |value|
    sums: u32,  // and the sums over its first and last 16
}

// the 8 threads of a block call it together
fn q8_pack(value: vec4f, lane: Lane) -> Q8Quad {
    let size = abs(value);
    let top = octet_max(max(max(size.x, size.y), max(size.z, size.w)), lane);
    // added to 1.5 * 2^23 the values are rounded to the integers that its last bits then are
    let q = bitcast<vec4u>(value * select(0.0, 127.0 / top, top > 0.0) + 12582912.0) & vec4u(255u);
    let word = q.x | (q.y << 8u) | (q.z << 16u) | (q.w << 24u);
    let sums = octet_sums(dot4I8Packed(word, 0x01010101u), lane);
    return Q8Quad(word, top, (u32(sums.x) & 0xffffu) | (u32(sums.y) << 16u));
}

fn q8_scale(packed: Q8Quad) -> u32 { return bitcast<u32>(packed.top / 127.0); }
