// The rows of a product fall into up to 8 segments, each with its own columns of x and activation. The rows that a
// thread does together are of one segment: lengths are multiples of 4. Gives: segment_of, segment_index, segment_end,
// segment_tile.
struct Segment {
    x_at: u32,   // its first column of x, in vec4s
    spans: u32,  // how many spans of 16 columns
    act: u32,
}

fn segment_pick(index: u32, first: vec4u, last: vec4u) -> u32 {
    return select(first[index & 3u], last[index & 3u], index >= 4u);
}

// the row behind segment `index`
fn segment_end(index: u32) -> u32 {
    return segment_pick(index, vec4u(params.end0, params.end1, params.end2, params.end3),
                        vec4u(params.end4, params.end5, params.end6, params.rows));
}

fn segment_index(row: u32) -> u32 {
    return u32(row >= params.end0) + u32(row >= params.end1) + u32(row >= params.end2) + u32(row >= params.end3) +
           u32(row >= params.end4) + u32(row >= params.end5) + u32(row >= params.end6);
}

fn segment_of(row: u32) -> Segment {
    let index = segment_index(row);
    return Segment(segment_pick(index, vec4u(params.x_at0, params.x_at1, params.x_at2, params.x_at3),
                                vec4u(params.x_at4, params.x_at5, params.x_at6, params.x_at7)),
                   segment_pick(index, vec4u(params.used0, params.used1, params.used2, params.used3),
                                vec4u(params.used4, params.used5, params.used6, params.used7)),
                   segment_pick(index, vec4u(params.act0, params.act1, params.act2, params.act3),
                                vec4u(params.act4, params.act5, params.act6, params.act7)));
}

// where tiles of `size` rows follow each other, none in two segments: the first row of one, and where its segment ends
fn segment_tile(index: u32, size: u32) -> vec2u {
    var tile = index;
    var first = 0u;
    for (var i = 0u; i < 8u; i++) {
        let end = segment_end(i);
        let tiles = (end - first + size - 1u) / size;
        if tile < tiles { return vec2u(first + tile * size, end); }
        tile -= tiles;
        first = end;
    }
    return vec2u(); // not reached: the grid has as many tiles
}
