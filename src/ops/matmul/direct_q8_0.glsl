// Q8_0 weights, as codec/q8_0.wgsl has them: a piece is 32 columns, which have a scale.
layout(binding = 2) readonly buffer Quants { uvec4 quants[]; };
layout(binding = 3) readonly buffer Scales { uint scales[]; };

const uint STEP_COLUMNS = 128;

struct WeightWords { uvec4 first, second; uint pair; };
struct Weights { uvec4 first, second; f16vec2 scale; };

WeightWords w_fetch(Tile tile, uint row, uint step, uint place)
{
    const uint block = TAIL == 1 ? min(step * 4 + place, tile.segment.spans / 2 - 1) : step * 4 + place;
    const uint at = row * spans + block * 2;
    return WeightWords(quants[at], quants[at + 1], scales[row * ((spans + 3) / 4) + block / 2]);
}

// past the end x is 0
Weights w_ready(WeightWords words, Tile tile, uint step, uint place)
{
    const uint block = TAIL == 1 ? min(step * 4 + place, tile.segment.spans / 2 - 1) : step * 4 + place;
    return Weights(words.first, words.second, f16vec2(halves_of(words.pair)[block & 1]));
}

// Two bytes, their upper bit flipped, behind the exponent that 1024 has as f16, are 1024 + b + 128.
void w_pairs(Weights w, uint j, out f16vec2 a, out f16vec2 b)
{
    const uint word = j < 4 ? w.first[j & 3] : w.second[j & 3];
    a = (halves_of(word & 0x00ff00ffu ^ 0x64806480u) - f16vec2(1152)) * w.scale;
    b = (halves_of(word >> 8 & 0x00ff00ffu ^ 0x64806480u) - f16vec2(1152)) * w.scale;
}
