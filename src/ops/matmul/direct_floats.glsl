// Weights that are floats and x as floats, as in codec/f16.wgsl, mixed.wgsl and few_x_f32.wgsl: a piece is 8 columns.
layout(binding = 2) readonly buffer Quants { uvec4 quants[]; };
layout(binding = 4) readonly buffer X { vec4 x_quads[]; }; // [T, K/4]

const uint STEP_COLUMNS = 32;

struct XWords { vec4 first, second; };
struct Values { vec4 first, second; };

// the piece of a row, its last one if it has no such
uint piece_at(Tile tile, uint step, uint place)
{
    const uint piece = step * 4 + place;
    return TAIL == 1 ? min(piece, tile.segment.spans * 2 - 1) : piece;
}

#if defined CODEC_MIXED

const uint TYPE_F32 = 0, TYPE_BF16 = 2;

struct WeightWords { uvec4 first, second; };
struct Weights { uvec4 first, second; uint type; };

WeightWords w_fetch(Tile tile, uint row, uint step, uint place)
{
    const uint size = tile.segment.type == TYPE_F32 ? 2 : 1;
    const uint piece = (row - tile.first) * tile.segment.spans * 2 + piece_at(tile, step, place);
    const uint at = tile.segment.plane + piece * size;
    return WeightWords(quants[at], quants[at + size - 1]);
}

Weights w_ready(WeightWords words, Tile tile, uint step, uint place)
{
    return Weights(words.first, words.second, tile.segment.type);
}

f16vec2 brain_pair(uint word) { return f16vec2(uintBitsToFloat(uvec2(word << 16, word & 0xffff0000u))); }

void w_pairs(Weights w, uint j, out f16vec2 a, out f16vec2 b)
{
    if (w.type == TYPE_F32) {
        const vec4 v = uintBitsToFloat(j == 0 ? w.first : w.second);
        a = f16vec2(v.xy);
        b = f16vec2(v.zw);
    } else {
        const uvec2 v = j == 0 ? w.first.xy : w.first.zw;
        a = w.type == TYPE_BF16 ? brain_pair(v.x) : halves_of(v.x);
        b = w.type == TYPE_BF16 ? brain_pair(v.y) : halves_of(v.y);
    }
}

#else

#define WeightWords uvec4
#define Weights uvec4

uvec4 w_fetch(Tile tile, uint row, uint step, uint place)
{
    return quants[row * spans * 2 + piece_at(tile, step, place)];
}

uvec4 w_ready(uvec4 words, Tile tile, uint step, uint place) { return words; }

void w_pairs(uvec4 w, uint j, out f16vec2 a, out f16vec2 b)
{
    a = halves_of(w[2 * j]);
    b = halves_of(w[2 * j + 1]);
}

#endif

// a row of x may end within a piece, where weights are 0
XWords x_fetch(Tile tile, uint token, uint step, uint place)
{
    const uint quad = tile.segment.x_at + piece_at(tile, step, place) * 2, row = token * quads;
    return XWords(x_quads[row + min(quad, quads - 1)], x_quads[row + min(quad + 1, quads - 1)]);
}

Values x_ready(XWords words, Tile tile, uint step, uint place)
{
    const bool past = TAIL == 1 && step * 4 + place >= tile.segment.spans * 2;
    return Values(past ? vec4(0) : words.first, past ? vec4(0) : words.second);
}

f16vec2 x_pair(vec2 v) { return f16vec2(clamp(v / 16, -65504.0, 65504.0)); }

void x_pairs(Values x, uint j, out f16vec2 a, out f16vec2 b)
{
    const vec4 v = j == 0 ? x.first : x.second;
    a = x_pair(v.xy);
    b = x_pair(v.zw);
}
