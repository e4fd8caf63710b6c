// The next token of each sequence from its logits (definition: ops/sampler.h and .c), a workgroup a sequence. It goes
// to `made`, and into the batch of the next step, whose position it moves on.
//
// Sums of 64 bits are made of two atomic ones: of the weights' low LOW_BITS bits and of the rest.
// Needs: VOCAB (a multiple of 4, at most 2^18), WORKGROUP (a power of two from 256 on), HISTORY, FORBIDDEN, TOKEN_AT
// and POSITION_AT (where the batch has the token and position of row 0); sample/wide, sample/list, sample/whole.
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
@group(0) @binding(3) var<storage, read_write> logits: array<vec4f>;  // [S, VOCAB / 4]
@group(0) @binding(4) var<storage, read_write> made: array<u32>;    // [S]

const NONE = 0xffffffffu;  // no token; out of reach
const DIGITS = 256u;
const LOW_BITS = 13u;
const QUADS = VOCAB / 4u;
const AT_ONCE = 8u;  // loads

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
        let token = at + wishes[w].forbidden[i];
        logits[token / 4u][token % 4u] = settled(bitcast<f32>(0xff800000u ^ wishes[w].zero), w);
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
        let place = at + token;
        let key = key_of(logits[place / 4u][place % 4u]);
        if first != i || key == 0u { continue; }
        let logit = float_of(key);
        let scaled = settled(logit * select(wishes[w].repeat, wishes[w].repeat_inverse, logit > 0.0), w);
        let often = settled(wishes[w].frequency * f32(times), w);
        let minus = settled(often + wishes[w].presence, w);
        logits[place / 4u][place % 4u] = scaled - minus;
    }
    storageBarrier();
    workgroupBarrier();
}

// key_of's order in fewer steps, where the largest is neither a NaN nor infinite nor 0
fn order_of(four: vec4f) -> i32 {
    let bits = bitcast<vec4i>(four);
    let order = bits ^ ((bits >> vec4u(31u)) & vec4i(0x7fffffff));
    return max(max(order.x, order.y), max(order.z, order.w));
}

fn is_plain(order: i32) -> bool { return order < 0x7f800000 && order > -0x7f800001 && order != 0 && order != -1; }

// (key, token) of the first of four logits that is larger than `best`
fn largest_of(four: vec4f, at: u32, best: vec2u) -> vec2u {
    var larger = best;
    for (var k = 0u; k < 4u; k++) {
        let key = key_of(four[k]);
        if key > larger.x { larger = vec2u(key, 4u * at + k); }
    }
    return larger;
}

// (key, token) of the first of the largest logits. Loads come many at a time; behind the end is the last one again.
fn find_largest(w: u32, thread: u32) -> vec2u {
    var top = -0x7fffffff;
    var top_at = 0u;
    for (var from_at = thread; from_at < QUADS; from_at += AT_ONCE * WORKGROUP) {
        var quads: array<vec4f, AT_ONCE>;
        for (var i = 0u; i < AT_ONCE; i++) { quads[i] = logits[w * QUADS + min(from_at + i * WORKGROUP, QUADS - 1u)]; }
        for (var i = 0u; i < AT_ONCE; i++) {
            let order = order_of(quads[i]);
            if order > top {
                top = order;
                top_at = min(from_at + i * WORKGROUP, QUADS - 1u);
            }
        }
    }
    var best = vec2u(0u, NONE);
    if is_plain(top) {
        best = largest_of(logits[w * QUADS + top_at], top_at, best);
    } else {
        for (var i = thread; i < QUADS; i += WORKGROUP) { best = largest_of(logits[w * QUADS + i], i, best); }
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

fn bin_sum(bin: u32) -> vec2u {
    return wide_add(vec2u(atomicLoad(&bins_low[bin]), 0u), wide_shifted(atomicLoad(&bins_high[bin]), LOW_BITS));
}

fn clear_bins(thread: u32) {
    if thread < DIGITS {
        atomicStore(&bins_low[thread], 0u);
        atomicStore(&bins_high[thread], 0u);
    }
    workgroupBarrier();
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let w = group.x;
    if wishes[w].n_forbidden > 0u || wishes[w].window > 0u { penalise(w, thread); }
    let best = find_largest(w, thread);
    var token = best.y;
    if wishes[w].greedy == 0u {
        let largest = float_of(best.x);
        let n = list_candidates(w, largest, thread);
        if n <= WORKGROUP { token = draw_from_list(w, n, thread); }
        else { token = draw_from_all(w, largest, thread); }
    }
    if thread > 0u { return; }
    made[w] = token;
    batch[TOKEN_AT + w] = select(token, 0u, token == NONE);
    batch[POSITION_AT + w] += 1u;
    pasts[w].drawn += 1u;
    if wishes[w].window == 0u { return; }
    pasts[w].tokens[pasts[w].n_tokens % wishes[w].window] = token;
    pasts[w].n_tokens++;
}
