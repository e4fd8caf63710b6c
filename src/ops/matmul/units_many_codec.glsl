// Weights for units_many. Lane `quarter` of four decodes a block of 32 columns of a row, 4 columns at a step; a piece
// is what it fetches at a time.
// Gives: Piece, PERIOD (steps of a piece), fetch_piece; Entry, fetch_entry and line_of: the scales of the block;
// w_pair: weights 0 and 2 of a step's four (shift 0) or 1 and 3 (shift 1), in step s of the piece; X_AHEAD: 1 where
// these leave room in the registers for the next step's x.
f16vec2 halves_of(uint word) { return unpackFloat2x16(word); }
uint low_halves(uint a, uint b) { return a & 0xffff | b << 16; }
uint high_halves(uint a, uint b) { return a >> 16 | b & 0xffff0000; }

#if defined CODEC_Q4_K
const uint PERIOD = 4, X_AHEAD = 1;
#define Piece uvec2
#define Entry uvec4
layout(binding = 2) readonly buffer Quants { uvec2 quants[]; };
layout(binding = 3) readonly buffer Scales { uvec4 scales[]; };

Piece fetch_piece(uint row, uint block, uint piece) { return quants[row * spans + block * 2 + piece]; }
Entry fetch_entry(uint row, uint block) { return scales[row * (spans / 16) + block / 8]; }

// 128 d * scale, so that it stays a normal f16, and what 8 steps of it and the minimum make
uint line_of(Entry entry, uint block)
{
    const uint at = (block & 7) * 2, upper = entry.w >> at;
    const uint scale = entry.y >> at * 2 & 15 | (upper & 3) << 4;
    const uint minimum = entry.z >> at * 2 & 15 | upper >> 12 & 48;
    const vec2 d = unpackHalf2x16(entry.x);
    const float s = d.x * float(scale);
    return packFloat2x16(f16vec2(clamp(vec2(128 * s, 8 * s - d.y * float(minimum)), -65504, 65504)));
}

// a nibble n behind the exponent that 8 has as f16 is 8 + n / 128
f16vec2 w_pair(Piece words, uint s, uint shift, uint line)
{
    const uint nibbles = words[s / 2] >> 4 * (s & 1) + 8 * shift & 0x000f000f;
    return fma(halves_of(nibbles | 0x48004800) - f16vec2(8.0625), halves_of(line).xx, halves_of(line).yy);
}

#elif defined CODEC_Q8_0
const uint PERIOD = 2, X_AHEAD = 0;
#define Piece uvec2
#define Entry uint
layout(binding = 2) readonly buffer Quants { uvec2 quants[]; };
layout(binding = 3) readonly buffer Scales { uint scales[]; };

Piece fetch_piece(uint row, uint block, uint piece) { return quants[row * (spans * 2) + block * 4 + piece]; }
Entry fetch_entry(uint row, uint block) { return scales[row * ((spans + 3) / 4) + block / 2]; }
uint line_of(Entry entry, uint block)
{
    return (block & 1) == 0 ? low_halves(entry, entry) : high_halves(entry, entry);
}

// a byte b + 128 behind the exponent that 1024 has as f16 is 1152 + b
f16vec2 w_pair(Piece words, uint s, uint shift, uint line)
{
    const uint bytes = (words[s] ^ 0x80808080) >> 8 * shift & 0x00ff00ff;
    return (halves_of(bytes | 0x64006400) - f16vec2(1152)) * halves_of(line);
}

#else
const uint PERIOD = 2, X_AHEAD = 0;
#define Piece uvec4
#define Entry uint
layout(binding = 2) readonly buffer Quants { uvec4 quants[]; };

Piece fetch_piece(uint row, uint block, uint piece) { return quants[row * (spans * 2) + block * 4 + piece]; }
Entry fetch_entry(uint row, uint block) { return 0; }
uint line_of(Entry entry, uint block) { return 0; }
f16vec2 w_pair(Piece words, uint s, uint shift, uint line)
{
    const uint a = words[2 * s], b = words[2 * s + 1];
    return halves_of(shift == 0 ? low_halves(a, b) : high_halves(a, b));
}
#endif
