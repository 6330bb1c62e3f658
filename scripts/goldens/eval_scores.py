"""Writes tests/data/goldens/eval.json: what `ridgeline eval` must say of the tiny models, from the float64 NumPy pass.

The sliding window is written as the loop of transformers' "Perplexity of fixed-length models", the chunks as llama.cpp's
perplexity tool describes them, multiple choice as lm-evaluation-harness scores it: each in its own words, none as in src/eval.

    venv/bin/python scripts/goldens/eval_scores.py
"""

import json
import pathlib

import gguf
import numpy as np

from model_reference import Reference

GOLDENS = pathlib.Path(__file__).resolve().parents[2] / "tests/data/goldens"
CONTEXT, STRIDE, TOKENS = 32, 12, 150
TEXT_SEED = 11

QUESTIONS = [
    {"question": "The sky is", "choices": ["blue", "a kind of cheese"], "answer": 0},
    {"query": "Two and two make", "choices": ["four", "five", "the twenty-two"], "gold": 1},
    {"context": "Alice was beginning to get very tired of", "choices": ["sitting", "it", "cards and kings"], "answer": 2},
    {"question": "Rain falls", "choices": ["up", "down"], "answer": 1},
]


def log_softmax(logits):
    top = logits.max(axis=-1, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))


def sliding_window(model, ids, bos):
    """{position: log probabilities there} of every scored token."""
    scored, previous_end = {}, 0
    for begin in range(0, len(ids), STRIDE):
        end = min(begin + CONTEXT, len(ids))
        part = list(ids[begin:end])
        if bos is not None:
            part[0] = bos
        rows = log_softmax(model.logits(np.array(part)))
        target_length = end - previous_end
        for position in range(end - target_length, end):
            if position > begin:  # labels are shifted by one: a window's first token has no prediction
                scored[position] = rows[position - begin - 1]
        previous_end = end
        if end == len(ids):
            break
    return scored


def chunks(model, ids, bos):
    scored = {}
    for chunk in range(len(ids) // CONTEXT):
        part = list(ids[chunk * CONTEXT : (chunk + 1) * CONTEXT])
        if bos is not None:
            part[0] = bos
        rows = log_softmax(model.logits(np.array(part)))
        for i in range(CONTEXT // 2, CONTEXT - 1):
            scored[chunk * CONTEXT + i + 1] = rows[i]
    return scored


def losses(scored, ids):
    return [[p, -scored[p][ids[p]]] for p in sorted(scored)]


def choice_scores(model, encode):
    result = []
    for item in QUESTIONS:
        context = next(item[k] for k in ("question", "query", "context") if k in item)
        sums = []
        for choice in item["choices"]:
            prompt, whole = encode(context), encode(context + " " + choice)
            rows = log_softmax(model.logits(np.array(whole)))
            sums.append(sum(rows[i - 1][whole[i]] for i in range(len(prompt), len(whole))))
        normalised = [s / len(c.encode()) for s, c in zip(sums, item["choices"])]
        result.append({"line": item, "log_likelihoods": [float(x) for x in sums], "best": int(np.argmax(sums)),
                       "best_normalised": int(np.argmax(normalised))})
    return result


def encoder(fields):
    """Byte-pair merging for the tiny vocabularies: merge after merge, best first; enough where none gives an earlier one."""
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [m.split(" ") for m in fields["tokenizer.ggml.merges"].contents()]

    def encode(text):
        parts = list(text.replace(" ", "\u0120"))
        for left, right in merges:
            at = 0
            while at + 1 < len(parts):
                if parts[at : at + 2] == [left, right]:
                    parts[at : at + 2] = [left + right]
                at += 1
        return [tokens.index(part) for part in parts]

    return encode


def main():
    out = {"made_with": f"NumPy {np.__version__}, float64", "context": CONTEXT, "stride": STRIDE}
    for name in ("tiny_llama", "tiny_gpt2"):
        path = GOLDENS / f"{name}.gguf"
        model, encode = Reference(path), encoder(gguf.GGUFReader(path).fields)
        ids = np.random.default_rng(TEXT_SEED).integers(1, 101, TOKENS)  # 0 is the end-of-text token
        out[name] = {
            "ids": ids.tolist(),
            "sliding": losses(sliding_window(model, ids, None), ids),
            "chunks": losses(chunks(model, ids, None), ids),
            "sliding_with_bos": losses(sliding_window(model, ids, 0), ids),
            "choices": choice_scores(model, encode),
        }
    ids = np.array(out["tiny_llama"]["ids"])
    scored = [sliding_window(Reference(GOLDENS / f), ids, None) for f in ("tiny_llama.gguf", "tiny_llama_q4_0.gguf")]
    p, q = (np.array([s[k] for k in sorted(s)]) for s in scored)
    out["tiny_llama_q4_0"] = {
        "divergences": (np.exp(p) * (p - q)).sum(axis=1).tolist(),
        "same_top": int((p.argmax(axis=1) == q.argmax(axis=1)).sum()),
    }
    (GOLDENS / "eval.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


main()
