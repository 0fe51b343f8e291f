"""Packs the default bundle's encoder for the kernels of the bench `engines`: one file that is an image of their memory.

    cd training && .venv/bin/python -m bench.packed ../.cache/bench/engines

Weights have 7 bits and a scale for each output, so that relaxed SIMD multiplies them exactly. The kernels quantize activations to 8 bits,
by token. `QuantizedLinear` computes the same in torch: `golden.json` has residuals to which the kernels are held. `agreement.json` says how
often this quantization gives fp32's label, on the tasks whose data is given.
"""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
import typer
from numpy.typing import NDArray
from torch import nn

from bench.variants import BUNDLE, TASKS
from bench.variants_agreement import data_file, demo_texts
from xpeft import DEFAULT_PLM
from xpeft.atomic_files import atomic_folder
from xpeft.bundle.graph import quantize_columns, weight_of
from xpeft.bundle.manifest import read_manifest
from xpeft.data import group_by_profile
from xpeft.encoder import AdapterEncoder, Adapters
from xpeft.features import predict
from xpeft.plm import PLM, load_plm

Array = NDArray[np.float32]

# The second operand of relaxed SIMD's dot product has 7 bits, without a sign.
STEPS, OFFSET = 63, 64
# Outputs whose weights lie side by side, and inputs of one dot product.
OUTPUTS, INPUTS = 8, 4
ALIGNED = 16
LENGTHS = (1, 2, 3, 4, 5, 6, 7, 32, 130)
ADAPTER_ENTRY = 0.02


def quantize_7_bits(weight: Array) -> tuple[NDArray[np.int8], Array]:
    """Return the steps of a weight [in, out], and what a step of each column is worth, [out]."""
    factors = (np.maximum(np.abs(weight).max(axis=0), 1e-12) / np.float32(STEPS)).astype(np.float32)
    return np.clip(np.rint(weight / factors), -STEPS, STEPS).astype(np.int8), factors


