// The parallel half of wkv7 over chunks of tokens (algebra: wkv7_chunked.c): what a chunk does to any state S.
//
// A workgroup has one head in CHUNK rows of the step; parts of several sequences may lie in them, and rows of different
// parts do not meet. Half of the threads have a key channel each, the others a value channel each. First every thread
// loads its channel and goes through the tokens, then tiles of 4 x 4 make the four triangles of CHUNK x CHUNK, then
// every thread solves for its channel.
// grid: x = heads, y = tokens / CHUNK
// Needs: HEAD (a multiple of 8), WORKGROUP >= 2 HEAD, CHUNK (a multiple of 4), SLICES (threads that share a tile,
// SLICES CHUNK^2 / 4 <= WORKGROUP), V_FIRST; wkv/chunk, a reduce (Lane).
@group(0) @binding(2) var<storage, read> rkv: array<f32>;           // [T, 3 C + ..]
@group(0) @binding(3) var<storage, read> wagv: array<f32>;          // [T, (3 + V_FIRST) C]
@group(0) @binding(4) var<storage, read> first_rkv: array<f32>;     // [T, 3 C + ..]
@group(0) @binding(5) var<storage, read> vectors: array<f32>;       // [5, C]: k_k, k_a, r_k, ..
@group(0) @binding(6) var<storage, read_write> chunks: array<vec4f>;  // see wkv/chunk

const LINE = HEAD + 1u;       // a block of all channels, against bank conflicts
const SIDE = LINE * BLOCKS;
const TILES = 4u * BLOCKS * BLOCKS;
const HALF = WORKGROUP / 2u;
alias Column = array<vec4f, BLOCKS>;  // a channel's values of the chunk

// kk and r times the decay up to them, k and kk_a divided by it; then tiles, in the place of the last two
const LEFT = 0u;
const RIGHT = 2u * SIDE;
var<workgroup> memory: array<vec4f, RIGHT + max(2u * SIDE, SLICES * TILES * 4u)>;
var<workgroup> starts: array<u32, CHUNK + 1u>;  // first row of the part that a row belongs to
var<workgroup> lengths: array<vec4f, BLOCKS>;   // 1 / |k k_k|

fn find_starts(at: u32, lane: Lane) {
    if lane.thread > CHUNK { return; }
    let row = at + lane.thread;
    var start = lane.thread;
    if lane.thread < CHUNK && row < batch.n_tokens { start = max(batch.first[batch.seq[row]], at) - at; }
    starts[lane.thread] = start;
}

