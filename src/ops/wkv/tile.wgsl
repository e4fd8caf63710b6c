// The state S of a head, in the registers of a workgroup. A thread holds ROWS rows of S; of each, QUADS vec4s that lie
// ROW_LANES apart: so ROW_LANES neighbours hold whole rows, and read vectors from workgroup memory without bank
// conflicts. SPLIT workgroups share the rows of a head.
// Needs: HEAD (channels of a head), WORKGROUP, SPLIT, ROW_LANES (<= LANES_INSIDE), ROWS (1, 2 or a multiple of 4,
// GROUP_ROWS <= ROW_LANES); a reduce with LANES >= HEAD / 4; `state`.
// Gives: Tile, TilePlace, tile_place, tile_load, tile_save, tile_rows, tile_dot; VECTORS, QUADS, GROUP_ROWS,
// ROW_GROUPS, SPLIT_ROWS.
const VECTORS = HEAD / 4u;             // vec4s of a row
const QUADS = LANES / ROW_LANES;       // of them in a thread; those behind the row's end are zero
const GROUP_ROWS = min(ROWS, 4u);      // rows of a thread go in groups, a sum for each in a vec4
const ROW_GROUPS = ROWS / GROUP_ROWS;
const SPLIT_ROWS = HEAD / SPLIT;
alias Tile = array<vec4f, ROWS * QUADS>;

struct TilePlace {
    row: u32,     // first row of S in this thread
    end: u32,     // rows of this workgroup end before this one
    column: u32,  // first vec4 in a row
}

fn tile_place(split: u32, lane: Lane) -> TilePlace {
    let first = split * SPLIT_ROWS;
    return TilePlace(first + lane.thread / ROW_LANES * ROWS, first + SPLIT_ROWS, lane.thread % ROW_LANES);
}

// state_at: the first vec4 of S
fn tile_load(s: ptr<function, Tile>, place: TilePlace, state_at: u32) {
    for (var i = 0u; i < ROWS; i++) {
        for (var q = 0u; q < QUADS; q++) {
            let column = place.column + q * ROW_LANES;
            if place.row + i < place.end && column < VECTORS {
                (*s)[i * QUADS + q] = state[state_at + (place.row + i) * VECTORS + column];
            }
        }
    }
}

fn tile_save(s: ptr<function, Tile>, place: TilePlace, state_at: u32) {
    for (var i = 0u; i < ROWS; i++) {
        for (var q = 0u; q < QUADS; q++) {
            let column = place.column + q * ROW_LANES;
            if place.row + i < place.end && column < VECTORS {
                state[state_at + (place.row + i) * VECTORS + column] = (*s)[i * QUADS + q];
            }
        }
    }
}

// of the vec4 that has row `row`: the values of GROUP_ROWS rows from there on
fn tile_rows(values: vec4f, row: u32) -> vec4f {
    if GROUP_ROWS == 1u { return vec4f(values[row % 4u], 0.0, 0.0, 0.0); }
    if GROUP_ROWS == 2u { return vec4f(select(values.xy, values.zw, row % 4u == 2u), 0.0, 0.0); }
    return values;
}

// S v for the rows of a group, over the columns of this thread
fn tile_dot(s: ptr<function, Tile>, group: u32, v: ptr<function, array<vec4f, QUADS>>) -> vec4f {
    var sums = vec4f();
    for (var i = 0u; i < GROUP_ROWS; i++) {
        var sum = dot((*s)[(group * 4u + i) * QUADS], (*v)[0]);
        for (var q = 1u; q < QUADS; q++) { sum += dot((*s)[(group * 4u + i) * QUADS + q], (*v)[q]); }
        sums[i] = sum;
    }
    return sums;
}
