"""Writes tests/data/goldens/sampling.json: what biases and penalties make of logits, and log probabilities, in NumPy.

Repetition penalty as in Keskar et al. 2019 and transformers' RepetitionPenaltyLogitsProcessor (scores above 0 divided, others
multiplied), frequency and presence penalties by the formula of OpenAI's API, all over the last n tokens, after the biases. In
float64 over the whole vocabulary, where src/sampling works in fp32 on the tokens it saw.

    venv/bin/python scripts/goldens/sampling_penalties.py
"""

import json
import pathlib

import numpy as np

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "tests/data/goldens/sampling.json"
VOCABULARY, SEED = 61, 20

CASES = [
    {"repeat_penalty": 1.3},
    {"repeat_penalty": 0.8, "repeat_last_n": 5},
    {"repeat_penalty": 1.1, "repeat_last_n": -1},
    {"frequency_penalty": 0.7},
    {"presence_penalty": -1.5, "repeat_last_n": 9},
    {"repeat_penalty": 2.0, "frequency_penalty": 0.25, "presence_penalty": 0.5, "repeat_last_n": -1},
    {"repeat_penalty": 1.2, "frequency_penalty": 1.0, "repeat_last_n": 0},
    {"logit_bias": [[3, 4.5], [60, -100.0], [3, -1.25]]},
    {"logit_bias": [[7, 2.0], [8, -3.0]], "repeat_penalty": 1.5, "presence_penalty": 0.4, "repeat_last_n": -1},
]


def adjusted(logits, before, repeat_penalty=1.0, frequency_penalty=0.0, presence_penalty=0.0, repeat_last_n=64, logit_bias=()):
    scores = logits.copy()
    for token, bias in logit_bias:
        scores[token] += bias
    window = before if repeat_last_n < 0 else before[max(0, len(before) - repeat_last_n):]
    counts = np.bincount(np.array(window, dtype=int), minlength=len(scores))
    penalised = np.where(scores > 0, scores / repeat_penalty, scores * repeat_penalty)
    scores = np.where(counts > 0, penalised, scores)
    return scores - counts * frequency_penalty - (counts > 0) * presence_penalty


def log_softmax(logits):
    shifted = logits - logits.max()
    return shifted - np.log(np.exp(shifted).sum())


def main():
    rng = np.random.default_rng(SEED)
    cases = []
    for options in CASES:
        logits = rng.normal(0, 4, VOCABULARY).astype(np.float32).astype(np.float64)
        before = [int(t) for t in rng.integers(0, VOCABULARY // 3, 90)]  # a third of the vocabulary, so that tokens repeat
        logs = log_softmax(logits)
        top = np.argsort(-logs, kind="stable")[:5]
        cases.append({
            "options": options,
            "logits": logits.tolist(),
            "before": before,
            "adjusted": adjusted(logits, before, **options).tolist(),
            "log_probabilities": logs.tolist(),
            "top": [int(t) for t in top],
        })
    OUTPUT.write_text(json.dumps({"cases": cases}, indent=None, separators=(",", ":")).replace('{"options"', '\n{"options"') + "\n")


if __name__ == "__main__":
    main()
