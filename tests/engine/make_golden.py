"""make_golden.py MODEL - adds to ../golden/gemma3-270m-q4_k_m.json what the file's weights give in float64.

llama.cpp rounds activations to 8 bits where weights are quantised, which moves Gemma's logits by 0.2 (rms). So each step
also gets "exact": top logits and log of the sum of exponentials of this program, which shares nothing with Corvid: numpy,
weights decoded by the PyPI package gguf. The tokens that are fed stay llama.cpp's. MODEL is the file of
scripts/get-gemma3. Needs PyPI numpy and gguf."""
import json
import os
import sys

import numpy as np
from gguf import GGUFReader, dequantize

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "gemma3-270m-q4_k_m.json")
LAYERS, HEADS, HEAD_DIM, WIDTH, GLOBAL_EVERY, TOP = 18, 4, 256, 640, 6, 8

weights = {t.name.removesuffix(".weight"): dequantize(t.data, t.tensor_type).astype(np.float64)
           for t in GGUFReader(sys.argv[1]).tensors}


def norm(x, name):
    return x / np.sqrt((x ** 2).mean(-1, keepdims=True) + 1e-6) * weights[name]


def rotate(x, base):
    half = x.shape[-1] // 2
    angle = np.arange(len(x))[:, None, None] * base ** (-np.arange(half) / half)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], -1)


def attention(x, block, base):
    """For texts shorter than the window: every layer sees all."""
    n = len(x)
    q = rotate(norm((x @ weights[block + "attn_q"].T).reshape(n, HEADS, HEAD_DIM), block + "attn_q_norm"), base)
    k = rotate(norm((x @ weights[block + "attn_k"].T).reshape(n, 1, HEAD_DIM), block + "attn_k_norm"), base)[:, 0]
    v = x @ weights[block + "attn_v"].T
    scores = np.einsum("thd,sd->hts", q, k) / np.sqrt(HEAD_DIM) + np.where(np.tri(n), 0, -np.inf)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    return np.einsum("hts,sd->thd", shares, v).reshape(n, -1) @ weights[block + "attn_output"].T


def mlp(x, block):
    gate, up = x @ weights[block + "ffn_gate"].T, x @ weights[block + "ffn_up"].T
    gate *= 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (gate + 0.044715 * gate ** 3)))
    return (gate * up) @ weights[block + "ffn_down"].T


def logits_after(tokens, first):
    x = weights["token_embd"][tokens] * np.sqrt(WIDTH)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        base = 1e4 if (layer + 1) % GLOBAL_EVERY else 1e6
        x = x + norm(attention(norm(x, block + "attn_norm"), block, base), block + "post_attention_norm")
        x = x + norm(mlp(norm(x, block + "ffn_norm"), block), block + "post_ffw_norm")
    return norm(x[first:], "output_norm") @ weights["token_embd"].T


def main():
    with open(GOLDEN, encoding="utf-8") as file:
        runs = json.load(file)
    for run in runs:
        prompt, steps = run["prompt_tokens"], run["steps"]
        logits = logits_after(prompt + [step["top"][0][0] for step in steps[:-1]], len(prompt) - 1)
        for step, row in zip(steps, logits):
            best = np.argsort(-row)[:TOP]
            step["exact"] = {"top": [[int(t), round(float(row[t]), 5)] for t in best],
                             "logsumexp": round(float(row.max() + np.log(np.exp(row - row.max()).sum())), 5)}
    with open(GOLDEN, "w", encoding="utf-8") as file:
        json.dump(runs, file, ensure_ascii=False)
        file.write("\n")


main()
