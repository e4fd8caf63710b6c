// y = scale W[token]: a thread for 16 columns of a token; the tokens whose row lies in this part of W.
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let span = id.x;
    let t = id.y;
    let row = batch.token[t] - params.row_at;
    if span >= params.spans || row >= params.rows { return; }
    let weights = params.scale * weight_span(row, span);
    for (var i = 0u; i < 4u; i++) {
        if span * 4u + i < params.vectors { y[t * params.vectors + span * 4u + i] = weights[i]; }
    }
}
