// How the tokens share the workgroups of attention_token. Needs: attention_span, params.slots. Gives: count_splits,
// count_used.
fn count_splits() -> u32 { return max(params.slots / batch.n_tokens, 1u); }

// splits of a token that have made a part
fn count_used(t: u32, splits: u32) -> u32 { return count_parts(visible(t), splits); }
