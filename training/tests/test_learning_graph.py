"""The learning graph's gradients are autograd's through the same weights."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from tests.conftest import BUNDLE
from tests.stored_encoder import as_stored, by_autograd, random_feeds
from xpeft import DEFAULT_PLM
from xpeft.bundle.manifest import read_manifest
from xpeft.encoder import AdapterEncoder
from xpeft.plm import load_plm
from xpeft.profile_model import target_loss


@pytest.mark.parametrize("target", [[0.0, 0.0, 1.0, 0.0], [0.0, 0.6, 0.4, 0.0]], ids=["class", "score between two labels"])
@pytest.mark.parametrize("tokens", [1, 3, 20])
def test_gradients_are_those_of_autograd(tokens: int, target: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    manifest, _ = read_manifest(BUNDLE)
    monkeypatch.setattr(AdapterEncoder, "gelu", "tanh")
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
