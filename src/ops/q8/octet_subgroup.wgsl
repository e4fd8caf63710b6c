// Sums and maxima over 8 neighbouring threads, which lie in one subgroup. Any threads of a subgroup may call them, but
// all 8 together. Needs: Lane, subgroups of 8 or more. Gives: octet_sum, octet_max.
fn octet_sum(value: vec2f, lane: Lane) -> vec2f {
    var sum = value + subgroupShuffleXor(value, 1u);
    sum += subgroupShuffleXor(sum, 2u);
    return sum + subgroupShuffleXor(sum, 4u);
}

fn octet_max(value: f32, lane: Lane) -> f32 {
    var top = max(value, subgroupShuffleXor(value, 1u));
    top = max(top, subgroupShuffleXor(top, 2u));
    return max(top, subgroupShuffleXor(top, 4u));
}
