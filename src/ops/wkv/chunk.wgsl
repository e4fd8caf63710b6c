// What wkv7_solve finds out about a head in CHUNK rows of the step, for wkv7_pass and wkv7_finish: a region for each
// chunk and head, all of whole chunks. Vectors of tokens lie there by 4 tokens, [CHUNK / 4, channel].
// Needs: HEAD, CHUNK (a multiple of 4). Gives: BLOCKS, chunk_region, where things begin in a region: W .. BONUS.
const BLOCKS = CHUNK / 4u;
const COLUMNS = BLOCKS * HEAD;
const W = 0u;
const Q = COLUMNS;
const KEY = 2u * COLUMNS;
const REMOVAL = 3u * COLUMNS;
const U = 4u * COLUMNS;
const P = 5u * COLUMNS;
const VALUE = 6u * COLUMNS;
const DECAY = 7u * COLUMNS;  // of a whole part, at its first token; nothing where 4 tokens have none
const BONUS = 8u * COLUMNS;  // [token]
const REGION = BONUS + BLOCKS;

// the first vec4 of a region; row: any of the chunk's
fn chunk_region(row: u32, head: u32) -> u32 {
    return (row / CHUNK * (params.vectors * 4u / HEAD) + head) * REGION;
}
