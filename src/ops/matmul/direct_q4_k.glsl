// Q4_K weights, as codec/q4_k.wgsl has them: a piece is 32 columns, which have a scale and a minimum.
layout(binding = 2) readonly buffer Quants { uvec4 quants[]; };
layout(binding = 3) readonly buffer Scales { uvec4 scales[]; };

const uint STEP_COLUMNS = 128;

struct WeightWords { uvec4 quants, entry; };
struct Weights { uvec4 quants; f16vec2 scale, offset; };

WeightWords w_fetch(Tile tile, uint row, uint step, uint place)
{
    const uint block = step * 4 + place; // a row has multiples of 8
    return WeightWords(quants[row * (spans / 2) + block], scales[row * (spans / 16) + block / 8]);
}

Weights w_ready(WeightWords words, Tile tile, uint step, uint place)
{
    const uint at = (step * 4 + place & 7) * 2, upper = words.entry.w >> at;
    const uint scale = words.entry.y >> 2 * at & 15 | (upper & 3) << 4;
    const uint minimum = words.entry.z >> 2 * at & 15 | upper >> 12 & 48;
    const vec2 by = unpackHalf2x16(words.entry.x) * vec2(float(scale), -float(minimum));
    return Weights(words.quants, f16vec2(float16_t(by.x)), f16vec2(float16_t(by.y)));
}

// 4 bits in the last ones of 1024 as f16
void w_pairs(Weights w, uint j, out f16vec2 a, out f16vec2 b)
{
    const uint word = w.quants[j / 2], odd = word >> 8;
    if (j % 2 == 0) {
        a = halves_of(word & 0x000f000fu | 0x64006400u) - f16vec2(1024);
        b = halves_of(odd & 0x000f000fu | 0x64006400u) - f16vec2(1024);
    } else {
        a = fma(halves_of(word & 0x00f000f0u | 0x64006400u), f16vec2(0.0625), f16vec2(-64));
        b = fma(halves_of(odd & 0x00f000f0u | 0x64006400u), f16vec2(0.0625), f16vec2(-64));
    }
    a = fma(a, w.scale, w.offset);
    b = fma(b, w.scale, w.offset);
}
