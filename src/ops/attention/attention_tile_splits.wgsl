// How the tiles share the workgroups of attention_tile. Needs: TOKENS (of a tile), params.slots. Gives: count_splits,
// count_used.
fn count_splits() -> u32 { return max(params.slots / ((batch.n_tokens + TOKENS - 1u) / TOKENS), 1u); }

// all splits make a part, be it empty
fn count_used(t: u32, splits: u32) -> u32 { return splits; }
