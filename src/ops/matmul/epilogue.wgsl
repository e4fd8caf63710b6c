// What a matrix product does with a sum before it is stored. Needs: activate. Gives: epilogue.
fn epilogue(act: u32, sum: f32, bias: f32, other: f32) -> f32 {
    var value = sum;
    if params.has_bias == 1u { value += bias; }
    value = activate(act, value);
    if params.combine == 1u { value += other; }
    if params.combine == 2u { value *= other; }
    return value;
}
