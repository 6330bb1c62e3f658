#!/usr/bin/env python3
"""Writes tests/data/tensor/blocks.bin: random blocks of every type of weights in groups, and what the Python package `gguf`
(the format's own) makes of them in fp32. Usage: tensor_blocks.py [OUTPUT]

For each type: its name in 8 bytes, zero-padded; the number of blocks and the bytes of a block, uint32; the blocks; the fp32
values. Codes and the small scales of superblocks are random bits, so that every value of them occurs. The fp16 scales are
ordinary in most blocks; the rest are zeros of both signs, denormals, the largest numbers and infinities. NaN stands for any NaN.
"""
import pathlib
import struct
import sys

import gguf
import numpy as np

# Where the fp16 scales of a block begin.
scales = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q2_K": [80, 82], "Q3_K": [108],
          "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
extremes = np.array([0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x7BFF, 0xFBFF, 0x7C00, 0xFC00, 0x7E00], np.uint16)

random = np.random.default_rng(4)
path = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else
                    pathlib.Path(__file__).parents[2] / "tests/data/tensor/blocks.bin")
path.parent.mkdir(parents=True, exist_ok=True)
with open(path, "wb") as out:
    for name, offsets in scales.items():
        kind = gguf.GGMLQuantizationType[name]
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        count = 1024 // elements + 2 * len(extremes)
        blocks = random.integers(0, 256, (count, size), dtype=np.uint8)
        for at in offsets:
            d = (random.standard_normal(count) * np.exp2(random.integers(-10, 3, count))).astype(np.float16)
            d.view(np.uint16)[-len(extremes):] = random.permutation(extremes)
            blocks[:, at:at + 2] = d.view(np.uint8).reshape(count, 2)
        with np.errstate(invalid="ignore", over="ignore"):
            values = gguf.quants.dequantize(blocks, kind).astype(np.float32)
        out.write(struct.pack("<8sII", name.encode(), count, size) + blocks.tobytes() + values.tobytes())
