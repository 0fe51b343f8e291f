"""The encoder in torch with a bundle's rounded weights, and the gradients that its learning graph is to give."""

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from xpeft.bundle.manifest import Manifest
from xpeft.encoder import AdapterEncoder, Adapters
from xpeft.plm import PLM

Feeds = dict[str, NDArray[np.float32]]


def stored_weights(bundle: Path) -> dict[str, NDArray[np.float32]]:
    """The encoder's weights by name."""
    tensors = onnx.load(bundle / "encoder.onnx").graph.initializer
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in tensors}


def stored_linear(weights: dict[str, NDArray[np.float32]], name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight [out, in] and bias of a product as the bundle stores it."""
    stored = name if f"{name}.weight" in weights else f"{name}.int8"
    matrix = weights[f"{stored}.weight"].astype(np.float32) * weights[f"{stored}.scale"]
    if stored != name:
        matrix[weights[f"{name}.outliers"]] = weights[f"{name}.outlier_weight"]
    return torch.from_numpy(matrix.T.copy()), torch.from_numpy(weights[f"{stored}.bias"].copy())


def as_stored(plm: PLM, bundle: Path) -> AdapterEncoder:
    """The encoder in torch with the bundle's rounded weights."""
    weights, encoder = stored_weights(bundle), AdapterEncoder(plm)
    with torch.no_grad():
        for index, layer in enumerate(plm.layers):
            matrix, bias = stored_linear(weights, f"layer.{index}.qkv")
            for linear, part, own in zip((layer.query, layer.key, layer.value), matrix.chunk(3), bias.chunk(3), strict=True):
                linear.weight.copy_(part)
                linear.bias.copy_(own)
            for linear, name in ((layer.attention_out, "attention"), (layer.up, "up"), (layer.down, "down")):
                matrix, bias = stored_linear(weights, f"layer.{index}.{name}")
                linear.weight.copy_(matrix)
                linear.bias.copy_(bias)
    return encoder


def random_feeds(manifest: Manifest, tokens: int, target: list[float]) -> Feeds:
    """Inputs of a size that real ones have."""
    source, layers = np.random.default_rng(0), manifest.layers - manifest.learning.firstLayer
    shapes = {
        "residual": ((tokens, manifest.hidden), 1.0),
        "adapter_down": ((layers, manifest.hidden, manifest.bottleneck), 0.02),
        "adapter_up": ((layers, manifest.bottleneck, manifest.hidden), 0.02),
        "head": ((len(target), manifest.hidden), 0.3),
        "bias": ((len(target),), 1.0),
    }
    feeds = {name: (source.standard_normal(shape) * spread).astype(np.float32) for name, (shape, spread) in shapes.items()}
    return {**feeds, "target": np.array(target, dtype=np.float32)}


def by_autograd(encoder: AdapterEncoder, first: int, feeds: Feeds) -> list[NDArray[np.float32]]:
    """What the graph is to give: loss, logits, and the gradients of both sides of the adapters."""
    given = {name: torch.from_numpy(value) for name, value in feeds.items()}
    down, up = (given[f"adapter_{part}"][None].requires_grad_() for part in ("down", "up"))
    residual = given["residual"][None]
    features = encoder.tail(residual, torch.tensor([residual.shape[1]]), Adapters(down, up), first)
    logits = features[0] @ given["head"].T + given["bias"]
    loss = -(given["target"] * torch.log_softmax(logits, dim=0)).sum()
    loss.backward()
    assert down.grad is not None and up.grad is not None
    return [part.numpy() for part in (loss.detach(), logits.detach(), down.grad[0], up.grad[0])]
