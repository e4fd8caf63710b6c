#!/usr/bin/env python3
"""Writes tests/golden/quant.bin: blocks of every weight type and what ggml's own Python package makes of them.

    pip install gguf==0.19.0 numpy
    python tests/quant/make_golden.py tests/golden/quant.bin

The file is a sequence of records, little-endian:
    u32 kind (0 decode: floats = gguf.dequantize(blocks); 1 encode: blocks = gguf.quantize(floats))
    u32 ggml type, u32 weights in a block, u32 bytes of a block, u32 number of blocks
    blocks (bytes), floats (f32)

Blocks are random bytes, with all-zero and all-one bytes among them. Their f16 scales cycle through ordinary, negative,
zero, denormal, smallest normal and largest values (random bits would be infinite or NaN too often to tell us anything).
"""
import struct
import sys

import numpy as np
import gguf
from gguf import GGMLQuantizationType as T

DECODE, ENCODE = 0, 1

# byte offsets of the f16 fields in a block
HALVES = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0],
    T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
}
SCALES = np.array([0.013, -0.021, 0.0, 2**-24, -1023 * 2**-24, 2**-14, 65504.0, 1.0, -0.37], dtype=np.float16)

rng = np.random.default_rng(20240607)


def random_blocks(qtype, n_blocks):
    block_bytes = gguf.GGML_QUANT_SIZES[qtype][1]
    blocks = rng.integers(0, 256, (n_blocks, block_bytes), dtype=np.uint8)
    blocks[-1], blocks[-2] = 255, 0
    for field, at in enumerate(HALVES[qtype]):
        which = (np.arange(n_blocks) * (2 * field + 1) + field) % len(SCALES)
        blocks[:, at:at + 2] = SCALES[which].reshape(-1, 1).view(np.uint8)
    return blocks


def write(out, kind, qtype, blocks, floats):
    items, block_bytes = gguf.GGML_QUANT_SIZES[qtype]
    blocks = np.ascontiguousarray(blocks).view(np.uint8).reshape(-1)
    floats = np.ascontiguousarray(floats, dtype=np.float32).reshape(-1)
    n_blocks = blocks.size // block_bytes
    assert floats.size == n_blocks * items
    out.write(struct.pack("<5I", kind, qtype, items, block_bytes, n_blocks))
    out.write(blocks.tobytes())
    out.write(floats.tobytes())


def main(path):
    with open(path, "wb") as out:
        for qtype in HALVES:
            blocks = random_blocks(qtype, 9 if qtype.name.endswith("K") else 18)
            write(out, DECODE, qtype, blocks, gguf.dequantize(blocks.reshape(-1), qtype))
        floats = rng.normal(size=240).astype(np.float32)
        write(out, DECODE, T.F32, floats, floats)
        bits = rng.integers(0, 65536, 240).astype(np.uint16)
        write(out, DECODE, T.F16, bits, bits.view(np.float16).astype(np.float32))
        write(out, DECODE, T.BF16, bits, gguf.dequantize(bits.view(np.uint8), T.BF16))

        # ordinary weights, then blocks of growing size, then zeros, a constant, one outlier
        floats = rng.normal(size=(24, 32)).astype(np.float32)
        floats[8:] *= (10.0 ** np.arange(-8, 8)).astype(np.float32)[:, None]
        floats[-3], floats[-2], floats[-1] = 0, -0.7, 0
        floats[-1, 5] = -3.25
        # halfway between two integers, where roundf and rintf, x * (1 / d) and x / d part: d = 1, then any d
        ties = rng.integers(-127, 127, (24, 32)) + np.float32(0.5)
        ties[:, 7] = 127
        ties[8:] *= rng.uniform(0.001, 2, (16, 1)).astype(np.float32)
        floats = np.concatenate([floats, ties.astype(np.float32)])
        write(out, ENCODE, T.Q8_0, gguf.quantize(floats, T.Q8_0), floats)
        floats = np.concatenate([
            rng.normal(size=96), 10.0 ** rng.uniform(-9, 5, 96) * rng.choice([-1, 1], 96),
            [0.0, -0.0, 65519.99, 65520.0, -65504.0, 1e30, np.inf, -np.inf, 2**-24, 2**-25, 1.0000001 * 2**-25, 6.1e-5],
        ]).astype(np.float32)
        with np.errstate(over="ignore"):
            write(out, ENCODE, T.F16, floats.astype(np.float16), floats)


if __name__ == "__main__":
    main(sys.argv[1])
