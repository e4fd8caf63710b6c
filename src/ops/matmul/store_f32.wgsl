// What a matvec does with its values. Gives: store_value, store_token.
@group(0) @binding(7) var<storage, read_write> y: array<f32>;     // [T, M]

// y[token, m]; local is the row's place among the workgroup's
fn store_value(token: u32, m: u32, local: u32, value: f32) { y[token * params.out_cols + m] = value; }

fn store_token(token: u32, writes: bool, m: u32, lane: Lane) {}
