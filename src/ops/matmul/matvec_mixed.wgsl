// Products side by side of which some are thin and floats, and the others of another type (integers, whose x is in int8
// form, or floats): y of both in one dispatch. Rows from params.first_thin on are the thin ones; their groups come
// first, for they take longest. No bias, nothing combined. grid: as matvec, thin groups and then the others
// Needs: as matvec, with ROWS = 1; thin, mixed_row.
@group(0) @binding(5) var<storage, read> x_floats: array<vec4f>;  // [T, K/4]

const GROUP_ROWS = WORKGROUP / LANES;

// a thread's part of the sums of a thin row
fn thin_sums(row: u32, segment: Segment, part: u32, token: u32, tokens: u32) -> array<vec4f, TOKENS> {
    let place = mixed_row(row);
    var sums: array<vec4f, TOKENS>;
    for (var span = part; span < segment.spans; span += LANES) {
        let w = thin_span(place, span);
        for (var t = 0u; t < TOKENS; t++) {
            let at = min(token + t, tokens - 1u) * params.quads + segment.x_at + 4u * span;
            sums[t].x += dot(w[0], x_floats[at]) + dot(w[1], x_floats[at + 1u]) +
                         (dot(w[2], x_floats[at + 2u]) + dot(w[3], x_floats[at + 3u]));
        }
    }
    return sums;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let token = group.x * TOKENS;
    let part = lane.thread % LANES;
    let own = lane.thread / LANES;
    let is_thin = group.y < params.thin_groups;
    let row = select((group.y - params.thin_groups) * GROUP_ROWS, params.first_thin + group.y * GROUP_ROWS, is_thin) + own;
    let last = select(params.first_thin, params.rows, is_thin) - 1u;
    let segment = segment_of(min(row, last));
    var sums: array<vec4f, TOKENS>;
    if is_thin {
        sums = thin_sums(min(row, last), segment, part, token, batch.n_tokens);
    } else {
        sums = row_sums(row, last, segment, part, token, batch.n_tokens);
    }
    for (var t = 0u; t < TOKENS; t++) {
        let sum = lanes_sum(sums[t], lane);
        if part == 0u && row <= last && token + t < batch.n_tokens {
            store_value(token + t, params.row_at + row, own, epilogue(segment.act, sum.x, 0.0, 0.0));
        }
    }
}
