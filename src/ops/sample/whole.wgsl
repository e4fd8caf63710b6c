// Draws from the whole vocabulary (ops/sampler.c): for cuts that leave more than a short list, or none.
//
// Threads take a stretch of neighbours each to draw, so that sums run in the vocabulary's order.
// Needs: sample/token. Gives: draw_from_all.
const STRETCH = (VOCAB + WORKGROUP - 1u) / WORKGROUP;

// kept: distances below, and the first `ties` tokens that have just this one
struct Cut {
    distance: u32,
    ties: u32,
}

// the number of tokens from which on the sum of their equal weights is as large as `need`
fn ties_for(need: vec2u, weight: u32) -> u32 {
    var below = 0u;
    for (var bit = 1u << 18u; bit > 0u; bit /= 2u) {
        if wide_less(wide_product(below + bit, weight), need) { below += bit; }
    }
    return below + 1u;
}

// What reaches an amount: a number of tokens, or a share of the weight of all that `within` keeps.
fn find_cut(w: u32, largest: f32, within: Cut, weighed: bool, amount: u32, thread: u32) -> Cut {
    var need = vec2u(amount, 0u);
    var prefix = 0u;
    var enough = true;
    for (var digit = 0u; digit < 4u; digit++) {
        let shift = 24u - 8u * digit;
        clear_bins(thread);
        for (var i = thread; i < QUADS; i += WORKGROUP) {
            let four = logits[w * QUADS + i];
            for (var k = 0u; k < 4u; k++) {
                let x = distance_of(four[k], largest);
                if x >= within.distance || (x >> shift) >> 8u != prefix { continue; }
                if weighed { add_to_bin((x >> shift) & 255u, vec2u(weight_of(x), 0u)); }
                else { atomicAdd(&bins_low[(x >> shift) & 255u], 1u); }
            }
        }
        // the first cut is by number, so this is weighed
        if thread == 0u && within.ties > 0u && (within.distance >> shift) >> 8u == prefix {
            add_to_bin((within.distance >> shift) & 255u, wide_product(within.ties, weight_of(within.distance)));
        }
        workgroupBarrier();
        var own = vec2u();
        if thread < DIGITS { own = bin_sum(thread); }
        let sum = scan(own, thread);
        let total = sums[WORKGROUP - 1u];
        if weighed && digit == 0u { need = wide_share(amount, total); }
        if need.x == 0u && need.y == 0u { need.x = 1u; }
        if digit == 0u { enough = !wide_less(total, need); }
        let before = wide_minus(sum, own);
        if wide_less(before, need) && !wide_less(sum, need) {
            found = thread;
            found_left = wide_minus(need, before);
        }
        workgroupBarrier();
        prefix = (prefix << 8u) | (found & 255u);
        need = found_left;
    }
    workgroupBarrier();
    if !enough { return within; }
    if weighed { return Cut(prefix, ties_for(need, weight_of(prefix))); }
    return Cut(prefix, need.x);
}

fn draw(w: u32, largest: f32, cut: Cut, thread: u32) -> u32 {
    let at = w * VOCAB;
    let from_at = min(thread * STRETCH, VOCAB);
    let to_at = min(from_at + STRETCH, VOCAB);
    var low = 0u;
    var high = 0u;
    var ties = 0u;
    for (var i = from_at; i < to_at; i++) {
        let x = distance_of(logits[(at + i) / 4u][(at + i) % 4u], largest);
        if x < cut.distance {
            let weight = weight_of(heated(w, x));
            low += weight & ((1u << LOW_BITS) - 1u);
            high += weight >> LOW_BITS;
        } else if x == cut.distance {
            ties++;
        }
    }
    let tie_weight = weight_of(heated(w, cut.distance));
    let ties_before = scan(vec2u(ties, 0u), thread).x - ties;
    var kept = min(ties, max(cut.ties, ties_before) - ties_before);
    let own = wide_add(wide_add(vec2u(low, 0u), wide_shifted(high, LOW_BITS)), wide_product(kept, tie_weight));
    if thread == 0u { found = NONE; }
    let sum = scan(own, thread);
    let random = random_at(vec2u(wishes[w].seed_low, wishes[w].seed_high), pasts[w].drawn);
    let place = wide_share(random, sums[WORKGROUP - 1u]);
    let before = wide_minus(sum, own);
    if !wide_less(place, before) && wide_less(place, sum) {
        var left = wide_minus(place, before);
        for (var i = from_at; i < to_at; i++) {
            let x = distance_of(logits[(at + i) / 4u][(at + i) % 4u], largest);
            var weight = 0u;
            if x < cut.distance {
                weight = weight_of(heated(w, x));
            } else if x == cut.distance && kept > 0u {
                weight = tie_weight;
                kept--;
            }
            if wide_less(left, vec2u(weight, 0u)) {
                found = i;
                break;
            }
            left = wide_minus(left, vec2u(weight, 0u));
        }
    }
    workgroupBarrier();
    return found;
}

fn draw_from_all(w: u32, largest: f32, thread: u32) -> u32 {
    var cut = Cut(NONE, 0u);
    if wishes[w].top_k > 0u { cut = find_cut(w, largest, cut, false, wishes[w].top_k, thread); }
    if wishes[w].top_p != NONE { cut = find_cut(w, largest, cut, true, wishes[w].top_p, thread); }
    if wishes[w].farthest < cut.distance { cut = Cut(wishes[w].farthest + 1u, 0u); }
    return draw(w, largest, cut, thread);
}
