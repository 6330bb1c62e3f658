"""What transformers answers for a real model on a GGUF's weights: the golden of model_smollm2.py and model_gemma3.py."""

import numpy as np
import torch
import transformers

from model_json import fp32, to_json
from model_reference import Reference, check_visible, deviations, largest_difference

PROSE = """Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do: \
once or twice she had peeped into the book her sister was reading, but it had no pictures or conversations in it, \
"and what is the use of a book," thought Alice, "without pictures or conversations?"

So she was considering in her own mind (as well as she could, for the hot day made her feel very sleepy and stupid), \
whether the pleasure of making a daisy-chain would be worth the trouble of getting up and picking the daisies, when \
suddenly a White Rabbit with pink eyes ran close by her.

There was nothing so very remarkable in that; nor did Alice think it so very much out of the way to hear the Rabbit \
say to itself, "Oh dear! Oh dear! I shall be too late!\""""  # Lewis Carroll, 1865
TOP, SAMPLED, CONTINUATION = 50, 500, 48


def continue_greedily(model, ids):
    """CONTINUATION tokens, the end of the text ignored, and how far each led the runner-up."""
    with torch.no_grad():
        whole = model.generate(
            torch.tensor([ids]), max_new_tokens=CONTINUATION, do_sample=False, eos_token_id=None, pad_token_id=0)
        best = model(input_ids=whole, use_cache=False).logits[0, len(ids) - 1 : -1].topk(2)
    new = whole[0, len(ids) :].tolist()
    assert new == best.indices[:, 0].tolist(), "the KV cache of transformers changed a token"
    return new, fp32((best.values[:, 0] - best.values[:, 1]).numpy())


def describe(rows, position, sampled):
    row = torch.from_numpy(rows[position])
    top = row.topk(TOP)
    return {
        "position": position,
        "top_ids": top.indices.tolist(),
        "top_logits": fp32(top.values.numpy()),
        "sampled_logits": fp32(row[sampled].numpy()),
    }


def golden_prompt(model, text, ids, logits, sampled):
    continuation, lead = continue_greedily(model, ids)
    count = len(ids)
    positions = sorted({0, 1, count // 4, count // 2, 3 * count // 4, count - 1})
    return {
        "text": text,
        "ids": ids,
        "argmax": logits.argmax(-1).tolist(),
        "logsumexp": fp32(torch.logsumexp(torch.from_numpy(logits).double(), -1).numpy()),
        "positions": [describe(logits, position, sampled) for position in positions],
        "greedy_ids": continuation,
        "greedy_lead": lead,
    }


def write_golden(golden, path, model, vocabulary, prompts):
    """golden: the file to write; path: the GGUF file; prompts: (text, ids). Mutants are tried on the first of them."""
    ids = [ids for _, ids in prompts]
    with torch.no_grad():
        logits = [model(input_ids=torch.tensor([some]), use_cache=False).logits[0].numpy() for some in ids]

    reference = Reference(path)
    exact = [reference.logits(some) for some in ids]
    noise = largest_difference(logits, exact)
    mutants = deviations(reference, ids[:1], exact[:1])
    print(f"fp32 noise {noise:.2e}, mutants {mutants}")
    check_visible(mutants, noise)
    sampled = np.sort(np.random.default_rng(0).choice(vocabulary, SAMPLED, replace=False)).tolist()
    result = {
        "model": path.name,
        "made_with": f"transformers {transformers.__version__}, torch {torch.__version__}",
        "max_abs_logit": largest_difference(exact, [0.0] * len(exact)),
        "max_abs_diff": {"transformers_fp32_vs_numpy_fp64": noise},
        "mutants_max_abs_diff": mutants,
        "sampled_ids": sampled,
        "prompts": [
            golden_prompt(model, text, some, rows, sampled)
            for (text, some), rows in zip(prompts, logits, strict=True)
        ],
    }
    golden.write_text(to_json(result) + "\n")
    return result
