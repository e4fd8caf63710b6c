// Up to 6 outputs, one buffer each. Needs: OUTPUTS (how many). Gives: store.
@group(0) @binding(7) var<storage, read_write> y_0: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> y_1: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> y_2: array<vec4f>;
@group(0) @binding(10) var<storage, read_write> y_3: array<vec4f>;
@group(0) @binding(11) var<storage, read_write> y_4: array<vec4f>;
@group(0) @binding(12) var<storage, read_write> y_5: array<vec4f>;

fn store(output: u32, at: u32, value: vec4f) {
    switch output {
        case 0u: { y_0[at] = value; }
        case 1u: { y_1[at] = value; }
        case 2u: { y_2[at] = value; }
        case 3u: { y_3[at] = value; }
        case 4u: { y_4[at] = value; }
        default: { y_5[at] = value; }
    }
}
