"""Writes the tiny random checkpoints of tests/data/goldens and the logits transformers gives for them.

    model_tiny.py [NAME...]     all of them, or those named
"""

import copy
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers
from transformers import (
    Gemma2Config, Gemma2ForCausalLM, Gemma3ForCausalLM, Gemma3TextConfig, GPT2Config, GPT2LMHeadModel, GPTNeoXConfig,
    GPTNeoXForCausalLM, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM,
    Qwen3Config, Qwen3ForCausalLM)

import model_gguf
from model_json import fp32, to_json
from model_reference import Reference, check_visible, deviations, largest_difference

GOLDENS = Path(__file__).parents[2] / "tests/data/goldens"
PROMPT_LENGTHS = [1, 7, 40]

# A byte-level vocabulary as small as can be: one special token, printable ASCII, space, newline and four merges.
MERGES = ["t h", "h e", "i n", "\u0120 t"]
TOKENS = ["<|endoftext|>", *map(chr, range(0x21, 0x7F)), "\u0120", "\u010a", *(m.replace(" ", "") for m in MERGES)]

LLAMA_SHAPE = dict(
    vocab_size=len(TOKENS), hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, bos_token_id=0, eos_token_id=0, attn_implementation="eager",
)


def llama():
    return LlamaForCausalLM(LlamaConfig(
        **LLAMA_SHAPE, max_position_embeddings=256, rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}))


def llama3():
    """Scaled RoPE, tied embeddings, heads wider than hidden_size / heads."""
    return LlamaForCausalLM(LlamaConfig(
        **LLAMA_SHAPE, head_dim=32, tie_word_embeddings=True, max_position_embeddings=1024, rms_norm_eps=1e-5,
        rope_parameters={
            "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 128}))


def mistral():
    """A window shorter than the longest prompt, and an epsilon large enough to be seen."""
    return MistralForCausalLM(MistralConfig(
        **LLAMA_SHAPE, head_dim=16, sliding_window=8, max_position_embeddings=256, rms_norm_eps=1e-2,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}))


def gpt2():
    """Tied embeddings, an epsilon large enough to be seen."""
    return GPT2LMHeadModel(GPT2Config(
        vocab_size=len(TOKENS), n_positions=64, n_embd=64, n_layer=2, n_head=4, layer_norm_epsilon=1e-2,
        activation_function="gelu_new", bos_token_id=0, eos_token_id=0, attn_implementation="eager"))


def qwen2():
    """Biases on q, k and v."""
    return Qwen2ForCausalLM(Qwen2Config(
        **LLAMA_SHAPE, max_position_embeddings=256, rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}))


def qwen3():
    """Norms over heads wider than hidden_size / heads, tied embeddings."""
    return Qwen3ForCausalLM(Qwen3Config(
        **LLAMA_SHAPE, head_dim=32, tie_word_embeddings=True, max_position_embeddings=256, rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}))


def gemma2():
    """Caps that scores and logits reach, a window shorter than the longest prompt in every other layer."""
    shape = LLAMA_SHAPE | dict(hidden_size=32, intermediate_size=64, num_hidden_layers=4)
    return Gemma2ForCausalLM(Gemma2Config(
        **shape, head_dim=16, query_pre_attn_scalar=16, sliding_window=8, max_position_embeddings=256, rms_norm_eps=1e-6,
        attn_logit_softcapping=2.0, final_logit_softcapping=4.0, tie_word_embeddings=True, pad_token_id=0,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}))


