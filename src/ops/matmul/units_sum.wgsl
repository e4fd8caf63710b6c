// Y[t, row] = combine(act(sum of the shares + bias[row]), other[t, row]): y from what matmat_units leaves or, of the
// tiles that are shared, units_many (REST = 1).
// A thread does 4 rows of 4 tokens, a workgroup TILE rows of 4 APART tokens. grid: x = tiles of rows, y = tokens
// / (4 APART)
// Needs: segment, units_shares, epilogue; a reduce (Lane), q8_store, FLOATS (1: as floats too).
@group(0) @binding(2) var<storage, read> sums: array<vec4f>;      // [tiles and shares, TILE_TOKENS, TILE / 4 rows]
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;      // [M/4]
@group(0) @binding(4) var<storage, read> other: array<vec4f>;     // [T, M/4]
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;   // [T, M/4]

const QUADS = TILE / 4u;
const APART = WORKGROUP / QUADS;
const SHRINK = 0.0625;  // as in half_x

// what a thread's values share
struct Place {
    tokens: u32,  // of the step
    inside: bool, // its rows are of the matrix
    act: u32,
    quad: u32,    // column of y / 4
    bias: vec4f,
}

fn units_finish(place: Place, token: u32, sum: vec4f, lane: Lane) {
    let inside = token < place.tokens && place.inside;
    let at = token * params.out_cols / 4u + place.quad;
    let o = other[min(at, arrayLength(&other) - 1u)];
    let s = sum / SHRINK;
    let b = place.bias;
    let value = vec4f(epilogue(place.act, s.x, b.x, o.x), epilogue(place.act, s.y, b.y, o.y),
                      epilogue(place.act, s.z, b.z, o.z), epilogue(place.act, s.w, b.w, o.w));
    if FLOATS == 1u && inside { y[at] = value; }
    q8_store(token, params.out_cols / 4u, place.quad, value, inside, lane);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let rows = segment_tile(group.x, TILE);
    let tile = group.y * 4u * APART / TILE_TOKENS * params.tiles + group.x;
    let shares = select(units_shares(), 1u, tile < units_whole());
    if REST == 1u && shares == 1u { return; }
    // the last tile of a segment reaches back where it does so in units_many
    let row = select(rows.x, min(rows.x, rows.y - TILE), REST == 1u) + lane.thread % QUADS * 4u;
    let quad = (params.row_at + row) / 4u;
    let place = Place(units_tokens(), row >= rows.x && row < rows.y, segment_of(rows.x).act, quad,
                      bias[min(quad, arrayLength(&bias) - 1u)]);
    let token = group.y * 4u * APART + lane.thread / QUADS;
    let first = token % TILE_TOKENS * QUADS + lane.thread % QUADS;
    var a: vec4f;
    var b: vec4f;
    var c: vec4f;
    var d: vec4f;
    for (var n = 0u; n < shares; n++) { // four loads are under way at a time
        let slot = select(units_slot(tile, n), (tile - units_whole()) * shares + n, REST == 1u);
        let at = slot * TILE_TOKENS * QUADS + first;
        a += sums[at];
        b += sums[at + APART * QUADS];
        c += sums[at + 2u * APART * QUADS];
        d += sums[at + 3u * APART * QUADS];
    }
    units_finish(place, token, a, lane);
    units_finish(place, token + APART, b, lane);
    units_finish(place, token + 2u * APART, c, lane);
    units_finish(place, token + 3u * APART, d, lane);
}
