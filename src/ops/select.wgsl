// y = x[rows whose logits are wanted]: a thread for 4 columns of a row.
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= params.vectors { return; }
    y[id.y * params.vectors + id.x] = x[batch.output[id.y] * params.vectors + id.x];
}
