"""How goldens are written: numbers that read back as the same fp32, one list a line."""

import json


def fp32(values):
    """An array's values as short decimals, exact after rounding to fp32."""
    return [float(f"{value:.9g}") for value in values]


def to_json(value, depth=0):
    """JSON with one line per list of numbers, so that a golden reads, and differs, row by row."""
    pad = "  " * (depth + 1)
    if isinstance(value, dict) and value:
        items = [f"{pad}{json.dumps(k)}: {to_json(v, depth + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + "  " * depth + "}"
    if isinstance(value, list) and value and isinstance(value[0], (list, dict)):
        return "[\n" + ",\n".join(pad + to_json(v, depth + 1) for v in value) + "\n" + "  " * depth + "]"
    return json.dumps(value)