def pack(steps: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Return steps [in, out] as bytes [out / 8, in / 4, 8 outputs, 4 inputs], 64 more than they are."""
    inputs, outputs = steps.shape
    parts = (steps + OFFSET).astype(np.uint8).reshape(inputs // INPUTS, INPUTS, outputs // OUTPUTS, OUTPUTS)
    return np.ascontiguousarray(parts.transpose(2, 0, 3, 1))


def product(*linears: nn.Linear) -> Iterator[NDArray[np.generic]]:
    """Yield packed weights, factors and biases of linear layers side by side."""
    parts = [weight_of(linear) for linear in linears]
    steps, factors = quantize_7_bits(np.concatenate([weight for weight, _ in parts], axis=1))
    yield from (pack(steps), factors, np.concatenate([bias for _, bias in parts]))


def norm_weights(norm: nn.LayerNorm) -> Array:
    """Return weight and bias of a LayerNorm, [2, d]."""
    return np.stack([norm.weight.detach().numpy(), norm.bias.detach().numpy()])


def arrays(plm: PLM) -> Iterator[NDArray[np.generic]]:
    """Yield the arrays of the packed encoder in their order."""
    words, scales = quantize_columns(plm.words.detach().numpy().T)
    yield np.ascontiguousarray(words.T)
    yield scales
    yield plm.types.detach().numpy()
    yield plm.positions.detach().numpy()
    yield norm_weights(plm.norm)
    for layer in plm.layers:
        yield from product(layer.query, layer.key, layer.value)
        yield from product(layer.attention_out)
        yield norm_weights(layer.attention_norm)
        yield from product(layer.up)
        yield from product(layer.down)
        yield norm_weights(layer.norm)


def packed_encoder(plm: PLM) -> bytes:
    """Return the packed encoder: its arrays one after the other, each from a multiple of 16 bytes on."""
    return b"".join(data + bytes(-len(data) % ALIGNED) for data in (array.tobytes() for array in arrays(plm)))


class QuantizedLinear(nn.Module):
    """A linear layer with weights of 7 bits, and inputs of 8 bits by row."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight, bias = weight_of(linear)
        steps, factors = quantize_7_bits(weight)
        # Sums of steps stay below 2^24, so float32 is exact.
        self.steps = torch.from_numpy(steps.astype(np.float32))
        self.factors, self.bias = torch.from_numpy(factors), torch.from_numpy(bias)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the layer's output, float32."""
        scale = rows.abs().amax(-1, keepdim=True) / 127
        inverse = torch.where(scale > 0, 1 / scale, 0)
        return ((rows * inverse).round() @ self.steps) * (scale * self.factors) + self.bias


def quantized_encoder(plm: PLM) -> AdapterEncoder:
    """Return the encoder as the kernels compute it, but for the GELU."""
    encoder = AdapterEncoder(plm)
    words, scales = quantize_columns(plm.words.detach().numpy().T)
    encoder.words = torch.from_numpy(words.T.astype(np.float32) * scales[:, None])
    for block in encoder.blocks:
        for name, part in list(block.named_children()):
            if isinstance(part, nn.Linear):
                setattr(block, name, QuantizedLinear(part))
    return encoder


# The kernels compute the GELU by tanh, as the bundle's graph does.
tanh_gelu = partial(patch, "xpeft.encoder.F.gelu", partial(F.gelu, approximate="tanh"))


def golden(plm: PLM) -> list[dict[str, list[float]]]:
    """Return texts of random words, whose types are 0 and 1 in turn, with the last layer's residual of their first and last token.

    They are read under adapters with entries of 0.02 sin i, in each of the two inputs of the graph.
    """
    layers, bottleneck = len(plm.layers), read_manifest(BUNDLE)[0].bottleneck
    entries = (ADAPTER_ENTRY * np.sin(np.arange(layers * plm.hidden * bottleneck))).astype(np.float32)
    flat = torch.from_numpy(entries)
    adapters = Adapters(flat.view(1, layers, plm.hidden, bottleneck), flat.view(1, layers, bottleneck, plm.hidden))
    encoder, generator, found = quantized_encoder(plm), torch.Generator().manual_seed(0), []
    with tanh_gelu():
        for length in LENGTHS:
            ids = torch.randint(len(plm.words), (1, length), generator=generator)
            types = torch.arange(length)[None] % 2
            residual = encoder.trunk(ids, types, torch.tensor([length]), adapters, layers - 1)[0]
            found.append({"ids": ids[0].tolist(), "first": residual[0].tolist(), "last": residual[-1].tolist()})
    return found


def agreement(data: Path, texts: int) -> dict[str, dict[str, float]]:
    """Return how often the quantized encoder gives fp32's label on dev texts of the demo's tasks whose data is there."""
    found: dict[str, dict[str, float]] = {}
    for task in (task for task in TASKS if data_file(data, task).exists()):
        plm, model, examples = demo_texts(task, data, BUNDLE, texts)
        groups = group_by_profile(examples)
        expected = predict(model, examples, groups, plm.pad_id)
        model.encoder = quantized_encoder(plm)
        with tanh_gelu():
            own = predict(model, examples, groups, plm.pad_id)
        found[task] = {"texts": len(examples), "same": float(np.mean(own == expected))}
    return found


def main(
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    data: Annotated[Path | None, typer.Option(help="Folder of data sets, to measure agreement with fp32.")] = None,
    texts: Annotated[int, typer.Option(min=1, help="Texts of each task's dev split that agreement is measured on.")] = 800,
) -> None:
    """Write the packed encoder, its sizes and golden residuals."""
    plm = load_plm(DEFAULT_PLM)
    words, types, positions = plm.words, plm.types, plm.positions
    sizes = {
        "layers": len(plm.layers),
        "hidden": plm.hidden,
        "heads": plm.heads,
        "intermediate": plm.layers[0].up.out_features,
        "bottleneck": read_manifest(BUNDLE)[0].bottleneck,
        "words": len(words),
        "types": len(types),
        "positions": len(positions),
        "epsilon": plm.norm.eps,
    }
    with atomic_folder(out) as folder:
        (folder / "encoder.packed").write_bytes(packed_encoder(plm))
        (folder / "sizes.json").write_text(json.dumps(sizes))
        (folder / "golden.json").write_text(json.dumps(golden(plm)))
        (folder / "agreement.json").write_text(json.dumps(agreement(data, texts) if data else {}))


if __name__ == "__main__":
    typer.run(main)
