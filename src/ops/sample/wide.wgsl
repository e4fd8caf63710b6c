// Whole numbers of 64 bits as vec2u(low, high), and the random numbers of base/rng.h.
// Gives: wide_product, wide_add, wide_less, wide_minus, wide_shifted, wide_share, random_at.
fn wide_product(a: u32, b: u32) -> vec2u {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let cross = (a & 0xffffu) * (b >> 16u);
    let other = (a >> 16u) * (b & 0xffffu);
    let middle = (low >> 16u) + (cross & 0xffffu) + (other & 0xffffu);
    return vec2u((low & 0xffffu) | (middle << 16u),
                 (a >> 16u) * (b >> 16u) + (cross >> 16u) + (other >> 16u) + (middle >> 16u));
}

fn wide_add(a: vec2u, b: vec2u) -> vec2u {
    let low = a.x + b.x;
    return vec2u(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn wide_minus(a: vec2u, b: vec2u) -> vec2u { return vec2u(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x)); }

fn wide_less(a: vec2u, b: vec2u) -> bool { return a.y < b.y || (a.y == b.y && a.x < b.x); }

// x << bits, 0 < bits < 32
fn wide_shifted(x: u32, bits: u32) -> vec2u { return vec2u(x << bits, x >> (32u - bits)); }

// part * whole / 2^32
fn wide_share(part: u32, whole: vec2u) -> vec2u {
    return wide_add(wide_product(part, whole.y), vec2u(wide_product(part, whole.x).y, 0u));
}

// number `index` of a seed's sequence: Philox 4x32-10
fn random_at(seed: vec2u, index: u32) -> u32 {
    var key = seed;
    var x = vec4u(index, 0u, 0u, 0u);
    for (var round = 0u; round < 10u; round++) {
        let a = wide_product(0xD2511F53u, x.x);
        let b = wide_product(0xCD9E8D57u, x.z);
        x = vec4u(b.y ^ x.y ^ key.x, b.x, a.y ^ x.w ^ key.y, a.x);
        key += vec2u(0x9E3779B9u, 0xBB67AE85u);
    }
    return x.x;
}
