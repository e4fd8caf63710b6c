"""Writes tokens-NAME.json: texts and the tokens that llama.cpp makes of them, for test_tokenizer.c.

    pip install xllamacpp==2026.10.11549        (llama.cpp as a Python module)
    python3 make_golden.py gemma3 ../../models/gemma-3-270m-q4_k_m.gguf
    python3 make_golden.py rwkv7-tiny ../../models/rwkv7-tiny-q8_0.gguf
"""
import json
import random
import sys
import urllib.request

import xllamacpp

TEXTS = [
    "", " ", "  ", "\n", "\n\n\n", "a", "Hello", " Hello", "Hello ", "Hello  world",
    "\tint main(void)\n{\n\treturn 0;\n}\n", "The capital of France is",
    "Once upon a time, in a small village by the sea,", "Zürich, 東京 and São Paulo are three cities. They",
    'The "quick" brown fox — naïve café — 東京\t1234\n', 'The "quick" brown fox — naïve café — 東京\\t1234\n',
    "User: Tell me a story about a fox.\n\nAssistant:", "User: What is 6332 + 6049?\n\nAssistant:",
    "Once upon a time",
    "<start_of_turn>user\nWrite one sentence about the moon.<end_of_turn>\n<start_of_turn>model\n", "<eos>",
    "<bos>x<eos> y", "<s>", "</s>", "<0x0A>", "<unused5>", "<start_of_turn", "\u2581", "a\u2581b", "<table><tr>",
    "\n" * 40, " " * 70, "\t" * 33, "\r\n\r\n", "👩‍👩‍👧‍👦 🏳️‍🌈 🤷🏽", "e\u0301\u0327", "\u200b\u200d\ufeff", "𝔘𝔫𝔦",
    "\u0001\u007f", "אבג דהו", "नमस्ते दुनिया", "สวัสดี", "안녕하세요 세계", "1234567890" * 3,
    "supercalifragilisticexpialidocious" * 2,
]
PIECES = [
    "the", " and", "ing", " ", "  ", "\n", "\n\n", "\t", "Abc", "xyzzy", "0", "17", ".", ", ", "'s", "é", "東", "ü",
    "😀", "<", ">", "_", "()", "{}", "\u2581", "ab", "na", "in", " in", "er", "<b>", "</i>", "[", "//", "\\", "\"",
    "я", "ка", "中文", "\u00a0",
]


def make_texts():
    rng = random.Random(7)
    texts = list(TEXTS)
    for _ in range(200):
        texts.append("".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 25))))
    for _ in range(100):
        texts.append("".join(rng.choice("aeinorst hl\n.,<>") for _ in range(rng.randrange(1, 60))))
    for _ in range(60):
        texts.append("".join(chr(rng.choice([rng.randrange(32, 127), rng.randrange(160, 0x800),
                                             rng.randrange(0x3040, 0x3100), rng.randrange(0x1F300, 0x1F650)]))
                             for _ in range(rng.randrange(1, 20))))
    return texts


def main():
    name, path = sys.argv[1:]
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx = 256
    params.n_parallel = 1
    server = xllamacpp.Server(params)

    def tokenize(text, special):
        body = json.dumps({"content": text, "add_special": True, "parse_special": special}).encode()
        header = {"Content-Type": "application/json"}
        request = urllib.request.Request(server.listening_address + "/tokenize", body, header)
        return json.loads(urllib.request.urlopen(request).read())["tokens"]

    rows = [{"text": text, "plain": tokenize(text, False), "special": tokenize(text, True)} for text in make_texts()]
    with open(f"tokens-{name}.json", "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n")


main()
