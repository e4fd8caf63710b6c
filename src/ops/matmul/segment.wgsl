// The rows of a product fall into up to 4 segments, each with its own columns of x and activation. The rows that a
// thread does together are of one segment: lengths are multiples of 4. Gives: segment_of.
struct Segment {
    x_at: u32,   // its first column of x, in vec4s
    spans: u32,  // how many spans of 16 columns
    act: u32,
}

fn segment_of(row: u32) -> Segment {
    let index = u32(row >= params.end0) + u32(row >= params.end1) + u32(row >= params.end2);
    return Segment(vec4u(params.x_at0, params.x_at1, params.x_at2, params.x_at3)[index],
                   vec4u(params.used0, params.used1, params.used2, params.used3)[index],
                   vec4u(params.act0, params.act1, params.act2, params.act3)[index]);
}
