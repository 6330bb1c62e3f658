#!/usr/bin/env python3
"""Writes small tokenizer.json files in the form of each family's, and the ids that Hugging Face's `tokenizers` gives the
texts of tests/data/text/corpus.json with them.

Usage: text_tokenizer_json.py      (pip install tokenizers)

Writes tests/data/text/tokenizers/NAME.json and NAME.ids.json. The vocabularies are trained here, on the corpus; normalizers,
pre-tokenizers, post-processors, decoders, flags of added tokens and the spelling of merges are those of published files.
"""
import json

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from text_tokens import CORPUS, DATA, LLAMA3, QWEN2, ids_of_corpus, split

OUT = DATA / "tokenizers"
SPACE = "\u2581"
CASED = [r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"]


def cased(contraction, digits):
    start = r"[^\r\n\p{L}\p{N}]?"
    words = [start + CASED[0] + "*" + CASED[1] + "+" + contraction, start + CASED[0] + "+" + CASED[1] + "*" + contraction]
    return "|".join(words + [digits, r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])


def special(*texts, **flags):
    return [AddedToken(text, special=True, **({"normalized": False} | flags)) for text in texts]


def plain(*texts, **flags):
    return [AddedToken(text, special=False, **({"normalized": False} | flags)) for text in texts]


def first(token, sequence=False):
    """A template that puts a token before the text; its id is filled in once it is known."""
    return lambda tokenizer: (lambda t: processors.Sequence([processors.ByteLevel(trim_offsets=False), t]) if sequence else t)(
        processors.TemplateProcessing(single=f"{token} $A", pair=f"{token} $A {token} $B:1", special_tokens=[(token, tokenizer.token_to_id(token))])
    )


def byte_level(pre_tokenizer, added, normalizer=None, post=None, size=1200, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.pre_tokenizer = pre_tokenizer
    trainer = trainers.BpeTrainer(vocab_size=size, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(CORPUS * 2, trainer)
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_tokens(added)
    tokenizer.post_processor = post(tokenizer) if post else processors.ByteLevel(trim_offsets=False)
    return tokenizer


def in_characters(added, normalizer=None, pre_tokenizer=None, strip=False, post=None, has_bytes=True, fuse_unk=True, decoder=None):
    """As files are that were converted from SentencePiece: special tokens, bytes, pieces in the order of their merges."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="never")
    trained.train_from_iterator(CORPUS * 2, trainers.BpeTrainer(vocab_size=800, limit_alphabet=160, show_progress=False))
    model = json.loads(trained.to_str())["model"]
    texts = ["<unk>", "<s>", "</s>"] + ([f"<0x{byte:02X}>" for byte in range(256)] if has_bytes else [])
    texts += [token.content for token in added if token.content not in texts]
    texts += [SPACE * n for n in (2, 3, 4, 8)] + [text for text in sorted(model["vocab"], key=model["vocab"].get)]
    texts = list(dict.fromkeys(texts))
    merges = [tuple(pair) for pair in model["merges"]] + [(SPACE, SPACE), (SPACE * 2, SPACE * 2), (SPACE * 4, SPACE * 4), (SPACE * 2, SPACE)]
    merges += [(run[:-1], "\n") for run in texts if not run.strip("\n") and run[:-1] in texts]
    tokenizer = Tokenizer(
        models.BPE({text: i for i, text in enumerate(texts)}, merges, unk_token="<unk>", fuse_unk=fuse_unk, byte_fallback=has_bytes)
    )
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    steps = [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoder or decoders.Sequence(steps + ([decoders.Strip(" ", 1, 0)] if strip else []))
    tokenizer.add_tokens(added)
    if post:
        tokenizer.post_processor = post(tokenizer)
    return tokenizer


def families():
    isolated, replace = lambda pattern: split(pattern), normalizers.Replace(" ", SPACE)
    chat, tool = special("<|im_start|>", "<|im_end|>"), plain("<tool>")
    text_end = special("<|endoftext|>", normalized=True)
    llama2 = normalizers.Sequence([normalizers.Prepend(SPACE), replace])
    sentencepiece = special("<unk>", "<s>", "</s>") + tool
    digits = pre_tokenizers.Digits(individual_digits=True)
    yield "gpt2", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), text_end + tool)
    yield "gpt2_space", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True), text_end)
    yield "smollm2", byte_level(pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)]), chat + tool)
    llama3 = special("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>")
    yield "llama3", byte_level(isolated(LLAMA3), llama3, post=first("<|begin_of_text|>", sequence=True), ignore_merges=True)
    yield "qwen2", byte_level(isolated(QWEN2), text_end + chat + tool, normalizer=normalizers.NFC())
    tekken = special("<s>", "</s>", "[INST]", "[/INST]")
    yield "tekken", byte_level(isolated(cased("", r"\p{N}")), tekken, post=first("<s>"), ignore_merges=True)
    yield "gpt4o", byte_level(isolated(cased(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?", r"\p{N}{1,3}")), text_end)
    mixed = [AddedToken("<tool>", lstrip=True, rstrip=True, normalized=False), AddedToken("the", single_word=True, normalized=True)]
    mixed += [AddedToken("<|im_start|>", special=True, rstrip=True), AddedToken("\uac00", normalized=True), AddedToken("==", lstrip=True, normalized=False)]
    mixed += [AddedToken("<|im_end|>", special=True, lstrip=True, single_word=True, normalized=False)]
    yield "flags", byte_level(isolated(QWEN2), mixed, normalizer=normalizers.NFC())

    yield "llama2", in_characters(sentencepiece, llama2, strip=True, post=first("<s>"))
    old = special("<unk>", "<s>", "</s>", normalized=True) + plain("<tool>", normalized=True)
    yield "llama2_old", in_characters(old, llama2, strip=True, post=first("<s>"))
    metaspace = lambda scheme, cut: pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme=scheme, split=cut)
    yield "mistral", in_characters(sentencepiece, None, metaspace("first", False), strip=True, post=first("<s>"))
    yield "metaspace", in_characters(sentencepiece, None, metaspace("always", True), decoder=decoders.Metaspace(prepend_scheme="always"), has_bytes=False)
    yield "unknown", in_characters(sentencepiece, replace, has_bytes=False, fuse_unk=False)
    runs = plain(*("\n" * n for n in range(1, 5)))
    gemma = special("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>") + runs + special("<unk>")
    yield "gemma3", in_characters(gemma, replace, pre_tokenizers.Split(" ", "merged_with_previous"), post=first("<bos>"))


def main():
    OUT.mkdir(exist_ok=True)
    for name, tokenizer in families():
        file = json.loads(tokenizer.to_str())
        if name in ("gpt2", "smollm2", "llama2"):  # files from before lists and types
            file["model"]["merges"] = [" ".join(pair) for pair in file["model"]["merges"]]
        if name == "gpt2":
            del file["model"]["type"]
        text = json.dumps(file, separators=(",", ":"))
        (OUT / f"{name}.json").write_text(text + "\n")
        cases = ids_of_corpus(Tokenizer.from_str(text), add_special_tokens=False)
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
        (OUT / f"{name}.ids.json").write_text(f"[\n{lines}\n]\n")
        print(f"{name}: {len(text)} bytes")


if __name__ == "__main__":
    main()
