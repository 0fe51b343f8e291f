"""Writes weights outside the graph, and trained pools, in parts that each fit a static asset of the edge platform."""

from collections.abc import Callable, Sequence
from pathlib import Path

import onnx
from onnx import TensorProto
from onnx.external_data_helper import ExternalDataInfo, set_external_data

PART_BYTES = 25 * 1024 * 1024 - 1
ALIGNMENT = 64
# Smaller tensors stay in the graph: the session needs some of them for shape arithmetic at its creation.
INLINE_BYTES = 1024


def save_external(
    model: onnx.ModelProto, folder: Path, graph_file: str, weights_file: str, separate: Callable[[str], bool] = lambda _name: False
) -> list[str]:
    """Write the graph and its weights, and return the weights' file names, `weights_file` with a number. Changes `model`.

    separate: says by its name whether a weight goes into separate parts at the end, which another graph can load alone.
    """
    parts: list[bytearray] = [bytearray()]
    large = [tensor for tensor in model.graph.initializer if len(tensor.raw_data) >= INLINE_BYTES]
    ranked = sorted(large, key=lambda tensor: separate(tensor.name))
    for before, tensor in zip([*ranked[:1], *ranked], ranked, strict=False):
        data = tensor.raw_data
        padding = -len(parts[-1]) % ALIGNMENT
        starts = separate(tensor.name) and not separate(before.name)
        if parts[-1] and (starts or len(parts[-1]) + padding + len(data) > PART_BYTES):
            parts.append(bytearray())
            padding = 0
        parts[-1] += bytes(padding)
        set_external_data(tensor, f"{weights_file}.{len(parts) - 1}", len(parts[-1]), len(data))
        parts[-1] += data
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
    write_graph(model, folder / graph_file)
    return write_parts(folder, weights_file, parts)


def share_external(model: onnx.ModelProto, saved: onnx.ModelProto) -> list[str]:
    """Make a graph use a saved graph's weights of the same names, and return the weights' files that it needs. Changes `model`."""
    saved_tensors = {tensor.name: tensor for tensor in saved.graph.initializer if tensor.data_location == TensorProto.EXTERNAL}
    files = set()
    for tensor in model.graph.initializer:
        if tensor.name in saved_tensors:
            tensor.CopyFrom(saved_tensors[tensor.name])
            files.add(ExternalDataInfo(tensor).location)
    return sorted(files)


def write_graph(model: onnx.ModelProto, path: Path) -> None:
    """Write a graph; the same graph gives the same bytes."""
    path.write_bytes(model.SerializeToString(deterministic=True))


def save_split(data: bytes, folder: Path, file: str) -> list[str]:
    """Write bytes in as few parts as possible, and return the file names."""
    return write_parts(folder, file, [data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES)])


def write_parts(folder: Path, file: str, parts: Sequence[bytes | bytearray]) -> list[str]:
    """Write parts under numbered file names, and return the names."""
    names = [f"{file}.{number}" for number in range(len(parts))]
    for name, part in zip(names, parts, strict=True):
        (folder / name).write_bytes(part)
    return names
