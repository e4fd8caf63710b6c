// What a token brings to a head of RWKV-7: 4 channels of it in a thread (formulas: wkv7.c).
// Needs: V_FIRST (1 if there is first_rkv); head_norm. Gives: the inputs' bindings, Token, token_load, Weights,
// weights_load, token_key, token_value, token_output.
@group(0) @binding(2) var<storage, read> rkv: array<vec4f>;        // [T, (3 C + ..) / 4]
@group(0) @binding(3) var<storage, read> wagv: array<vec4f>;       // [T, (3 + V_FIRST) C / 4]
@group(0) @binding(4) var<storage, read> first_rkv: array<vec4f>;  // [T, (3 C + ..) / 4]
@group(0) @binding(5) var<storage, read> vectors: array<vec4f>;    // [5, C / 4]: k_k, k_a, r_k, ln, ln_b

struct Token {
    r: vec4f,
    k: vec4f,
    v: vec4f,
    w: vec4f,
    a: vec4f,
    g: vec4f,
    first_v: vec4f,
    mix: vec4f,
}

struct Weights {
    k_k: vec4f,
    k_a: vec4f,
    r_k: vec4f,
    ln: vec4f,
    ln_b: vec4f,
}

// c: which vec4 of a row of C channels
fn token_load(t: u32, c: u32) -> Token {
    let C = params.vectors;
    let rkv_at = t * params.rkv_vectors + c;
    let wagv_at = t * (3u + V_FIRST) * C + c;
    var token = Token(rkv[rkv_at], rkv[rkv_at + C], rkv[rkv_at + 2u * C], wagv[wagv_at], wagv[wagv_at + C],
                      wagv[wagv_at + 2u * C], vec4f(), vec4f());
    if V_FIRST == 1u {
        token.first_v = first_rkv[t * params.first_vectors + 2u * C + c];
        token.mix = wagv[wagv_at + 3u * C];
    }
    return token;
}

fn weights_load(c: u32) -> Weights {
    let C = params.vectors;
    return Weights(vectors[c], vectors[C + c], vectors[2u * C + c], vectors[3u * C + c], vectors[4u * C + c]);
}

fn token_key(token: Token, weights: Weights) -> vec4f {
    return token.k * (1.0 + (token.a - 1.0) * weights.k_a);
}

fn token_value(token: Token) -> vec4f {
    return token.v + (token.first_v - token.v) * token.mix;
}

// y: standardized; bonus: the head's sum of r k' r_k
fn token_output(y: vec4f, bonus: f32, token: Token, weights: Weights) -> vec4f {
    return (y * weights.ln + weights.ln_b + bonus * token_value(token)) * token.g;
}
