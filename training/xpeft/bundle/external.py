"""Weights outside the graph, and trained pools, in parts that each fit one static asset of the edge platform."""

from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import TensorProto
from onnx.external_data_helper import set_external_data

PART_BYTES = 25 * 1024 * 1024 - 1
ALIGNMENT = 64
# Smaller tensors stay in the graph: shape arithmetic needs them when the session is made.
INLINE_BYTES = 1024


def save_external(model: onnx.ModelProto, folder: Path, graph_file: str, weights_file: str) -> list[str]:
    """Write the graph and its weights; answers the weights' file names, `weights_file` with a number behind it. Changes `model`."""
    parts: list[bytearray] = [bytearray()]
    for tensor in model.graph.initializer:
        data = tensor.raw_data
        if len(data) < INLINE_BYTES:
            continue
        padding = -len(parts[-1]) % ALIGNMENT
        if parts[-1] and len(parts[-1]) + padding + len(data) > PART_BYTES:
            parts.append(bytearray())
            padding = 0
        parts[-1] += bytes(padding)
        set_external_data(tensor, f"{weights_file}.{len(parts) - 1}", len(parts[-1]), len(data))
        parts[-1] += data
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
    (folder / graph_file).write_bytes(model.SerializeToString(deterministic=True))
    return write_parts(folder, weights_file, parts)


def save_split(data: bytes, folder: Path, file: str) -> list[str]:
    """Write bytes as they come, in as few parts as fit; answers the names."""
    return write_parts(folder, file, [data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES)])


def write_parts(folder: Path, file: str, parts: Sequence[bytes | bytearray]) -> list[str]:
    """Write parts under names with their numbers; answers the names."""
    names = [f"{file}.{number}" for number in range(len(parts))]
    for name, part in zip(names, parts, strict=True):
        (folder / name).write_bytes(part)
    return names
