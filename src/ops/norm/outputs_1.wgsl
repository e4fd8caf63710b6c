// A single output (OUTPUTS = 1). Gives: store.
@group(0) @binding(7) var<storage, read_write> y: array<vec4f>;

fn store(output: u32, at: u32, value: vec4f) {
    y[at] = value;
}
