// The tokens of this step; the image of struct step (op.h).
// Needs: MAX_TOKENS, MAX_SEQS, MAX_OUTPUTS. In every kernel, after Params.
struct Batch {
    n_tokens: u32,
    n_seqs: u32,
    n_outputs: u32,
    unused: u32,
    token: array<u32, MAX_TOKENS>,     // id
    position: array<u32, MAX_TOKENS>,  // in its sequence
    seq: array<u32, MAX_TOKENS>,       // index of its sequence in the step
    first: array<u32, MAX_SEQS>,       // row of the sequence's first token
    count: array<u32, MAX_SEQS>,       // tokens of the sequence
    slot: array<u32, MAX_SEQS>,        // where its state lies
    output: array<u32, MAX_OUTPUTS>,   // rows whose logits are wanted
}
@group(0) @binding(1) var<storage, read> batch: Batch;
