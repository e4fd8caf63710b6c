// What a matvec does with its values where the next product takes them in int8 form (quant/q8_row.h): the rows of the
// workgroup are whole blocks. Needs: GROUP_ROWS (a multiple of 32, rows of a workgroup), FLOATS (1: as floats too),
// q8_store. Gives: store_value, store_token.
@group(0) @binding(7) var<storage, read_write> y: array<f32>;     // [T, M]

var<workgroup> store_rows: array<f32, GROUP_ROWS>;

// y[token, m]; local is the row's place among the workgroup's
fn store_value(token: u32, m: u32, local: u32, value: f32) {
    store_rows[local] = value;
    if FLOATS == 1u { y[token * params.out_cols + m] = value; }
}

// the token's values, which start at column m, are all there; every thread calls it
fn store_token(token: u32, writes: bool, m: u32, lane: Lane) {
    workgroupBarrier();
    let at = min(4u * lane.thread, GROUP_ROWS - 4u);
    let value = vec4f(store_rows[at], store_rows[at + 1u], store_rows[at + 2u], store_rows[at + 3u]);
    let inside = 4u * lane.thread < GROUP_ROWS && m + at < params.row_at + params.rows;
    q8_store(token, params.out_cols / 4u, (m + at) / 4u, value, writes && inside, lane);
    workgroupBarrier();
}
