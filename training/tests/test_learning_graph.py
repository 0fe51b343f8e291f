"""The learning graph's gradients are autograd's through the same weights."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from onnx import numpy_helper

from tests.conftest import BUNDLE
from xpeft import DEFAULT_PLM
from xpeft.bundle.manifest import Manifest, read_manifest
from xpeft.encoder import AdapterEncoder, Adapters
from xpeft.plm import PLM, load_plm
from xpeft.profile_model import target_loss

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


@pytest.mark.parametrize("target", [[0.0, 0.0, 1.0, 0.0], [0.0, 0.6, 0.4, 0.0]], ids=["class", "score between two labels"])
@pytest.mark.parametrize("tokens", [1, 3, 20])
def test_gradients_are_those_of_autograd(tokens: int, target: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    manifest, _ = read_manifest(BUNDLE)
    gelu = F.gelu
    monkeypatch.setattr(F, "gelu", lambda hidden: gelu(hidden, approximate="tanh"))
    feeds = random_feeds(manifest, tokens, target)
    found = onnxruntime.InferenceSession(str(BUNDLE / "learning.onnx")).run(None, feeds)
    expected = by_autograd(as_stored(load_plm(DEFAULT_PLM), BUNDLE), manifest.learning.firstLayer, feeds)
    for one, other in zip(found, expected, strict=True):
        assert np.abs(one - other).max() <= 2e-6 * max(1.0, np.abs(other).max())


def test_the_loss_is_that_of_training() -> None:
    logits, labels, shares = torch.randn(1, 4, generator=torch.Generator().manual_seed(0)), torch.tensor([1]), torch.tensor([0.4])
    target = torch.tensor([0.0, 0.6, 0.4, 0.0])
    assert torch.isclose(-(target * torch.log_softmax(logits[0], dim=0)).sum(), target_loss(logits, labels, shares))


def test_the_learning_graph_continues_from_the_encoders_residual() -> None:
    manifest, _ = read_manifest(BUNDLE)
    layers, first, hidden, bottleneck = manifest.layers, manifest.learning.firstLayer, manifest.hidden, manifest.bottleneck
    source, ids = np.random.default_rng(1), np.array([[101, 2054, 1037, 2154, 102]], dtype=np.int32)
    down, up = (
        (source.standard_normal(shape) * 0.02).astype(np.float32) for shape in ((layers, hidden, bottleneck), (layers, bottleneck, hidden))
    )
    options = onnxruntime.SessionOptions()
    # On a processor without VNNI int8 products saturate otherwise, as they do not in WebAssembly.
    options.add_session_config_entry("session.x64quantprecision", "1")
    features, residual = onnxruntime.InferenceSession(str(BUNDLE / "encoder.onnx"), options).run(
        ["features", "residual"],
        {
            "input_ids": ids,
            "token_type_ids": np.zeros_like(ids),
            "adapter_down": down,
            "adapter_up": up,
            "adapter_gain": np.ones((layers, bottleneck), dtype=np.float32),
            "adapter_shift": np.zeros((layers, bottleneck), dtype=np.float32),
        },
    )
    feeds = {**random_feeds(manifest, 5, [1.0, 0.0]), "residual": residual, "adapter_down": down[first:], "adapter_up": up[first:]}
    (logits,) = onnxruntime.InferenceSession(str(BUNDLE / "learning.onnx")).run(["logits"], feeds)
    # The encoder's last block computes in int8, the learning graph's in fp32.
    assert np.allclose(logits, feeds["head"] @ features + feeds["bias"], atol=0.1)


def test_only_the_last_part_of_the_weights_is_needed(tiny_bundle: Path, tmp_path: Path) -> None:
    for bundle in (BUNDLE, tiny_bundle):
        manifest, _ = read_manifest(bundle)
        assert manifest.learning.weights == manifest.with_role("weights")[-1:]
    for file in ("learning.onnx", *read_manifest(BUNDLE)[0].learning.weights):
        (tmp_path / file).write_bytes((BUNDLE / file).read_bytes())
    onnxruntime.InferenceSession(str(tmp_path / "learning.onnx"))
