// Sums and maxima over 8 neighbouring threads, through workgroup memory. All threads of the workgroup must call them
// together. Needs: Lane, WORKGROUP (a multiple of 8). Gives: octet_sum, octet_max.
var<workgroup> octet_partial: array<vec2f, WORKGROUP>;

fn octet_sum(value: vec2f, lane: Lane) -> vec2f {
    octet_partial[lane.thread] = value;
    workgroupBarrier();
    let first = lane.thread & ~7u;
    var sum = octet_partial[first];
    for (var i = 1u; i < 8u; i++) { sum += octet_partial[first + i]; }
    workgroupBarrier();
    return sum;
}

fn octet_max(value: f32, lane: Lane) -> f32 {
    octet_partial[lane.thread].x = value;
    workgroupBarrier();
    let first = lane.thread & ~7u;
    var top = octet_partial[first].x;
    for (var i = 1u; i < 8u; i++) { top = max(top, octet_partial[first + i].x); }
    workgroupBarrier();
    return top;
}
