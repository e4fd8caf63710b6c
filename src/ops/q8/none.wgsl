// In the place of q8/store where the output is wanted as floats only. Gives: q8_store.
fn q8_store(row: u32, quads: u32, quad: u32, value: vec4f, writes: bool, lane: Lane) {}
