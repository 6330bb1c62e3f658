"""Moves weights between transformers and GGUF, by the names and layout of llama.cpp's converter (llama, gpt2).

Two quirks live here. A llama file stores the rows of Q and K so that RoPE turns neighbouring rows (2i, 2i + 1), where
transformers turns rows i and i + head_dim / 2. A gpt2 file stores [out, in] matrices, where transformers' Conv1D keeps
[in, out].
"""

import gguf
import numpy as np
import torch

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


def is_gpt2(config):
    return config.model_type == "gpt2"


def architecture(config):
    return gguf.MODEL_ARCH.GPT2 if is_gpt2(config) else gguf.MODEL_ARCH.LLAMA


def stored_parameters(model):
    """(parameter, name in the file) of everything the file holds; a tied head is left out."""
    config = model.config
    names = gguf.get_tensor_name_map(architecture(config), config.num_hidden_layers)
    for name, parameter in model.named_parameters(remove_duplicate=True):
        yield parameter, names.get_name(name, try_suffixes=(".weight", ".bias"))


def relayout(array, name, config, qk_rows):
    """Turns one tensor between the two layouts; qk_rows says which way Q and K go. A transpose is its own inverse."""
    if is_gpt2(config):
        matrix = name.startswith("blk.") and array.ndim == 2
        return array.T if matrix else array
    if ".attn_q." in name:
        return qk_rows(array, config.num_attention_heads)
    if ".attn_k." in name:
        return qk_rows(array, config.num_key_value_heads)
    return array


def rope_factors(rope, head_dim):
    """What Llama 3.1's scaling divides each RoPE frequency by: the file's rope_freqs.weight, [head_dim / 2]."""
    frequencies = rope["rope_theta"] ** -(np.arange(0, head_dim, 2) / head_dim)
    wavelengths = 2 * np.pi / frequencies
    old, low, high = (rope[k] for k in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor"))
    smooth = np.clip((old / wavelengths - low) / (high - low), 0, 1)
    return (1 / ((1 - smooth) / rope["factor"] + smooth)).astype(np.float32)


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
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    if config.head_dim * config.num_attention_heads != config.hidden_size:
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
    if window := getattr(config, "sliding_window", None):
        writer.add_sliding_window(window)


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
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("rope_type") == "llama3":
        writer.add_tensor("rope_freqs.weight", rope_factors(rope, config.head_dim))
    for parameter, name in stored_parameters(model):
        array = relayout(parameter.detach().numpy(), name, config, to_neighbours)
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
            array = relayout(array, name, model.config, to_halves)
            parameter.copy_(torch.from_numpy(np.array(array, dtype=np.float32)))
    return model.eval()
