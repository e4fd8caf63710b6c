// x in int8 form (quant/q8_row.h), as in few_x_q8.wgsl: a piece is a block of 32 columns.
layout(binding = 4) readonly buffer X { uvec4 x_quads[]; };     // [T, (K/4 + K/16) / 4]
layout(binding = 4) readonly buffer XWord { uint x_words[]; };  // the same

struct XWords { uvec4 first, second; uint scale; };
struct Values { uvec4 first, second; f16vec2 scale; };

XWords x_fetch(Tile tile, uint token, uint step, uint place)
{
    uint block = step * 4 + place;
    if (TAIL == 1) block = min(block, tile.segment.spans / 2 - 1);
    const uint quad = tile.segment.x_at + block * 8, row = token * ((quads + quads / 4 + 3) / 4);
    return XWords(x_quads[row + quad / 4], x_quads[row + quad / 4 + 1], x_words[row * 4 + quads + quad / 4]);
}

// an x beyond what f16 holds makes its block smaller
Values x_ready(XWords words, Tile tile, uint step, uint place)
{
    const float scale = min(uintBitsToFloat(words.scale) * 8, 65504.0); // b / 128 * 8 d = b d / 16
    const bool past = TAIL == 1 && step * 4 + place >= tile.segment.spans / 2;
    return Values(words.first, words.second, f16vec2(float16_t(past ? 0 : scale)));
}

// Two bytes, their upper bit flipped, behind the exponent that 8 has as f16, are 8 + (b + 128) / 128.
void x_pairs(Values x, uint j, out f16vec2 a, out f16vec2 b)
{
    const uint word = j < 4 ? x.first[j & 3] : x.second[j & 3];
    a = (halves_of(word & 0x00ff00ffu ^ 0x48804880u) - f16vec2(9)) * x.scale;
    b = (halves_of(word >> 8 & 0x00ff00ffu ^ 0x48804880u) - f16vec2(9)) * x.scale;
}
