"""Prints what transformers says is the perplexity of a real model's GGUF, dequantized to fp32, on a text: the figures beside ours in
docs/performance.md and tests/eval/real_models_test.cpp. Chunks of 512 tokens side by side, the second half of each scored but for
that half's first token, as llama.cpp's perplexity tool does; each chunk's first token is the beginning of the text where the
vocabulary has one and asks for it.

    venv/bin/python scripts/goldens/eval_perplexity.py gemma-3-270m.Q4_K_M.gguf tests/data/text/wonderland.txt
"""

import argparse
import math
from pathlib import Path

import gguf
import torch
from transformers import AutoTokenizer

import model_gemma3
import model_gguf
import model_smollm2

CONTEXT = 512


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("text", type=Path)
    arguments = parser.parse_args()
    metadata = {name: field.contents() for name, field in gguf.GGUFReader(arguments.gguf).fields.items()}
    family = {"gemma3": model_gemma3, "llama": model_smollm2}[metadata["general.architecture"]]
    model = model_gguf.load(arguments.gguf, family.empty_model(metadata))
    tokenizer = AutoTokenizer.from_pretrained(arguments.gguf.parent, gguf_file=arguments.gguf.name)
    ids = tokenizer(arguments.text.read_text())["input_ids"]
    begins = metadata.get("tokenizer.ggml.add_bos_token", False)
    bos = metadata.get("tokenizer.ggml.bos_token_id")
    print(len(ids), "tokens")
    losses = []
    for begin in range(0, len(ids) - CONTEXT + 1, CONTEXT):
        chunk = ids[begin : begin + CONTEXT]
        if begins:
            chunk[0] = bos
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([chunk]), use_cache=False).logits[0].double()
        rows = torch.log_softmax(logits[CONTEXT // 2 : CONTEXT - 1], dim=-1)
        losses += (-rows[range(len(rows)), chunk[CONTEXT // 2 + 1 :]]).tolist()
        if begin // CONTEXT + 1 in (4, len(ids) // CONTEXT):
            print(len(losses), "scored: perplexity", math.exp(sum(losses) / len(losses)))


if __name__ == "__main__":
    main()
