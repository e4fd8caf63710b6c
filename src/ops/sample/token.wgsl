// The next token of each sequence from its logits (definition: ops/sampler.h and .c), a workgroup a sequence. It goes
// to `made`, and into the batch of the next step, whose position it moves on.
//
// Threads take every WORKGROUP-th logit; to draw, a stretch of neighbours each, so that sums run in the vocabulary's
// order. Sums of 64 bits are made of two atomic ones: of the weights' low LOW_BITS bits and of the rest.
// Needs: VOCAB (at most 2^18), WORKGROUP (a power of two from 256 on), HISTORY, FORBIDDEN, TOKEN_AT and POSITION_AT
// (where the batch has the token and position of row 0); sample/wide.
struct Wish {
    greedy: u32,
    top_k: u32,
    top_p: u32,
    farthest: u32,
    heat: u32,
    heat_shift: u32,
    repeat: f32,
    repeat_inverse: f32,
    presence: f32,
    frequency: f32,
    window: u32,
    seed_low: u32,
    seed_high: u32,
    zero: u32,
    n_forbidden: u32,
    unused: u32,
    forbidden: array<u32, FORBIDDEN>,
}
struct Past {
    drawn: u32,
    n_tokens: u32,
    unused: vec2u,
    tokens: array<u32, HISTORY>,
}
@group(0) @binding(0) var<storage, read> wishes: array<Wish>;
@group(0) @binding(1) var<storage, read_write> pasts: array<Past>;
@group(0) @binding(2) var<storage, read_write> batch: array<u32>;
@group(0) @binding(3) var<storage, read_write> logits: array<f32>;  // [S, VOCAB]
@group(0) @binding(4) var<storage, read_write> made: array<u32>;    // [S]

const NONE = 0xffffffffu;  // no token; out of reach
const DIGITS = 256u;
const LOW_BITS = 13u;
const STRETCH = (VOCAB + WORKGROUP - 1u) / WORKGROUP;

// kept: distances below, and the first `ties` tokens that have just this one
struct Cut {
    distance: u32,
    ties: u32,
}

var<workgroup> sums: array<vec2u, WORKGROUP>;
var<workgroup> bins_low: array<atomic<u32>, DIGITS>;
var<workgroup> bins_high: array<atomic<u32>, DIGITS>;
var<workgroup> found: u32;
var<workgroup> found_left: vec2u;

// keeps two roundings apart: the compiler cannot know that nothing happens here
fn settled(x: f32, w: u32) -> f32 { return bitcast<f32>(bitcast<u32>(x) ^ wishes[w].zero); }

// logits in order as integers; 0 for what cannot be chosen. Infinity is the largest float, -0 is 0.
fn key_of(logit: f32) -> u32 {
    var bits = bitcast<u32>(logit);
    if (bits & 0x7fffffffu) > 0x7f800000u || bits == 0xff800000u { return 0u; }
    if bits == 0x80000000u { bits = 0u; }
    bits = min(bits, select(0x7f7fffffu, NONE, bits > 0x7fffffffu));
    return select(bits | 0x80000000u, ~bits, bits > 0x7fffffffu);
}

fn float_of(key: u32) -> f32 { return bitcast<f32>(select(~key, key & 0x7fffffffu, key > 0x7fffffffu)); }

// exp(-x) in units of 2^-26, x in units of 2^-26
fn weight_of(x: u32) -> u32 {
    let power = wide_product(x, 3098164009u).y;
    let whole = power >> 25u;
    if whole > 26u { return 0u; }
    let part = power << 7u;
    var sum = wide_product(part, 437u).y;
    sum = wide_product(part, 5676u - sum).y;
    sum = wide_product(part, 65510u - sum).y;
    sum = wide_product(part, 661577u - sum).y;
    sum = wide_product(part, 5726720u - sum).y;
    sum = wide_product(part, 41309550u - sum).y;
    sum = wide_product(part, 238388332u - sum).y;
    sum = wide_product(part, 1031764991u - sum).y;
    sum = wide_product(part, 2977044472u - sum).y;
    let shift = 5u + whole;
    return (0x80000000u - (sum >> 1u) + (1u << (shift - 1u))) >> shift;
}

fn distance_of(logit: f32, largest: f32) -> u32 {
    let key = key_of(logit);
    if key == 0u { return NONE; }
    let d = largest - float_of(key);
    return select(NONE, u32(min(d, 63.999996) * 67108864.0), d < 64.0);
}

fn heated(w: u32, distance: u32) -> u32 {
    let x = wide_product(distance, wishes[w].heat);
    let shift = wishes[w].heat_shift;
    if shift >= 32u { return x.y >> (shift - 32u); }
    if x.y >> shift != 0u { return NONE; }
    if shift == 0u { return x.x; }
    return (x.x >> shift) | (x.y << (32u - shift));
}

