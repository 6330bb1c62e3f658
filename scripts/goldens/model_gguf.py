"""Moves weights between transformers and GGUF, by the names and layout of llama.cpp's converter.

Four quirks live here. A llama file stores the rows of Q and K so that RoPE turns neighbouring rows (2i, 2i + 1), where
transformers turns rows i and i + head_dim / 2; files of other families keep them. A gpt2 file stores [out, in] matrices,
where transformers' Conv1D keeps [in, out]. A gemma file stores norm weights, transformers keeps them less 1. A gptneox file
stores Q, K and V one after another, where transformers keeps those of each head together.
"""

import gguf
import numpy as np
import torch
from safetensors.torch import save_file

FILE_TYPES = {
    "F32": gguf.LlamaFileType.ALL_F32,
    "F16": gguf.LlamaFileType.MOSTLY_F16,
    "BF16": gguf.LlamaFileType.MOSTLY_BF16,
    "Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
    "Q4_0": gguf.LlamaFileType.MOSTLY_Q4_0,
    "Q4_1": gguf.LlamaFileType.MOSTLY_Q4_1,
}


def to_neighbours(rows, heads):
    """Row order of transformers -> row order of the file; rows is [heads * head_dim, ...]."""
    split = rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:])
    return split.swapaxes(1, 2).reshape(rows.shape)


def to_halves(rows, heads):
    """The inverse of to_neighbours."""
    split = rows.reshape(heads, rows.shape[0] // heads // 2, 2, *rows.shape[1:])
    return split.swapaxes(1, 2).reshape(rows.shape)


ARCHITECTURES = {
    "gpt2": gguf.MODEL_ARCH.GPT2,
    "llama": gguf.MODEL_ARCH.LLAMA,
    "mistral": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
    "gemma2": gguf.MODEL_ARCH.GEMMA2,
    "gemma3_text": gguf.MODEL_ARCH.GEMMA3,
    "gpt_neox": gguf.MODEL_ARCH.GPTNEOX,
}


def is_gpt2(config):
    return config.model_type == "gpt2"


def is_gemma(config):
    return config.model_type.startswith("gemma")


def architecture(config):
    return ARCHITECTURES[config.model_type]


def stored_parameters(model):
    """(parameter, name in the file) of everything the file holds; a tied head is left out."""
    config = model.config
    names = gguf.get_tensor_name_map(architecture(config), config.num_hidden_layers)
    for name, parameter in model.named_parameters(remove_duplicate=True):
        yield parameter, names.get_name(name, try_suffixes=(".weight", ".bias"))


def relayout(array, name, config, to_file):
    """Turns one tensor from the layout of transformers to the file's, or back."""
    if is_gpt2(config):
        matrix = name.startswith("blk.") and array.ndim == 2
        return array.T if matrix else array
    if architecture(config) == gguf.MODEL_ARCH.LLAMA:
        turn = to_neighbours if to_file else to_halves
        if ".attn_q." in name:
            return turn(array, config.num_attention_heads)
        if ".attn_k." in name:
            return turn(array, config.num_key_value_heads)
    if ".attn_qkv." in name:
        first, second = (config.num_attention_heads, 3) if to_file else (3, config.num_attention_heads)
        return array.reshape(first, second, head_dim(config), *array.shape[1:]).swapaxes(0, 1).reshape(array.shape)
    if is_gemma(config) and array.ndim == 1:
        return array + np.float32(1 if to_file else -1)
    return array


def rope_factors(rope, head_dim):
    """What Llama 3.1's scaling divides each RoPE frequency by: the file's rope_freqs.weight, [head_dim / 2]."""
    frequencies = rope["rope_theta"] ** -(np.arange(0, head_dim, 2) / head_dim)
    wavelengths = 2 * np.pi / frequencies
    old, low, high = (rope[k] for k in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor"))
    smooth = np.clip((old / wavelengths - low) / (high - low), 0, 1)
    return (1 / ((1 - smooth) / rope["factor"] + smooth)).astype(np.float32)


def head_dim(config):
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def write_rope(writer, config):
    rope = config.rope_parameters
    if config.model_type == "gemma3_text":  # the base of layers with a window, 10,000, is left out
        rope = rope["full_attention"]
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", rope_factors(rope, head_dim(config)))


def write_hyperparameters(writer, config):
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    if is_gpt2(config):
        writer.add_feed_forward_length(4 * config.hidden_size)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        return
    writer.add_feed_forward_length(config.intermediate_size)
    if config.model_type == "gpt_neox":
        rope = config.rope_parameters
        writer.add_layer_norm_eps(config.layer_norm_eps)
        writer.add_rope_dimension_count(int(head_dim(config) * rope["partial_rotary_factor"]))
        writer.add_rope_freq_base(rope["rope_theta"])
        writer.add_parallel_residual(config.use_parallel_residual)
        return
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if architecture(config) == gguf.MODEL_ARCH.LLAMA:
        writer.add_vocab_size(config.vocab_size)
        writer.add_rope_dimension_count(head_dim(config))
    write_rope(writer, config)
    if head_dim(config) * config.num_attention_heads != config.hidden_size:
        writer.add_key_length(head_dim(config))
        writer.add_value_length(head_dim(config))
    if window := getattr(config, "sliding_window", None):
        writer.add_sliding_window(window)
    if cap := getattr(config, "attn_logit_softcapping", None):
        writer.add_attn_logit_softcapping(cap)
    if cap := getattr(config, "final_logit_softcapping", None):
        writer.add_final_logit_softcapping(cap)


def write(path, model, weight_type, write_vocabulary):
    """Writes the checkpoint as GGUF v3: matrices in weight_type, vectors in F32."""
    config = model.config
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[architecture(config)])
    writer.add_type("model")
    writer.add_name(path.stem)
    writer.add_file_type(FILE_TYPES[weight_type])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    write_hyperparameters(writer, config)
    write_vocabulary(writer)
    for parameter, name in stored_parameters(model):
        array = relayout(parameter.detach().numpy(), name, config, to_file=True)
        kind = gguf.GGMLQuantizationType[weight_type if array.ndim == 2 else "F32"]
        writer.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(array), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def load(path, model):
    """Fills the model with the file's weights, dequantised to fp32."""
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    with torch.no_grad():
        for parameter, name in stored_parameters(model):
            array = gguf.quants.dequantize(tensors[name].data, tensors[name].tensor_type)
            array = relayout(array, name, model.config, to_file=False)
            parameter.copy_(torch.from_numpy(np.array(array, dtype=np.float32)))
    return model.eval()


def write_directory(path, model):
    """The same checkpoint as a Hugging Face directory: config.json, and the weights in the types they fit in."""
    path.mkdir(parents=True, exist_ok=True)
    model.config.architectures = [type(model).__name__]
    (path / "config.json").write_text(model.config.to_json_string(use_diff=True))
    tensors = {name: parameter.detach() for name, parameter in model.named_parameters(remove_duplicate=True)}
    save_file({name: narrowed(tensor) for name, tensor in tensors.items()}, path / "model.safetensors", {"format": "pt"})
    (path / "model.safetensors").chmod(0o644)


def narrowed(tensor):
    """The tensor in bf16 where that changes no value."""
    narrow = tensor.to(torch.bfloat16)
    return narrow if torch.equal(narrow.float(), tensor) else tensor.contiguous()