fn rows_of(at: u32, b: u32) -> vec4u {
    return min(vec4u(at + b * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(batch.n_tokens - 1u));
}

fn rkv_column(at: u32, c: u32) -> Column {
    var column: Column;
    for (var b = 0u; b < BLOCKS; b++) {
        let i = rows_of(at, b) * (params.rkv_vectors * 4u) + c;
        column[b] = vec4f(rkv[i.x], rkv[i.y], rkv[i.z], rkv[i.w]);
    }
    return column;
}

fn first_column(at: u32, c: u32) -> Column {
    var column: Column;
    for (var b = 0u; b < BLOCKS; b++) {
        let i = rows_of(at, b) * (params.first_vectors * 4u) + c;
        column[b] = vec4f(first_rkv[i.x], first_rkv[i.y], first_rkv[i.z], first_rkv[i.w]);
    }
    return column;
}

fn wagv_column(at: u32, c: u32) -> Column {
    var column: Column;
    for (var b = 0u; b < BLOCKS; b++) {
        let i = rows_of(at, b) * ((3u + V_FIRST) * params.vectors * 4u) + c;
        column[b] = vec4f(wagv[i.x], wagv[i.y], wagv[i.z], wagv[i.w]);
    }
    return column;
}

// Sums over the channels: the squares of k k_k lie in the first side of `memory`, r k' r_k in the second.
fn find_sums(region: u32, lane: Lane) {
    let b = lane.thread % (2u * BLOCKS);
    let part = lane.thread / (2u * BLOCKS);
    if part < 8u {
        var sum = vec4f();
        for (var j = 0u; j < HEAD / 8u; j++) { sum += memory[b * LINE + j * 8u + part]; }
        memory[2u * SIDE + b * 8u + part] = sum;
    }
    workgroupBarrier();
    if part == 0u {
        var sum = vec4f();
        for (var i = 0u; i < 8u; i++) { sum += memory[2u * SIDE + b * 8u + i]; }
        if b < BLOCKS {
            lengths[b] = 1.0 / max(sqrt(sum), vec4f(1e-12));
        } else {
            chunks[region + BONUS + b - BLOCKS] = sum;
        }
    }
    workgroupBarrier();
}

fn column_store(region: u32, block: u32, channel: u32, column: Column) {
    for (var b = 0u; b < BLOCKS; b++) { chunks[region + block + b * HEAD + channel] = column[b]; }
}

// the decay before and after a token, from the one before
fn decay_step(before: f32, t: u32, d: f32) -> vec2f {
    let start = select(before, 1.0, starts[t] == t);
    return vec2f(start, start * d);
}

// a key channel: fills `memory`, and stores what the end of its part sees of a token
fn key_column(region: u32, j: u32, r: Column, k: Column, w: Column, a: Column, k_k: f32, k_a: f32) {
    var keys: Column;
    var removals: Column;
    var decays: Column;
    var decay = 1.0;
    for (var b = 0u; b < BLOCKS; b++) {
        let d = exp(-0.60653065971 / (1.0 + exp(-w[b])));
        let first = decay_step(decay, b * 4u, d.x);
        let second = decay_step(first.y, b * 4u + 1u, d.y);
        let third = decay_step(second.y, b * 4u + 2u, d.z);
        let fourth = decay_step(third.y, b * 4u + 3u, d.w);
        decay = fourth.y;
        decays[b] = vec4f(first.y, second.y, third.y, fourth.y);
        let unit = k[b] * k_k * lengths[b];
        let inverse = 1.0 / decays[b];
        keys[b] = k[b] * (1.0 + (a[b] - 1.0) * k_a) * inverse;
        removals[b] = unit * a[b] * inverse;
        memory[LEFT + b * LINE + j] = unit * vec4f(first.x, second.x, third.x, fourth.x);
        memory[LEFT + SIDE + b * LINE + j] = r[b] * decays[b];
        memory[RIGHT + b * LINE + j] = keys[b];
        memory[RIGHT + SIDE + b * LINE + j] = removals[b];
    }
    // the decay at the end of each token's part, backwards
    var end = decay;
    for (var back = 0u; back < BLOCKS; back++) {
        let b = BLOCKS - 1u - back;
        let t = b * 4u;
        let own = decays[b];
        var ends = vec4f();
        ends.w = select(end, own.w, starts[t + 4u] == t + 4u);
        ends.z = select(ends.w, own.z, starts[t + 3u] == t + 3u);
        ends.y = select(ends.z, own.y, starts[t + 2u] == t + 2u);
        ends.x = select(ends.y, own.x, starts[t + 1u] == t + 1u);
        end = ends.x;
        decays[b] = ends;
        keys[b] *= ends;
        removals[b] *= ends;
    }
    column_store(region, KEY, j, keys);
    column_store(region, REMOVAL, j, removals);
    for (var b = 0u; b < BLOCKS; b++) {
        let t = vec4u(b * 4u) + vec4u(0u, 1u, 2u, 3u);
        if any(vec4u(starts[t.x], starts[t.y], starts[t.z], starts[t.w]) == t) {
            chunks[region + DECAY + b * HEAD + j] = decays[b];
        }
    }
}

// SLICES threads have a tile: 4 tokens t of kk or r, 4 tokens s of k or kk_a; the sum over some of the channels
fn tile_sum(tile: u32, slice: u32) -> mat4x4f {
    let left = LEFT + tile / (2u * BLOCKS * BLOCKS) * SIDE + tile / BLOCKS % BLOCKS * LINE + slice * (HEAD / SLICES);
    let right = RIGHT + tile / (BLOCKS * BLOCKS) % 2u * SIDE + tile % BLOCKS * LINE + slice * (HEAD / SLICES);
    var x = vec4f();
    var y = vec4f();
    var z = vec4f();
    var w = vec4f();
    for (var i = 0u; i < HEAD / SLICES; i++) {
        let t = memory[left + i];
        let s = memory[right + i];
        x += t * s.x;
        y += t * s.y;
        z += t * s.z;
        w += t * s.w;
    }
    return mat4x4f(x, y, z, w);
}

// of entry `at` of all tiles, four tokens t of one s: what may meet
fn tile_mask(at: u32) -> vec4<bool> {
    let tile = at / 4u;
    let t = vec4u(tile / BLOCKS % BLOCKS * 4u) + vec4u(0u, 1u, 2u, 3u);
    let s = vec4u(tile % BLOCKS * 4u + at % 4u);
    let start = vec4u(starts[t.x], starts[t.y], starts[t.z], starts[t.w]);
    return (s < t + vec4u(tile / (2u * BLOCKS * BLOCKS))) & (s >= start);
}

// m: 0 kk, 1 r; n: 0 k, 1 kk_a
fn triangle(m: u32, n: u32, t: u32, s: u32) -> mat4x4f {
    let at = RIGHT + (((m * 2u + n) * BLOCKS + t) * BLOCKS + s) * 4u;
    return mat4x4f(memory[at], memory[at + 1u], memory[at + 2u], memory[at + 3u]);
}

// x of (1 + the triangle of kk and kk_a) x = y
fn solve(y: Column) -> Column {
    var x: Column;
    for (var t = 0u; t < BLOCKS; t++) {
        var sum = y[t];
        for (var s = 0u; s < BLOCKS; s++) {
            if s < t { sum -= triangle(0u, 1u, t, s) * x[s]; }
        }
        let own = triangle(0u, 1u, t, t);
        sum.y -= own[0].y * sum.x;
        sum.z -= own[0].z * sum.x + own[1].z * sum.y;
        sum.w -= own[0].w * sum.x + own[1].w * sum.y + own[2].w * sum.z;
        x[t] = sum;
    }
    return x;
}

fn triangle_times(m: u32, n: u32, x: Column) -> Column {
    var y: Column;
    for (var t = 0u; t < BLOCKS; t++) {
        var sum = vec4f();
        for (var s = 0u; s < BLOCKS; s++) {
            if s <= t { sum += triangle(m, n, t, s) * x[s]; }
        }
        y[t] = sum;
    }
    return y;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let at = group.y * CHUNK;
    let region = chunk_region(at, group.x);
    let C = params.vectors * 4u;
    let channel = lane.thread % HALF;
    let c = group.x * HEAD + channel;
    let has_key = channel < HEAD && lane.thread < HALF;
    let has_value = channel < HEAD && lane.thread >= HALF;
    var r: Column;
    var k: Column;
    var w: Column;
    var a: Column;
    var v: Column;
    var k_k = 0.0;
    var k_a = 0.0;
    var r_k = 0.0;
    if has_key {
        k = rkv_column(at, C + c);
        w = wagv_column(at, c);
        a = wagv_column(at, C + c);
        r = rkv_column(at, c);
        k_k = vectors[c];
        k_a = vectors[C + c];
        r_k = vectors[2u * C + c];
    }
    if has_value {
        v = rkv_column(at, 2u * C + c);
        if V_FIRST == 1u {
            let first = first_column(at, 2u * C + c);
            let mix = wagv_column(at, 3u * C + c);
            for (var b = 0u; b < BLOCKS; b++) { v[b] += (first[b] - v[b]) * mix[b]; }
        }
    }
    find_starts(at, lane);
    if has_key {
        for (var b = 0u; b < BLOCKS; b++) {
            let direction = k[b] * k_k;
            memory[b * LINE + channel] = direction * direction;
            memory[SIDE + b * LINE + channel] = r[b] * k[b] * (1.0 + (a[b] - 1.0) * k_a) * r_k;
        }
    }
    workgroupBarrier();
    find_sums(region, lane);
    if has_key { key_column(region, channel, r, k, w, a, k_k, k_a); }
    if has_value { column_store(region, VALUE, channel, v); }
    workgroupBarrier();
    var sums: mat4x4f;
    if lane.thread < TILES * SLICES { sums = tile_sum(lane.thread % TILES, lane.thread / TILES); }
    workgroupBarrier();
    if lane.thread < TILES * SLICES {
        memory[RIGHT + lane.thread * 4u] = sums[0];
        memory[RIGHT + lane.thread * 4u + 1u] = sums[1];
        memory[RIGHT + lane.thread * 4u + 2u] = sums[2];
        memory[RIGHT + lane.thread * 4u + 3u] = sums[3];
    }
    workgroupBarrier();
    for (var e = lane.thread; e < TILES * 4u; e += WORKGROUP) {
        var sum = memory[RIGHT + e];
        for (var slice = 1u; slice < SLICES; slice++) { sum += memory[RIGHT + slice * TILES * 4u + e]; }
        memory[RIGHT + e] = select(vec4f(), sum, tile_mask(e));
    }
    workgroupBarrier();
    if has_key {
        var kk: Column;
        for (var b = 0u; b < BLOCKS; b++) {
            kk[b] = memory[LEFT + b * LINE + channel];
            r[b] = memory[LEFT + SIDE + b * LINE + channel];
        }
        let x = solve(kk);
        column_store(region, W, channel, x);
        let taken = triangle_times(1u, 1u, x);
        for (var b = 0u; b < BLOCKS; b++) { r[b] -= taken[b]; }
        column_store(region, Q, channel, r);
    }
    if has_value {
        let x = solve(triangle_times(0u, 0u, v));
        column_store(region, U, channel, x);
        var y = triangle_times(1u, 0u, v);
        let taken = triangle_times(1u, 1u, x);
        for (var b = 0u; b < BLOCKS; b++) { y[b] -= taken[b]; }
        column_store(region, P, channel, y);
    }
}
