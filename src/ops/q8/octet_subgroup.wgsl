// Maxima over 8 neighbouring threads, which lie in one subgroup, and sums over the first and the last 4 of them. Any
// threads of a subgroup may call them, but all 8 together. Needs: Lane, subgroups of 8 or more. Gives: octet_sums,
// octet_max.
fn octet_sums(value: i32, lane: Lane) -> vec2i {
    var sum = value + subgroupShuffleXor(value, 1u);
    sum += subgroupShuffleXor(sum, 2u);
    let other = subgroupShuffleXor(sum, 4u);
    return select(vec2i(sum, other), vec2i(other, sum), (lane.thread & 4u) != 0u);
}

fn octet_max(value: f32, lane: Lane) -> f32 {
    var top = max(value, subgroupShuffleXor(value, 1u));
    top = max(top, subgroupShuffleXor(top, 2u));
    return max(top, subgroupShuffleXor(top, 4u));
}
