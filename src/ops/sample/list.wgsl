// Draws from a short list (ops/sampler.c), which is the usual case: where top-k or top-p leaves few tokens, one
// histogram of the distances' first bytes tells how far away they are at most, and all that are as near fit the workgroup. Then a
// thread owns one of them and looks at all others: what lies before it in an order decides whether it is kept.
// Needs: sample/token. Gives: list_candidates, draw_from_list.
var<workgroup> list: array<vec2u, WORKGROUP>;  // distance, token; in no order
var<workgroup> list_weights: array<u32, WORKGROUP>;
var<workgroup> bins_count: array<atomic<u32>, DIGITS>;
var<workgroup> n_listed: atomic<u32>;
var<workgroup> n_candidates: u32;
var<workgroup> share_of_all: vec2u;  // weight that top-p needs, where there is no top-k

// the last first byte of a distance that can be needed, in `found`
fn find_reach(w: u32, largest: f32, thread: u32) {
    let by_weight = wishes[w].top_k == 0u;
    if thread < DIGITS { atomicStore(&bins_count[thread], 0u); }
    if thread == 0u { atomicStore(&n_listed, 0u); }
    clear_bins(thread);
    for (var i = thread; i < QUADS; i += WORKGROUP) {
        let four = logits[w * QUADS + i];
        for (var k = 0u; k < 4u; k++) {
            let x = distance_of(four[k], largest);
            if x == NONE { continue; }
            atomicAdd(&bins_count[x >> 24u], 1u);
            if by_weight { add_to_bin(x >> 24u, vec2u(weight_of(x), 0u)); }
        }
    }
    if thread == 0u { found = DIGITS - 1u; }
    workgroupBarrier();
    var own = vec2u();
    if thread < DIGITS {
        if by_weight { own = bin_sum(thread); } else { own.x = atomicLoad(&bins_count[thread]); }
    }
    let sum = scan(own, thread);
    var need = vec2u(wishes[w].top_k, 0u);
    if by_weight { need = wide_share(wishes[w].top_p, sums[WORKGROUP - 1u]); }
    if need.x == 0u && need.y == 0u { need.x = 1u; }
    if thread == 0u { share_of_all = need; }
    let cuts = !by_weight || wishes[w].top_p != NONE;
    if cuts && wide_less(wide_minus(sum, own), need) && !wide_less(sum, need) { found = thread; }
    workgroupBarrier();
}

// Makes the list of all that can be needed, and returns their number; there is no list if that is above WORKGROUP.
fn list_candidates(w: u32, largest: f32, thread: u32) -> u32 {
    find_reach(w, largest, thread);
    let reach = min(found, wishes[w].farthest >> 24u);
    if thread <= reach { atomicAdd(&n_listed, atomicLoad(&bins_count[thread])); }
    workgroupBarrier();
    if thread == 0u {
        n_candidates = atomicLoad(&n_listed);
        atomicStore(&n_listed, 0u);
    }
    let n = workgroupUniformLoad(&n_candidates);
    if n <= WORKGROUP {
        for (var i = thread; i < QUADS; i += WORKGROUP) {
            let four = logits[w * QUADS + i];
            for (var k = 0u; k < 4u; k++) {
                let x = distance_of(four[k], largest);
                if x != NONE && x >> 24u <= reach { list[atomicAdd(&n_listed, 1u)] = vec2u(x, 4u * i + k); }
            }
        }
    }
    workgroupBarrier();
    return n;
}

fn draw_from_list(w: u32, n: u32, thread: u32) -> u32 {
    let own = list[min(thread, WORKGROUP - 1u)];
    let weight = select(0u, weight_of(own.x), thread < n);
    list_weights[thread] = weight;
    clear_bins(thread);

    // how many are before this one in order, and their weight
    let n_others = select(0u, n, thread < n);
    var rank = 0u;
    var low = 0u;
    var high = 0u;
    for (var i = 0u; i < n_others; i++) {
        let other = list[i];
        if other.x > own.x || (other.x == own.x && other.y >= own.y) { continue; }
        rank++;
        low += list_weights[i] & ((1u << LOW_BITS) - 1u);
        high += list_weights[i] >> LOW_BITS;
    }
    let before = wide_add(vec2u(low, 0u), wide_shifted(high, LOW_BITS));
    let by_number = wishes[w].top_k > 0u;
    var kept = thread < n && own.x <= wishes[w].farthest && (!by_number || rank < wishes[w].top_k);
    if thread < n && (!by_number || rank < wishes[w].top_k) { add_to_bin(0u, vec2u(weight, 0u)); }
    workgroupBarrier();
    if wishes[w].top_p != NONE {
        var need = share_of_all;
        if by_number { need = wide_share(wishes[w].top_p, bin_sum(0u)); }
        kept = kept && (wide_less(before, need) || rank == 0u);
    }

    let hot = select(0u, weight_of(heated(w, own.x)), kept);
    list_weights[thread] = hot;
    if kept { add_to_bin(1u, vec2u(hot, 0u)); }
    if thread == 0u { found = NONE; }
    workgroupBarrier();
    low = 0u;
    high = 0u;
    for (var i = 0u; i < n_others; i++) {
        if list[i].y >= own.y { continue; }
        low += list_weights[i] & ((1u << LOW_BITS) - 1u);
        high += list_weights[i] >> LOW_BITS;
    }
    let from_at = wide_add(vec2u(low, 0u), wide_shifted(high, LOW_BITS));
    let random = random_at(vec2u(wishes[w].seed_low, wishes[w].seed_high), pasts[w].drawn);
    let place = wide_share(random, bin_sum(1u));
    if kept && !wide_less(place, from_at) && wide_less(wide_minus(place, from_at), vec2u(hot, 0u)) { found = own.y; }
    workgroupBarrier();
    return found;
}
