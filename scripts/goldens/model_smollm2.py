"""Writes tests/data/goldens/smollm2.json: what transformers answers for SmolLM2-135M-Instruct on a GGUF's weights."""

import argparse
from pathlib import Path

import gguf
import numpy as np
import tokenizers
import torch
import transformers
from tokenizers import pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

import model_gguf
from model_json import fp32, to_json
from model_reference import Reference, check_visible, deviations, largest_difference

GOLDEN = Path(__file__).parents[2] / "tests/data/goldens/smollm2.json"
CHAT = (
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n"
)
PROSE = """Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do: \
once or twice she had peeped into the book her sister was reading, but it had no pictures or conversations in it, \
"and what is the use of a book," thought Alice, "without pictures or conversations?"

So she was considering in her own mind (as well as she could, for the hot day made her feel very sleepy and stupid), \
whether the pleasure of making a daisy-chain would be worth the trouble of getting up and picking the daisies, when \
suddenly a White Rabbit with pink eyes ran close by her.

There was nothing so very remarkable in that; nor did Alice think it so very much out of the way to hear the Rabbit \
say to itself, "Oh dear! Oh dear! I shall be too late!\""""  # Lewis Carroll, 1865
TOP, SAMPLED, CONTINUATION = 50, 500, 48


def empty_model(metadata):
    llama = {key.removeprefix("llama."): value for key, value in metadata.items() if key.startswith("llama.")}
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=llama["vocab_size"], hidden_size=llama["embedding_length"], num_hidden_layers=llama["block_count"],
        intermediate_size=llama["feed_forward_length"], num_attention_heads=llama["attention.head_count"],
        num_key_value_heads=llama["attention.head_count_kv"], rms_norm_eps=llama["attention.layer_norm_rms_epsilon"],
        max_position_embeddings=llama["context_length"], tie_word_embeddings=True, attn_implementation="eager",
        rope_parameters={"rope_type": "default", "rope_theta": llama["rope.freq_base"]}))


def tokenizer(metadata):
    tokens = metadata["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in metadata["tokenizer.ggml.merges"]]
    result = tokenizers.Tokenizer(tokenizers.models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    result.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    result.decoder = tokenizers.decoders.ByteLevel()
    kinds = metadata["tokenizer.ggml.token_type"]
    result.add_special_tokens([t for t, kind in zip(tokens, kinds) if kind == gguf.TokenType.CONTROL])
    return result


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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gguf", type=Path, help="SmolLM2-135M-Instruct.Q4_1.gguf")
    path = parser.parse_args().gguf
    metadata = {name: field.contents() for name, field in gguf.GGUFReader(path).fields.items()}
    model = model_gguf.load(path, empty_model(metadata))
    text = tokenizer(metadata)
    texts = [CHAT, PROSE]
    prompts = [text.encode(t).ids for t in texts]
    with torch.no_grad():
        logits = [model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].numpy() for ids in prompts]

    reference = Reference(path)
    exact = [reference.logits(ids) for ids in prompts]
    noise = largest_difference(logits, exact)
    mutants = deviations(reference, prompts[:1], exact[:1])
    check_visible(mutants, noise)
    vocabulary = len(metadata["tokenizer.ggml.tokens"])
    sampled = np.sort(np.random.default_rng(0).choice(vocabulary, SAMPLED, replace=False)).tolist()
    result = {
        "model": path.name,
        "made_with": f"transformers {transformers.__version__}, torch {torch.__version__}",
        "max_abs_logit": largest_difference(exact, [0.0] * len(exact)),
        "max_abs_diff": {"transformers_fp32_vs_numpy_fp64": noise},
        "mutants_max_abs_diff": mutants,
        "sampled_ids": sampled,
        "prompts": [
            golden_prompt(model, t, ids, rows, sampled) for t, ids, rows in zip(texts, prompts, logits, strict=True)
        ],
    }
    GOLDEN.write_text(to_json(result) + "\n")
    print(f"fp32 noise {noise:.2e}, mutants {mutants}")
    for prompt in result["prompts"]:
        print(len(prompt["ids"]), "tokens, then:", repr(text.decode(prompt["greedy_ids"], skip_special_tokens=False)))


if __name__ == "__main__":
    main()