// the sum of the values of this thread and those before it; sums[WORKGROUP - 1] is the sum of all
fn scan(value: vec2u, thread: u32) -> vec2u {
    var sum = value;
    workgroupBarrier();
    sums[thread] = sum;
    workgroupBarrier();
    for (var step = 1u; step < WORKGROUP; step *= 2u) {
        var before = vec2u();
        if thread >= step { before = sums[thread - step]; }
        workgroupBarrier();
        sum = wide_add(sum, before);
        sums[thread] = sum;
        workgroupBarrier();
    }
    return sum;
}

fn penalise(w: u32, thread: u32) {
    let at = w * VOCAB;
    for (var i = thread; i < wishes[w].n_forbidden; i += WORKGROUP) {
        logits[at + wishes[w].forbidden[i]] = settled(bitcast<f32>(0xff800000u ^ wishes[w].zero), w);
    }
    storageBarrier();
    let n = min(pasts[w].n_tokens, wishes[w].window);
    for (var i = thread; i < n; i += WORKGROUP) {
        let token = pasts[w].tokens[i];
        var times = 0u;
        var first = n;
        for (var k = 0u; k < n; k++) {
            if pasts[w].tokens[k] != token { continue; }
            times++;
            first = min(first, k);
        }
        let key = key_of(logits[at + token]);
        if first != i || key == 0u { continue; }
        let logit = float_of(key);
        let scaled = settled(logit * select(wishes[w].repeat, wishes[w].repeat_inverse, logit > 0.0), w);
        let often = settled(wishes[w].frequency * f32(times), w);
        let minus = settled(often + wishes[w].presence, w);
        logits[at + token] = scaled - minus;
    }
    storageBarrier();
    workgroupBarrier();
}

// (key, token) of the first of the largest logits
fn find_largest(w: u32, thread: u32) -> vec2u {
    var best = vec2u(0u, NONE);
    for (var i = thread; i < VOCAB; i += WORKGROUP) {
        let key = key_of(logits[w * VOCAB + i]);
        if key > best.x { best = vec2u(key, i); }
    }
    sums[thread] = best;
    workgroupBarrier();
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        if thread < half {
            let other = sums[thread + half];
            if other.x > best.x || (other.x == best.x && other.y < best.y) { best = other; }
            sums[thread] = best;
        }
        workgroupBarrier();
    }
    return sums[0];
}

fn add_to_bin(bin: u32, value: vec2u) {
    atomicAdd(&bins_low[bin], value.x & ((1u << LOW_BITS) - 1u));
    let high = (value.x >> LOW_BITS) | (value.y << (32u - LOW_BITS));
    if high > 0u { atomicAdd(&bins_high[bin], high); }
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
        if thread < DIGITS {
            atomicStore(&bins_low[thread], 0u);
            atomicStore(&bins_high[thread], 0u);
        }
        workgroupBarrier();
        for (var i = thread; i < VOCAB; i += WORKGROUP) {
            let x = distance_of(logits[w * VOCAB + i], largest);
            if x >= within.distance || (x >> shift) >> 8u != prefix { continue; }
            if weighed { add_to_bin((x >> shift) & 255u, vec2u(weight_of(x), 0u)); }
            else { atomicAdd(&bins_low[(x >> shift) & 255u], 1u); }
        }
        // the first cut is by number, so this is weighed
        if thread == 0u && within.ties > 0u && (within.distance >> shift) >> 8u == prefix {
            add_to_bin((within.distance >> shift) & 255u, wide_product(within.ties, weight_of(within.distance)));
        }
        workgroupBarrier();
        var own = vec2u();
        if thread < DIGITS {
            own = wide_add(vec2u(atomicLoad(&bins_low[thread]), 0u),
                           wide_shifted(atomicLoad(&bins_high[thread]), LOW_BITS));
        }
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
        let x = distance_of(logits[at + i], largest);
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
            let x = distance_of(logits[at + i], largest);
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

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let w = group.x;
    if wishes[w].n_forbidden > 0u || wishes[w].window > 0u { penalise(w, thread); }
    let best = find_largest(w, thread);
    var token = best.y;
    if wishes[w].greedy == 0u {
        let largest = float_of(best.x);
        var cut = Cut(NONE, 0u);
        if wishes[w].top_k > 0u { cut = find_cut(w, largest, cut, false, wishes[w].top_k, thread); }
        if wishes[w].top_p != NONE { cut = find_cut(w, largest, cut, true, wishes[w].top_p, thread); }
        if wishes[w].farthest < cut.distance { cut = Cut(wishes[w].farthest + 1u, 0u); }
        token = draw(w, largest, cut, thread);
    }
    if thread > 0u { return; }
    made[w] = token;
    batch[TOKEN_AT + w] = select(token, 0u, token == NONE);
    batch[POSITION_AT + w] += 1u;
    pasts[w].drawn += 1u;
    if wishes[w].window == 0u { return; }
    var n = pasts[w].n_tokens;
    pasts[w].tokens[n % wishes[w].window] = token;
    n++;
    // stays small and in its place
    if n == 2u * wishes[w].window { n = wishes[w].window; }
    pasts[w].n_tokens = n;
}
