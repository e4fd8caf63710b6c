// The rows of a product fall into segments, as in segment.wgsl. Needs: params.
struct Segment {
    uint x_at;  // its first column of x, in vec4s
    uint spans; // how many spans of 16 columns
    uint act;
    uint plane; // of a mixed stack: where its rows begin, in 16 bytes
    uint type;  // of these: 0 F32, 1 F16, 2 BF16
};

uint segment_pick(uint i, uvec4 first, uvec4 last) { return i < 4 ? first[i & 3] : last[i & 3]; }

// the row behind segment i
uint segment_end(uint i) { return segment_pick(i, uvec4(end0, end1, end2, end3), uvec4(end4, end5, end6, rows)); }

// where tiles of `size` rows follow each other, none in two segments: the first row of one, where its segment ends, and
// the segment's number
uvec3 segment_tile(uint tile, uint size)
{
    if (end0 == rows) return uvec3(tile * size, rows, 0); // what follows from that is known when it is compiled
    uint first = 0;
    [[unroll]] for (uint i = 0; i < 8; i++) {
        const uint end = segment_end(i), n = (end - first + size - 1) / size;
        if (tile < n) return uvec3(first + tile * size, end, i);
        tile -= n;
        first = end;
    }
    return uvec3(0); // not reached: the grid has as many tiles
}

Segment segment_of(uint i)
{
    return Segment(segment_pick(i, uvec4(x_at0, x_at1, x_at2, x_at3), uvec4(x_at4, x_at5, x_at6, x_at7)),
                   segment_pick(i, uvec4(used0, used1, used2, used3), uvec4(used4, used5, used6, used7)),
                   segment_pick(i, uvec4(act0, act1, act2, act3), uvec4(act4, act5, act6, act7)),
                   segment_pick(i, uvec4(plane0, plane1, plane2, plane3), uvec4(plane4, plane5, plane6, plane7)),
                   types >> 2 * i & 3);
}