def gemma3():
    """One head of keys and values, a window shorter than the longest prompt, a sixth layer of eight without it."""
    shape = LLAMA_SHAPE | dict(hidden_size=32, intermediate_size=64, num_hidden_layers=8, num_key_value_heads=1)
    return Gemma3ForCausalLM(Gemma3TextConfig(
        **shape, head_dim=16, query_pre_attn_scalar=16, sliding_window=8, max_position_embeddings=256, rms_norm_eps=1e-6,
        tie_word_embeddings=True, pad_token_id=0,
        rope_parameters={
            "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}))


def gpt_neox():
    """Positions in half of each head, attention beside the feed-forward network."""
    return GPTNeoXForCausalLM(GPTNeoXConfig(
        vocab_size=len(TOKENS), hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=256, hidden_act="gelu", layer_norm_eps=1e-5, use_parallel_residual=True,
        bos_token_id=0, eos_token_id=0, attn_implementation="eager",
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}))


# file -> checkpoint, seed of its weights, weight type
GOLDEN_MODELS = {
    "tiny_llama": (llama, 1, "F32"),
    "tiny_llama_f16": (llama, 1, "F16"),
    "tiny_llama_bf16": (llama, 1, "BF16"),
    "tiny_llama_q8_0": (llama, 1, "Q8_0"),
    "tiny_llama_q4_0": (llama, 1, "Q4_0"),
    "tiny_llama_q4_1": (llama, 1, "Q4_1"),
    "tiny_llama3": (llama3, 2, "F32"),
    "tiny_mistral": (mistral, 3, "F32"),
    "tiny_gpt2": (gpt2, 4, "F32"),
    "tiny_qwen2": (qwen2, 5, "BF16"),
    "tiny_qwen3": (qwen3, 6, "BF16"),
    "tiny_gemma3": (gemma3, 7, "BF16"),
    "tiny_gpt_neox": (gpt_neox, 8, "BF16"),
    "tiny_gemma2": (gemma2, 9, "BF16"),
}
# Those that are written as Hugging Face directories too.
DIRECTORIES = [
    "tiny_llama_bf16", "tiny_llama3", "tiny_mistral", "tiny_gpt2", "tiny_qwen2", "tiny_qwen3", "tiny_gemma3",
    "tiny_gpt_neox", "tiny_gemma2"]


def enliven(model, seed):
    """Random weights large enough that every part of the model moves the logits; of a newer family they fit in bf16."""
    in_bf16 = seed >= 5
    gemma = model_gguf.is_gemma(model.config)
    random = np.random.default_rng(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            shape = tuple(parameter.shape)
            if name.endswith(".bias"):
                values = 0.2 * random.standard_normal(shape)
            elif parameter.ndim == 1:  # a norm's weight
                values = 1 + random.uniform(-0.2, 0.2, shape)
                if gemma:
                    values = np.round(256 * (values - 1)) / 256
            elif ".wpe." in name or "embed" in name or ".wte." in name or "lm_head" in name:
                values = 0.4 * random.standard_normal(shape)
            else:
                fan_in = shape[0] if model_gguf.is_gpt2(model.config) else shape[1]
                values = 1.5 / np.sqrt(fan_in) * random.standard_normal(shape)
            values = torch.from_numpy(values.astype(np.float32))
            parameter.copy_(values.bfloat16() if in_bf16 else values)
    return model


def write_vocabulary(writer):
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(TOKENS)
    writer.add_token_types([control] + [normal] * (len(TOKENS) - 1))
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(False)


def run(model, prompts):
    with torch.no_grad():
        return [model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].numpy() for ids in prompts]


def golden(path, model, prompts):
    logits = run(model, prompts)
    reference = Reference(path)
    exact = [reference.logits(ids) for ids in prompts]
    in_double = run(copy.deepcopy(model).double(), prompts)
    return {
        "model": path.name,
        "made_with": f"transformers {transformers.__version__}, torch {torch.__version__}",
        "max_abs_logit": largest_difference(exact, [0.0] * len(exact)),
        "max_abs_diff": {
            "transformers_fp32_vs_numpy_fp64": largest_difference(logits, exact),
            "transformers_fp32_vs_transformers_double": largest_difference(logits, in_double),
            "transformers_double_vs_numpy_fp64": largest_difference(in_double, exact),
        },
        "mutants_max_abs_diff": deviations(reference, prompts, exact),
        "prompts": [
            {"ids": ids, "logits": [fp32(row) for row in rows]}
            for ids, rows in zip(prompts, logits)
        ],
    }


def main():
    GOLDENS.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    prompts = [random.integers(1, len(TOKENS), length).tolist() for length in PROMPT_LENGTHS]
    for name in sys.argv[1:] or GOLDEN_MODELS:
        checkpoint, seed, weight_type = GOLDEN_MODELS[name]
        path = GOLDENS / f"{name}.gguf"
        model_gguf.write(path, enliven(checkpoint(), seed), weight_type, write_vocabulary)
        model = model_gguf.load(path, checkpoint())
        if name in DIRECTORIES:
            model_gguf.write_directory(GOLDENS / "hf" / name, model)
        result = golden(path, model, prompts)
        path.with_suffix(".json").write_text(to_json(result) + "\n")
        noise = result["max_abs_diff"]["transformers_fp32_vs_numpy_fp64"]
        mutants = result["mutants_max_abs_diff"]
        check_visible(mutants, noise)
        print(f"{name}: logits up to {result['max_abs_logit']:.2f}, fp32 noise {noise:.2e}, "
              f"nearest mutant {min(mutants, key=mutants.get)} at {min(mutants.values()):.2e}")


if __name__ == "__main__":
    main()
