// In the place of rms_norm_twice where the first norm is the result. Gives: rms_norm_again.
fn rms_norm_again(row: ptr<function, Row>, row_at: u32, lane: Lane) {}
