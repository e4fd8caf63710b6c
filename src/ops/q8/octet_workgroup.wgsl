// Maxima over 8 neighbouring threads, through workgroup memory, and sums over the first and the last 4 of them. All
// threads of the workgroup must call them together. Needs: Lane, WORKGROUP (a multiple of 8). Gives: octet_sums,
// octet_max.
var<workgroup> octet_parts: array<i32, WORKGROUP>;
var<workgroup> octet_tops: array<f32, WORKGROUP>;

fn octet_sums(value: i32, lane: Lane) -> vec2i {
    octet_parts[lane.thread] = value;
    workgroupBarrier();
    let first = lane.thread & ~7u;
    var sums = vec2i();
    for (var i = 0u; i < 4u; i++) { sums += vec2i(octet_parts[first + i], octet_parts[first + 4u + i]); }
    workgroupBarrier();
    return sums;
}

fn octet_max(value: f32, lane: Lane) -> f32 {
    octet_tops[lane.thread] = value;
    workgroupBarrier();
    let first = lane.thread & ~7u;
    var top = octet_tops[first];
    for (var i = 1u; i < 8u; i++) { top = max(top, octet_tops[first + i]); }
    workgroupBarrier();
    return top;
}
