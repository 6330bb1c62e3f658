"""The textbook forward pass of a GGUF file in NumPy float64.

It reads the file, not the transformers checkpoint, so it checks the export as well; its distance from transformers'
fp32 logits is the rounding error a bound has to allow. Each mutant is one plausible bug: `deviations` says how far it
throws the logits.
"""

from functools import cache
from math import erf

import gguf
import numpy as np

COMMON_MUTANTS = ["missing_scale", "layer_swap"]
LLAMA_MUTANTS = ["rope_pairing", "query_position_plus_one"]
GPT2_MUTANTS = ["position_plus_one", "position_missing", "qkv_split", "gelu_erf", "missing_bias"]
WINDOW_MUTANTS = ["window_plus_one", "window_minus_one", "window_missing"]
HEAD_NORM_MUTANTS = ["head_norm_missing", "head_norm_after_rope"]
GEMMA_MUTANTS = [
    "pattern_phase", "embedding_unscaled", "post_norm_missing", "norm_less_one", "query_scale_of_dim", "silu"]
GEMMA2_MUTANTS = ["scores_uncapped", "logits_uncapped"]
GEMMA3_MUTANTS = ["rope_bases_swapped"]
GEMMA = {"gemma2": 2, "gemma3": 6}  # which layers see all keys: every second, every sixth
GPT_NEOX_MUTANTS = ["qkv_split", "gelu_tanh", "missing_bias", "one_after_the_other", "whole_head_turned"]
VISIBLE_EPSILON = 1e-4  # below it, a wrong epsilon hides in the rounding of fp32


