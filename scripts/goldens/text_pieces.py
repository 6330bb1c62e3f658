#!/usr/bin/env python3
"""Writes the token ids that Hugging Face's `tokenizers` gives the texts of tests/data/text/corpus.json under vocabularies
of SentencePiece's byte-pair encoding (GGUF's kind "llama").

Usage: text_pieces.py gemma-3-270m.Q4_K_M.gguf      (pip install tokenizers gguf)

Writes into tests/data/text:
  pieces_gemma.json, pieces_llama.json  small vocabularies, trained here on the corpus, with the ids of the corpus: without
                                        a space prefix and with runs of whitespace as tokens, as Gemma has them; with a
                                        space prefix, as Llama 2
  pieces_unknown.json                   the latter without its byte tokens
  gemma3_ids.json                       the ids of the corpus under the model's whole vocabulary, which is not committed
"""
import argparse
import collections
import json

import gguf
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from text_tokens import CONTROL, CORPUS, NORMAL, USER_DEFINED, ids_of_corpus, write

UNKNOWN, BYTE = 2, 6
SPACE = "\u2581"


def assemble(vocabulary, prefix):
    """A Hugging Face tokenizer from what a GGUF file holds: a merge for each way to make a piece of two, the highest first."""
    tokens, types, scores = vocabulary["tokens"], vocabulary["types"], vocabulary["scores"]
    pieces = {text: i for i, (text, kind) in enumerate(zip(tokens, types)) if kind == NORMAL}
    merges = []
    for text, i in sorted(pieces.items(), key=lambda item: -scores[item[1]]):
        merges += [(text[:cut], text[cut:]) for cut in range(1, len(text)) if text[:cut] in pieces and text[cut:] in pieces]
    unknown = next((text for text, kind in zip(tokens, types) if kind == UNKNOWN or text == "<unk>"), None)
    has_bytes = BYTE in types
    tokenizer = Tokenizer(
        models.BPE({text: i for i, text in enumerate(tokens)}, merges, unk_token=unknown, fuse_unk=True, byte_fallback=has_bytes)
    )
    replace = normalizers.Replace(" ", SPACE)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), replace]) if prefix else replace
    steps = [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence(steps + [decoders.Strip(" ", 1, 0)] if prefix else steps)
    of = collections.defaultdict(list)
    for text, kind in zip(tokens, types):
        of[kind].append(AddedToken(text, normalized=False))
    tokenizer.add_special_tokens(of[UNKNOWN] + of[CONTROL])
    tokenizer.add_tokens(of[USER_DEFINED])
    return tokenizer


def train(added):
    """Few enough characters have tokens that the corpus needs bytes; the later a merge, the lower its score."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="never")
    trainer = trainers.BpeTrainer(vocab_size=700, limit_alphabet=160, show_progress=False)
    tokenizer.train_from_iterator(CORPUS * 2, trainer)
    vocab = json.loads(tokenizer.to_str())["model"]["vocab"]
    merged = [text for text in sorted(vocab, key=vocab.get) if len(text) > 1]
    merged += [SPACE * n for n in (2, 4, 8, 3)]  # of lower scores than any that crosses into a word
    letters = [text for text in sorted(vocab, key=vocab.get) if len(text) == 1]
    rows = [("<unk>", UNKNOWN, 0.0), ("<s>", CONTROL, 0.0), ("</s>", CONTROL, 0.0)]
    rows += [(f"<0x{byte:02X}>", BYTE, 0.0) for byte in range(256)]
    rows += [(text, kind, -1000.0) for text, kind in added]
    rows += [(text, NORMAL, -float(rank)) for rank, text in enumerate(merged + letters) if text not in dict(added)]
    tokens, types, scores = map(list, zip(*rows))
    return {"tokens": tokens, "types": types, "scores": scores}


def without_bytes(vocabulary):
    rows = [row for row in zip(*(vocabulary[name] for name in ("tokens", "types", "scores"))) if row[1] != BYTE]
    tokens, types, scores = map(list, zip(*rows))
    return {"tokens": tokens, "types": types, "scores": scores}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="the GGUF file of Gemma 3 270M")
    fields = gguf.GGUFReader(parser.parse_args().model).fields
    keys = [("tokens", "tokens"), ("types", "token_type"), ("scores", "scores")]
    whole = {name: fields["tokenizer.ggml." + key].contents() for name, key in keys}
    write("gemma3_ids.json", {"cases": ids_of_corpus(assemble(whole, prefix=False))})

    turns = [("<start_of_turn>", CONTROL), ("<end_of_turn>", CONTROL), ("<tool>", USER_DEFINED)]
    runs = [(unit * n, USER_DEFINED) for unit, most in (("\n", 5), (" ", 8), ("\t", 3)) for n in range(1 + (unit == " "), most + 1)]
    gemma, llama = train(turns + runs), train(turns[2:])
    write("pieces_gemma.json", {"add_space_prefix": False, **gemma, "cases": ids_of_corpus(assemble(gemma, prefix=False))})
    write("pieces_llama.json", {"add_space_prefix": True, **llama, "cases": ids_of_corpus(assemble(llama, prefix=True))})
    unknown = without_bytes(llama)
    write("pieces_unknown.json", {"add_space_prefix": True, **unknown, "cases": ids_of_corpus(assemble(unknown, prefix=True))})


if __name__ == "__main__":
    main()
