import json
from pathlib import Path

import numpy as np
import pytest
import torch

from xpeft.bundle.build import build_bundle
from xpeft.bundle.manifest import MANIFEST, read_manifest
from xpeft.encoder import AdapterEncoder, Adapters
from xpeft.errors import XpeftError
from xpeft.plm import load_plm
from xpeft.pooling import Pooling


@pytest.mark.parametrize(("personal", "bottleneck", "has_tail"), [(1, 8, True), (2, 8, False), (1, 5, False)])
def test_a_bundle_has_a_tail_if_its_last_layer_alone_is_personal(
    tiny_plm: Path, tmp_path: Path, personal: int, bottleneck: int, has_tail: bool
) -> None:
    plm = load_plm(str(tiny_plm))
    build_bundle(plm, tmp_path / "b", "b", bottleneck=bottleneck, size=6, chosen=3, personal_layers=personal)
    manifest, _ = read_manifest(tmp_path / "b")
    assert ("tail" in json.loads((tmp_path / "b" / MANIFEST).read_bytes())) is has_tail
    assert (manifest.packed is not None) is has_tail
    assert manifest.format == ("xpeft-bundle/3" if has_tail else "xpeft-bundle/1")
    if has_tail:
        assert manifest.tail and manifest.tail.epsilon == plm.layers[-1].norm.eps
        numbers = np.frombuffer((tmp_path / "b" / manifest.file("tail")).read_bytes(), "<f4")
        norm = plm.layers[-1].norm
        assert np.array_equal(numbers, torch.cat([norm.weight, norm.bias]).numpy())


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "xpeft-bundle/1"},
        {"tail": None},
        {"pool": {"kind": "sign", "seed": 0, "size": 6, "chosen": 3, "scale": 1.0}},
        {"learning": {"firstLayer": 0, "weights": []}},
        {"bottleneck": 6},
        {"hidden": 36},
    ],
)
def test_a_tail_that_does_not_fit_its_bundle_is_refused(tiny_plm: Path, tmp_path: Path, changes: dict[str, object]) -> None:
    build_bundle(load_plm(str(tiny_plm)), tmp_path / "b", "b", bottleneck=8, size=6, chosen=3, personal_layers=1)
    manifest = json.loads((tmp_path / "b" / MANIFEST).read_bytes())
    (tmp_path / "b" / MANIFEST).write_text(json.dumps(manifest | changes), encoding="utf-8")
    with pytest.raises(XpeftError, match="tail"):
        read_manifest(tmp_path / "b")


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "xpeft-bundle/2"},
        {"packed": None},
        {"tail": None, "format": "xpeft-bundle/3"},
        {"maxTokens": 65},
        {"packed": {"heads": 8, "intermediate": 64, "words": 9, "types": 2, "positions": 64, "epsilon": 1e-12}},
        {"packed": {"heads": 2, "intermediate": 60, "words": 9, "types": 2, "positions": 64, "epsilon": 1e-12}},
        {"packed": {"heads": 0, "intermediate": 64, "words": 9, "types": 2, "positions": 64, "epsilon": 1e-12}},
    ],
)
def test_a_packed_encoder_that_does_not_fit_its_bundle_is_refused(tiny_plm: Path, tmp_path: Path, changes: dict[str, object]) -> None:
    build_bundle(load_plm(str(tiny_plm)), tmp_path / "b", "b", bottleneck=8, size=6, chosen=3, personal_layers=1)
    manifest = json.loads((tmp_path / "b" / MANIFEST).read_bytes())
    (tmp_path / "b" / MANIFEST).write_text(json.dumps(manifest | changes), encoding="utf-8")
    with pytest.raises(XpeftError, match=r"packed encoder and its files|a packed encoder needs|if and only if it has a tail|packed\.heads"):
        read_manifest(tmp_path / "b")


@pytest.mark.parametrize("pooling", [Pooling.mean, Pooling.cls])
def test_the_tail_gives_the_encoders_features(tiny_plm: Path, pooling: Pooling) -> None:
    plm = load_plm(str(tiny_plm), pooling)
    encoder, source = AdapterEncoder(plm), torch.Generator().manual_seed(2)
    layers = len(plm.layers)
    adapters = Adapters.from_merged(torch.randn(1, layers, 2, plm.hidden * 4, generator=source), plm.hidden)
    ids = torch.randint(1000, 2000, (1, 9), generator=source)
    lengths, types = torch.tensor([9]), torch.zeros_like(ids)
    residual = encoder.trunk(ids, types, lengths, adapters, layers - 1)[0]
    norm = plm.layers[-1].norm
    low = torch.nn.functional.layer_norm(norm(residual) @ adapters.down[0, -1], (4,), eps=1e-5)
    outputs = norm(residual + low.relu() @ adapters.up[0, -1])
    features = outputs.mean(0) if pooling is Pooling.mean else outputs[0]
    torch.testing.assert_close(features, encoder(ids, types, lengths, adapters)[0], rtol=1e-4, atol=1e-5)
