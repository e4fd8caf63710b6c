// In the place of shifted_thin where there are no thin rows. Gives: thin_group.
fn thin_group(group: u32, lane: Lane) {}