class Reference:
    def __init__(self, path):
        reader = gguf.GGUFReader(path)
        self.tensors = {tensor.name: tensor for tensor in reader.tensors}
        self.arch = reader.fields["general.architecture"].contents()

        def key(name, default=None):
            field = reader.fields.get(f"{self.arch}.{name}")
            return default if field is None else field.contents()

        self.layers = key("block_count")
        self.heads = key("attention.head_count")
        self.kv_heads = key("attention.head_count_kv", self.heads)
        self.head_dim = key("attention.key_length", key("embedding_length") // self.heads)
        self.window = key("attention.sliding_window")
        self.rotary_dim = key("rope.dimension_count", self.head_dim)
        self.parallel = key("use_parallel_residual", False)
        self.rope_scaling = key("rope.scaling.factor", 1)
        self.rope_base = key("rope.freq_base")
        self.score_cap = key("attn_logit_softcapping")
        self.logit_cap = key("final_logit_softcapping")
        self.epsilon = key("attention.layer_norm_rms_epsilon", key("attention.layer_norm_epsilon"))

    def mutants(self, tokens):
        """The bugs that can show in this file within so many tokens."""
        names = COMMON_MUTANTS + (GPT2_MUTANTS if self.arch == "gpt2" else LLAMA_MUTANTS)
        if self.window and self.window < tokens:
            names = names + WINDOW_MUTANTS
        if 1 < self.kv_heads < self.heads:
            names = names + ["head_map"]
        if self.arch == "qwen2":
            names = names + ["missing_bias"]
        if self.arch in ("qwen3", "gemma3"):
            names = names + HEAD_NORM_MUTANTS
        if self.arch in GEMMA:
            names = names + GEMMA_MUTANTS + (GEMMA3_MUTANTS if self.arch == "gemma3" else GEMMA2_MUTANTS)
        if self.arch == "gptneox":
            names = names + GPT_NEOX_MUTANTS
        if self.rope_scaling != 1:
            names = names + ["rope_scaling_missing"]
        if "rope_freqs.weight" in self.tensors:
            names = names + ["rope_freqs_missing"]
        return names + ["epsilon"] if self.epsilon > VISIBLE_EPSILON else names

    @cache
    def tensor(self, name):
        tensor = self.tensors[name]
        return gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float64)

    def logits(self, ids, mutant=None):
        """[tokens] ids -> [tokens, vocabulary] logits, every position."""
        positions = np.arange(len(ids))
        x = self.tensor("token_embd.weight")[ids]
        if self.arch == "gpt2" and mutant != "position_missing":
            x += self.tensor("position_embd.weight")[positions + (mutant == "position_plus_one")]
        if self.arch in GEMMA and mutant != "embedding_unscaled":
            x *= np.sqrt(np.float32(x.shape[-1]))
        for layer in range(self.layers):
            source = layer ^ 1 if mutant == "layer_swap" and (layer | 1) < self.layers else layer
            block = f"blk.{source}"
            before = x.copy()
            y = self.attention(self.norm(x, f"{block}.attn_norm", mutant), block, layer, positions, mutant)
            x += self.post_norm(y, f"{block}.post_attention_norm", mutant)
            if not self.parallel or mutant == "one_after_the_other":
                before = x
            y = self.feed_forward(self.norm(before, f"{block}.ffn_norm", mutant), block, mutant)
            x += self.post_norm(y, f"{block}.post_ffw_norm", mutant)
        x = self.norm(x, "output_norm", mutant)
        logits = x @ self.tensor("output.weight" if "output.weight" in self.tensors else "token_embd.weight").T
        return logits if mutant == "logits_uncapped" else capped(logits, self.logit_cap)

    def norm(self, x, name, mutant):
        epsilon = 1e-5 if mutant == "epsilon" else self.epsilon
        if self.arch in ("gpt2", "gptneox"):
            x = x - x.mean(-1, keepdims=True)
        weight = self.tensor(f"{name}.weight") - (mutant == "norm_less_one")
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + epsilon) * weight
        return x + self.tensor(f"{name}.bias") if self.arch in ("gpt2", "gptneox") else x

    def post_norm(self, x, name, mutant):
        return self.norm(x, name, mutant) if f"{name}.weight" in self.tensors and mutant != "post_norm_missing" else x

    def linear(self, x, name, mutant=None):
        y = x @ self.tensor(f"{name}.weight").T
        return y + self.tensor(f"{name}.bias") if f"{name}.bias" in self.tensors and mutant != "missing_bias" else y

    def layer_of_all(self, layer, mutant):
        """Whether a layer sees all keys."""
        if self.arch not in GEMMA:
            return not self.window
        return (layer + (mutant != "pattern_phase")) % GEMMA[self.arch] == 0

    def attention(self, x, block, layer, positions, mutant):
        def heads(rows):  # [tokens, n * head_dim] -> [n, tokens, head_dim]
            return rows.reshape(len(rows), -1, self.head_dim).swapaxes(0, 1)

        if self.arch in ("gpt2", "gptneox"):
            qkv = self.linear(x, f"{block}.attn_qkv", mutant)
            if mutant == "qkv_split":  # as if each head kept its own q, k, v together
                q, k, v = qkv.reshape(len(x), self.heads, 3, self.head_dim).transpose(2, 1, 0, 3)
            else:
                q, k, v = (heads(part) for part in np.split(qkv, 3, axis=-1))
        else:
            q, k, v = (heads(self.linear(x, f"{block}.attn_{part}", mutant)) for part in "qkv")
        if self.arch != "gpt2":
            q = self.turned(q, f"{block}.attn_q_norm", layer, positions + (mutant == "query_position_plus_one"), mutant)
            k = self.turned(k, f"{block}.attn_k_norm", layer, positions, mutant)

        group = self.heads // self.kv_heads
        head_map = np.arange(self.heads) // group
        if mutant == "head_map":
            head_map = np.arange(self.heads) % self.kv_heads
        scale = 1 if mutant == "missing_scale" else self.head_dim**-0.5
        if mutant == "query_scale_of_dim":
            scale = (x.shape[-1] // self.heads) ** -0.5
        scores = q @ k[head_map].swapaxes(1, 2) * scale  # [heads, tokens, keys]
        if mutant != "scores_uncapped":
            scores = capped(scores, self.score_cap)
        distance = positions[:, None] - positions[None, :]
        visible = distance >= 0
        if not self.layer_of_all(layer, mutant) and mutant != "window_missing":
            visible &= distance < self.window + (mutant == "window_plus_one") - (mutant == "window_minus_one")
        scores = np.where(visible, scores, -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = weights / weights.sum(-1, keepdims=True) @ v[head_map]
        return self.linear(mixed.swapaxes(0, 1).reshape(len(x), -1), f"{block}.attn_output", mutant)

    def turned(self, x, norm, layer, positions, mutant):
        """q or k with its positions, and before them its norm where there is one."""
        normed = f"{norm}.weight" in self.tensors and mutant != "head_norm_missing"
        if normed and mutant != "head_norm_after_rope":
            x = self.norm(x, norm, mutant)
        x = self.rope(x, layer, positions, mutant)
        return self.norm(x, norm, mutant) if normed and mutant == "head_norm_after_rope" else x

    def frequencies(self, layer, mutant):
        base, scaling = self.rope_base, self.rope_scaling
        if self.arch == "gemma3" and self.layer_of_all(layer, mutant) == (mutant == "rope_bases_swapped"):
            base, scaling = 10000, 1
        turned = self.head_dim if mutant == "whole_head_turned" else self.rotary_dim
        frequencies = base ** -(np.arange(0, turned, 2) / turned)
        if mutant != "rope_scaling_missing":
            frequencies = frequencies / scaling
        if "rope_freqs.weight" in self.tensors and mutant != "rope_freqs_missing":
            frequencies = frequencies / self.tensor("rope_freqs.weight")
        return frequencies

    def rope(self, x, layer, positions, mutant):
        """Turns pairs of rows of each head by position / base^(2i / head_dim): (2i, 2i + 1) in a llama file, else i and
        i + head_dim / 2."""
        turn = np.exp(1j * positions[:, None] * self.frequencies(layer, mutant))
        x, rest = np.split(x, [2 * turn.shape[-1]], axis=-1)
        if (self.arch == "llama") == (mutant == "rope_pairing"):
            first, second = np.split(x, 2, axis=-1)
            turned = (first + 1j * second) * turn
            return np.concatenate([turned.real, turned.imag, rest], axis=-1)
        turned = (x[..., 0::2] + 1j * x[..., 1::2]) * turn
        return np.concatenate([np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape), rest], axis=-1)

    def feed_forward(self, x, block, mutant):
        up = self.linear(x, f"{block}.ffn_up", mutant)
        if self.arch in ("gpt2", "gptneox"):
            if (self.arch == "gptneox" and mutant != "gelu_tanh") or mutant == "gelu_erf":
                hidden = 0.5 * up * (1 + np.vectorize(erf)(up / np.sqrt(2)))
            else:
                hidden = 0.5 * up * (1 + np.tanh(np.sqrt(2 / np.pi) * (up + 0.044715 * up**3)))
        else:
            gate = self.linear(x, f"{block}.ffn_gate")
            curve = np.sqrt(8 / np.pi) * (1 + 0.044715 * gate**2) if self.arch in GEMMA and mutant != "silu" else 1
            hidden = gate / (1 + np.exp(np.minimum(-curve * gate, 700))) * up
        return self.linear(hidden, f"{block}.ffn_down", mutant)


def capped(x, cap):
    return cap * np.tanh(x / cap) if cap else x


def check_visible(mutants, noise):
    """Fails unless every mutant throws the logits at least 100 times as far as fp32 rounding does."""
    if hidden := {name: distance for name, distance in mutants.items() if distance < 100 * noise}:
        raise SystemExit(f"mutants too close to the fp32 noise of {noise:.2e}: {hidden}")


def largest_difference(left, right):
    return max(float(np.abs(np.asarray(a, np.float64) - b).max()) for a, b in zip(left, right, strict=True))


def deviations(reference, prompts, right):
    """mutant -> largest distance of its logits from the right ones, over all prompts."""
    return {
        mutant: largest_difference([reference.logits(ids, mutant) for ids in prompts], right)
        for mutant in reference.mutants(max(map(len, prompts)))
    }
