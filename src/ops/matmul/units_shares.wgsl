// How the tiles of a product on matrix units (matmat_units) are shared among workgroups. As many tiles as the device
// has room for at a time (params.groups) have one workgroup each. Those that remain and would leave some of it idle have
// several, up to params.shares, which divide the columns. Functions without arguments, as compilers must see that all
// threads get the same. Needs: TILE (rows), TILE_TOKENS. Gives: units_tokens, units_whole, units_shares, units_slot.

fn units_tokens() -> u32 { return select(batch.n_tokens, batch.n_outputs, params.on_outputs == 1u); }

fn units_tiles() -> u32 { return (units_tokens() + TILE_TOKENS - 1u) / TILE_TOKENS * params.tiles; }

// tiles before this one have one workgroup,
fn units_whole() -> u32 { return units_tiles() / params.groups * params.groups; }

// those from there on so many
fn units_shares() -> u32 {
    return clamp(params.groups / max(units_tiles() - units_whole(), 1u), 1u, params.shares);
}

// where a workgroup's sums are: the first ones of all tiles come first
fn units_slot(tile: u32, share: u32) -> u32 {
    if share == 0u { return tile; }
    return units_tiles() + (tile - units_whole()) * (units_shares() - 1u) + share - 1u;
}
