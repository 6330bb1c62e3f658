#!/usr/bin/env python3
"""Writes python.gguf with the Python package `gguf` 0.19.0 (the format's own writer and quantizers; it needs numpy).

The file pins two things for tests/formats/gguf_python_test.cpp: that what another program wrote is read right, and that
quantize_row() and dequantize_row() agree with the format's reference bit for bit. Usage: make_python_gguf.py [OUTPUT]
"""
import pathlib
import sys

import gguf
import numpy as np

types = [gguf.GGMLQuantizationType[name] for name in ("F16", "BF16", "Q8_0", "Q4_0", "Q4_1")]

# Rows of many magnitudes, then the awkward ones: zeros, a constant, ties between codes, one large value, tiny values.
random = np.random.default_rng(1)
rows = random.standard_normal((24, 64)) * np.exp2(random.integers(-12, 8, (24, 1)))
odd = np.zeros((8, 64))
odd[1] = 3.0
odd[2] = (np.arange(64) - 32) / 2.0
odd[3, 17] = -100.0
odd[4] = np.linspace(-1e-7, 1e-7, 64)
odd[5] = np.where(np.arange(64) % 2, 5.0, -5.0)
odd[6] = np.arange(64) % 16
odd[7] = -np.arange(64)
x = np.concatenate([rows, odd]).astype(np.float32)

path = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).with_name("python.gguf"))
out = gguf.GGUFWriter(path, "llama")
out.add_uint8("test.u8", 255)
out.add_int8("test.i8", -128)
out.add_uint16("test.u16", 65535)
out.add_int16("test.i16", -32768)
out.add_uint32("test.u32", 2**32 - 1)
out.add_int32("test.i32", -(2**31))
out.add_uint64("test.u64", 2**64 - 1)
out.add_int64("test.i64", -(2**63))
out.add_float32("test.f32", 0.1)
out.add_float64("test.f64", 0.1)
out.add_bool("test.bool", True)
out.add_string("test.string", "grüße, 世界")
out.add_array("test.strings", ["", "a", "ü"])
out.add_array("test.ints", [1, -2, 3])
out.add_array("test.floats", [0.5, -0.25])
out.add_array("test.bools", [True, False])
out.add_tensor("x", x)
for t in types:
    q = gguf.quants.quantize(x, t)
    out.add_tensor(f"x.{t.name}", q, raw_dtype=t)
    out.add_tensor(f"y.{t.name}", gguf.quants.dequantize(q, t).astype(np.float32))
out.write_header_to_file()
out.write_kv_data_to_file()
out.write_tensors_to_file()
out.close()
