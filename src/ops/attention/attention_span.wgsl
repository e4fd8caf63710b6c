// Which positions a token sees, and how they are divided among workgroups.
// Needs: BLOCK; params.window, rows, row_words, slot_words. Gives: Span, visible, part_of, count_parts, kv_row_at.
struct Span {
    begin: u32,
    end: u32,
}

fn visible(t: u32) -> Span {
    let end = batch.position[t] + 1u;
    return Span(select(0u, end - min(end, params.window), params.window > 0u), end);
}

// positions of each part, whole blocks
fn part_length(all: Span, splits: u32) -> u32 {
    return max(((all.end - all.begin + splits - 1u) / splits + BLOCK - 1u) / BLOCK, 1u) * BLOCK;
}

// parts that have positions
fn count_parts(all: Span, splits: u32) -> u32 {
    let length = part_length(all, splits);
    return (all.end - all.begin + length - 1u) / length;
}

fn part_of(all: Span, split: u32, splits: u32) -> Span {
    let length = part_length(all, splits);
    let begin = min(all.begin + split * length, all.end);
    return Span(begin, min(begin + length, all.end));
}

// the first word of a position's row
fn kv_row_at(slot: u32, position: u32) -> u32 {
    return slot * params.slot_words + position % params.rows * params.row_words;
}
