// What stands for matrix units in test_units_gpu: each of a subgroup's 32 threads makes 8 of the 256 sums. A part of a
// tile is where it begins. The test sets emulated_lane and emulated_items at the start of main; the latter is 8, which
// compilers must not know: they would spend minutes on loops written out.
struct Emulated { v: array<f32, 8> }  // i: token (lane + 32 i) / 16, row (lane + 32 i) % 16
var<private> emulated_lane: u32;
var<private> emulated_items: u32;

fn emulated_multiply(x: u32, w: u32, sum: Emulated) -> Emulated {
    var result = sum;
    for (var i = 0u; i < emulated_items; i++) {
        let item = emulated_lane + 32u * i;
        for (var k = 0u; k < emulated_items / 2u; k++) {
            let a = vec4f(tile_x[x + item / 16u * STRIDE + k]);
            let b = vec4f(tile_w[w + item % 16u * STRIDE + k]);
            result.v[i] += dot(a, b);
        }
    }
    return result;
}

fn emulated_store(sum: Emulated, at: u32, stride: u32) {
    var values = sum.v;
    for (var i = 0u; i < 8u; i++) {
        let item = emulated_lane + 32u * i;
        sums[at + item / 16u * stride + item % 16u] = values[i];
    }
}
