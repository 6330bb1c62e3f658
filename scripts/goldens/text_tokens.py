#!/usr/bin/env python3
"""Writes the token ids that Hugging Face's `tokenizers` gives the texts of tests/data/text/corpus.json.

Usage: text_tokens.py SmolLM2-135M-Instruct.Q4_1.gguf      (pip install tokenizers gguf)

Writes into tests/data/text:
  vocabulary_PRE.json  a small vocabulary for each pre-tokenizer, with the ids of the corpus under it. That of smollm is
                       the head of the model's own; the others are trained here, on the corpus.
  smollm2_ids.json     the ids of the corpus under the model's whole vocabulary, which is not committed.
"""
import argparse
import importlib.metadata
import json
import pathlib

import gguf
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

DATA = pathlib.Path(__file__).parents[2] / "tests/data/text"
CORPUS = json.loads((DATA / "corpus.json").read_text())

NORMAL, CONTROL, USER_DEFINED = 1, 3, 4
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + REST
QWEN2 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|" + REST
BYTE_LEVEL = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)


def split(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), BYTE_LEVEL])


PRE_TOKENIZERS = {
    "gpt-2": pre_tokenizers.ByteLevel(add_prefix_space=False),
    "smollm": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]),
    "llama-bpe": split(LLAMA3),
    "qwen2": split(QWEN2),
}


def assemble(pre, vocabulary):
    """A Hugging Face tokenizer from what a GGUF file holds."""
    tokens, types = vocabulary["tokens"], vocabulary["types"]
    merges = []
    for merge in vocabulary["merges"]:
        space = merge.index(" ", 1)
        merges.append((merge[:space], merge[space + 1 :]))
    vocab = {text: i for i, text in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab, merges, ignore_merges=pre == "llama-bpe"))
    if pre == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = PRE_TOKENIZERS[pre]
    tokenizer.decoder = decoders.ByteLevel()
    added = {k: [AddedToken(text, normalized=False) for text, kind in zip(tokens, types) if kind == k] for k in (CONTROL, USER_DEFINED)}
    tokenizer.add_special_tokens(added[CONTROL])
    tokenizer.add_tokens(added[USER_DEFINED])
    return tokenizer


def ids_of_corpus(tokenizer, add_special_tokens=True):
    cases = []
    for text in CORPUS:
        tokenizer.encode_special_tokens = False
        parsed = tokenizer.encode(text, add_special_tokens=add_special_tokens).ids
        tokenizer.encode_special_tokens = True
        as_text = tokenizer.encode(text, add_special_tokens=add_special_tokens).ids
        case = {"as_text": as_text, "decoded": tokenizer.decode(as_text, skip_special_tokens=False)}
        if parsed != as_text:
            case["parse"] = parsed
        if case["decoded"] == text:
            del case["decoded"]
        cases.append(case)
    return cases


def train(pre):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = PRE_TOKENIZERS[pre]
    trainer = trainers.BpeTrainer(vocab_size=1500, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(CORPUS * 2, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    types = [NORMAL] * len(tokens)
    for text, kind in [("<|im_start|>", CONTROL), ("<|im_end|>", CONTROL), ("<|im_end|>>", CONTROL), ("<tool>", USER_DEFINED)]:
        tokens.append(text)
        types.append(kind)
    return {"tokens": tokens, "types": types, "merges": [" ".join(pair) for pair in model["merges"]]}


def head(vocabulary, merge_count):
    """The vocabulary that the first merges need, ids counted anew."""
    merges = vocabulary["merges"][:merge_count]
    kept = {merge.replace(" ", "", 1) for merge in merges}
    tokens, types = [], []
    for text, kind in zip(vocabulary["tokens"], vocabulary["types"]):
        if kind != NORMAL or len(text) == 1 or text in kept:
            tokens.append(text)
            types.append(kind)
    return {"tokens": tokens, "types": types, "merges": merges}


def write(name, content):
    content["made_with"] = f"tokenizers {importlib.metadata.version('tokenizers')}"
    (DATA / name).write_text(json.dumps(content, separators=(",", ":")).replace('"cases":[{', '"cases":[\n{').replace("},{", "},\n{") + "\n")
    print(f"{name}: {(DATA / name).stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="the GGUF file of SmolLM2")
    fields = gguf.GGUFReader(parser.parse_args().model).fields
    whole = {
        name: fields["tokenizer.ggml." + key].contents()
        for name, key in [("tokens", "tokens"), ("types", "token_type"), ("merges", "merges")]
    }
    write("smollm2_ids.json", {"cases": ids_of_corpus(assemble("smollm", whole))})
    for pre in PRE_TOKENIZERS:
        vocabulary = head(whole, 3000) if pre == "smollm" else train(pre)
        write(f"vocabulary_{pre}.json", {"pre": pre, **vocabulary, "cases": ids_of_corpus(assemble(pre, vocabulary))})


if __name__ == "__main__":
    main()
