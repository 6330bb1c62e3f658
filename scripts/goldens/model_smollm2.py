"""Writes tests/data/goldens/smollm2.json: what transformers answers for SmolLM2-135M-Instruct on a GGUF's weights."""

import argparse
from pathlib import Path

import gguf
import tokenizers
from tokenizers import pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

import model_gguf
from model_real import PROSE, write_golden

GOLDEN = Path(__file__).parents[2] / "tests/data/goldens/smollm2.json"
CHAT = (
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n"
)


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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gguf", type=Path, help="SmolLM2-135M-Instruct.Q4_1.gguf")
    path = parser.parse_args().gguf
    metadata = {name: field.contents() for name, field in gguf.GGUFReader(path).fields.items()}
    model = model_gguf.load(path, empty_model(metadata))
    text = tokenizer(metadata)
    prompts = [(t, text.encode(t).ids) for t in (CHAT, PROSE)]
    result = write_golden(GOLDEN, path, model, len(metadata["tokenizer.ggml.tokens"]), prompts)
    for prompt in result["prompts"]:
        print(len(prompt["ids"]), "tokens, then:", repr(text.decode(prompt["greedy_ids"], skip_special_tokens=False)))


if __name__ == "__main__":
    main()
