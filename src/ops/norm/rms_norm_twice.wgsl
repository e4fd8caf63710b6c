// What follows a norm with residual where the next branch begins: z is kept and normed again. Gives: rms_norm_again.
@group(0) @binding(6) var<storage, read> scale_2: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> z: array<vec4f>;

fn rms_norm_again(row: ptr<function, Row>, row_at: u32, lane: Lane) {
    let inverse_rms = rms_norm_inverse(row, lane);
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        if c < VECTORS {
            z[row_at + c] = (*row)[i];
            (*row)[i] *= inverse_rms * scale_2[c];
        }
    }
}
