"""Writes tests/data/goldens/gemma3_270m.json: what transformers answers for Gemma 3 270M on a GGUF's weights."""

import argparse
from pathlib import Path

import gguf
from transformers import AutoTokenizer, Gemma3ForCausalLM, Gemma3TextConfig

import model_gguf
from model_real import PROSE, write_golden

GOLDEN = Path(__file__).parents[2] / "tests/data/goldens/gemma3_270m.json"
SENTENCE = "The capital of France is Paris, and the capital of Italy is"


def empty_model(metadata):
    gemma = {key.removeprefix("gemma3."): value for key, value in metadata.items() if key.startswith("gemma3.")}
    return Gemma3ForCausalLM(Gemma3TextConfig(
        vocab_size=len(metadata["tokenizer.ggml.tokens"]), hidden_size=gemma["embedding_length"],
        num_hidden_layers=gemma["block_count"], intermediate_size=gemma["feed_forward_length"],
        num_attention_heads=gemma["attention.head_count"], num_key_value_heads=gemma["attention.head_count_kv"],
        head_dim=gemma["attention.key_length"], query_pre_attn_scalar=gemma["attention.key_length"],
        sliding_window=gemma["attention.sliding_window"], rms_norm_eps=gemma["attention.layer_norm_rms_epsilon"],
        max_position_embeddings=gemma["context_length"], tie_word_embeddings=True, attn_implementation="eager",
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": gemma["rope.freq_base"]},
            "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gguf", type=Path, help="gemma-3-270m.Q4_K_M.gguf")
    path = parser.parse_args().gguf
    metadata = {name: field.contents() for name, field in gguf.GGUFReader(path).fields.items()}
    model = model_gguf.load(path, empty_model(metadata))
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    prompts = [(text, tokenizer(text)["input_ids"]) for text in (SENTENCE, 3 * (PROSE + "\n\n"))]
    result = write_golden(GOLDEN, path, model, model.config.vocab_size, prompts)
    for prompt in result["prompts"]:
        print(len(prompt["ids"]), "tokens, then:", repr(tokenizer.decode(prompt["greedy_ids"])))


if __name__ == "__main__":
    main()
