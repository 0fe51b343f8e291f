"""Packs an encoder for the kernels of the edge: one file that is an image of their memory (docs/formats.md, "Packed encoder").

Weights have 7 bits and a scale for each output, so that relaxed SIMD multiplies them exactly. The kernels quantize activations to 8 bits,
by token. Before that each channel is divided by a factor, and its weights are multiplied by it, so that a few large channels do not take
the resolution from all others: SmoothQuant (arXiv 2211.10438), with its exponent of a half. `xpeft.quantized_encoder` computes the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from xpeft.bundle.calibration import input_ranges
from xpeft.bundle.graph import quantize_columns, weight_of
from xpeft.bundle.manifest import PACKED_GROUP, ManifestPacked
from xpeft.plm import PLM

Array = NDArray[np.float32]

# The second operand of relaxed SIMD's dot product has 7 bits, without a sign.
STEPS, OFFSET = 63, 64
# Outputs whose weights lie side by side, and inputs of one dot product.
OUTPUTS, INPUTS = PACKED_GROUP, 4
ALIGNED = 16
# Linear layers by their input: key and value have query's.
SITES = ("query", "attention_out", "up", "down")
# A channel that is always 0 has a factor too.
LEAST = 1e-5
# Smoothing factors between 1 and 2.
SMOOTHING_STEPS = 1024


@dataclass(frozen=True)
class PackedLinear:
    """Linear layers side by side, quantized."""

    steps: NDArray[np.int8]  # [in, out], -63 to 63
    factors: Array  # [out], what a step of each output's weights is worth
    biases: Array  # [out]
    inverses: Array  # [in], what each channel is multiplied by before its quantization


def packed_of(plm: PLM) -> tuple[ManifestPacked | None, bytes]:
    """Return the sizes of a packed encoder, and the encoder. None if the kernels cannot compute it, as MPNet with its relative positions.

    It needs a tail too (src/bundle/manifest.ts).
    """
    feed_forward = plm.layers[0].up.out_features
    norms = {plm.norm.eps, *(norm.eps for layer in plm.layers for norm in (layer.attention_norm, layer.norm))}
    groups = (plm.hidden, plm.hidden // plm.heads, feed_forward)
    if plm.relative is not None or len(norms) > 1 or any(size % PACKED_GROUP for size in groups):
        return None, b""
    sizes = ManifestPacked(
        heads=plm.heads,
        intermediate=feed_forward,
        words=len(plm.words),
        types=len(plm.types),
        positions=len(plm.positions),
        epsilon=plm.norm.eps,
    )
    data = (array.tobytes() for array in arrays(plm))
    return sizes, b"".join(one + bytes(-len(one) % ALIGNED) for one in data)


def arrays(plm: PLM) -> Iterator[NDArray[np.generic]]:
    """Yield the arrays of a packed encoder in their order; each begins at a multiple of 16 bytes."""
    words, scales = quantize_columns(plm.words.detach().numpy().T)
    yield np.ascontiguousarray(words.T)
    yield scales
    yield plm.types.detach().numpy()
    yield plm.positions.detach().numpy()
    yield norm_weights(plm.norm)
    for linears, layer in zip(packed_linears(plm), plm.layers, strict=True):
        yield from product(linears["query"])
        yield from product(linears["attention_out"])
        yield norm_weights(layer.attention_norm)
        yield from product(linears["up"])
        yield from product(linears["down"])
        yield norm_weights(layer.norm)


def packed_linears(plm: PLM) -> list[dict[str, PackedLinear]]:
    """Return the quantized linear layers of each layer by site; query, key and value are one."""
    return [
        {
            site: quantize_linears([layer.query, layer.key, layer.value] if site == "query" else [getattr(layer, site)], ranges[site])
            for site in SITES
        }
        for layer, ranges in zip(plm.layers, input_ranges(plm, SITES), strict=True)
    ]


def quantize_linears(linears: list[nn.Linear], ranges: torch.Tensor) -> PackedLinear:
    """Return linear layers of one input side by side. ranges: the greatest absolute value of each input channel, float64 [in]."""
    parts = [weight_of(linear) for linear in linears]
    weight = np.concatenate([weight for weight, _ in parts], axis=1)
    largest = np.maximum(np.abs(weight).max(axis=1), LEAST).astype(np.float64)
    exponents = np.log2(np.maximum(ranges.numpy(), LEAST) / largest) / 2
    # Their geometric mean is 1, so that weights keep their size. Rounded, they are the same on every machine.
    smoothing = np.exp2(np.rint(SMOOTHING_STEPS * (exponents - exponents.mean())) / SMOOTHING_STEPS).astype(np.float32)
    steps, factors = quantize_7_bits(weight * smoothing[:, None])
    return PackedLinear(steps, factors, np.concatenate([bias for _, bias in parts]), 1 / smoothing)


def product(linear: PackedLinear) -> Iterator[NDArray[np.generic]]:
    """Yield the arrays of a quantized linear layer."""
    yield from (pack(linear.steps), linear.factors, linear.biases, linear.inverses)


def quantize_7_bits(weight: Array) -> tuple[NDArray[np.int8], Array]:
    """Return the steps of a weight [in, out], and what a step of each column is worth, [out]."""
    factors = (np.maximum(np.abs(weight).max(axis=0), 1e-12) / np.float32(STEPS)).astype(np.float32)
    return np.clip(np.rint(weight / factors), -STEPS, STEPS).astype(np.int8), factors


def pack(steps: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Return steps [in, out] as bytes [out / 8, in / 4, 8 outputs, 4 inputs], 64 more than they are."""
    inputs, outputs = steps.shape
    parts = (steps + OFFSET).astype(np.uint8).reshape(inputs // INPUTS, INPUTS, outputs // OUTPUTS, OUTPUTS)
    return np.ascontiguousarray(parts.transpose(2, 0, 3, 1))


def norm_weights(norm: nn.LayerNorm) -> Array:
    """Return weight and bias of a LayerNorm, [2, d]."""
    return np.stack([norm.weight.detach().numpy(), norm.bias.detach().numpy()])
