// Y[t, row] = combine(act(sum of the shares + bias[row]), other[t, row]): y from what matmat_units leaves.
// A workgroup does 128 rows x 32 tokens, a thread 4 rows of each 8th token. grid: x = tiles of rows, y = tokens / 32
// Needs: segment, units_shares, epilogue; a reduce (Lane), q8_store, FLOATS (1: as floats too).
@group(0) @binding(2) var<storage, read> sums: array<vec4f>;      // [tiles and shares, 128 tokens, 128 / 4 rows]
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;      // [M/4]
@group(0) @binding(4) var<storage, read> other: array<vec4f>;     // [T, M/4]
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;   // [T, M/4]

const QUADS = TILE / 4u;
const SHRINK = 0.0625;  // as in half_x

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let tokens = units_tokens();
    let rows = segment_tile(group.x, TILE);
    let row = rows.x + lane.thread % QUADS * 4u;
    let act = segment_of(rows.x).act;
    let quad = (params.row_at + row) / 4u;
    let b = bias[min(quad, arrayLength(&bias) - 1u)];
    let tile = group.y * 32u / TILE * params.tiles + group.x;
    let shares = select(units_shares(), 1u, tile < units_whole());
    for (var i = 0u; i < 4u; i++) {
        let token = group.y * 32u + i * 8u + lane.thread / QUADS;
        let inside = token < tokens && row < rows.y;
        let place = token % TILE * QUADS + lane.thread % QUADS;
        var sum = vec4f();
        for (var n = 0u; n < shares; n++) { sum += sums[units_slot(tile, n) * TILE * QUADS + place]; }
        sum /= SHRINK;
        let at = token * params.out_cols / 4u + quad;
        let o = other[min(at, arrayLength(&other) - 1u)];
        let value = vec4f(epilogue(act, sum.x, b.x, o.x), epilogue(act, sum.y, b.y, o.y),
                          epilogue(act, sum.z, b.z, o.z), epilogue(act, sum.w, b.w, o.w));
        if FLOATS == 1u && inside { y[at] = value; }
        q8_store(token, params.out_cols / 4u, quad, value, inside, lane);
    }
}
