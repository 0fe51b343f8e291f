"""Each family of PLMs computes here what transformers computes, and its graphs compute the same as torch."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from tests.stored_encoder import as_stored, by_autograd, random_feeds
from tests.tiny_families import CONFIGS, write_family
from xpeft.bundle.build import build_bundle
from xpeft.bundle.load import load_bundle_plm
from xpeft.bundle.manifest import read_manifest
from xpeft.encoder import AdapterEncoder, Adapters
from xpeft.errors import UnreadableFile, UnsupportedPlm
from xpeft.plm import PLM, load_plm
from xpeft.pooling import Pooling

TEXTS: list[tuple[str, str | None]] = [
    ("A bird sings in the old tree", None),
    ("Is it late?", "It is nine in the evening, and the shops are closed."),
    ("a", None),
]


@pytest.fixture(scope="module", params=[(family, pooling) for family in CONFIGS for pooling in Pooling], ids="-".join)
def plm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PLM:
    family, pooling = request.param
    return load_plm(str(write_family(tmp_path_factory.mktemp("families") / family, family)), pooling)


@pytest.fixture(scope="module")
def bundle(plm: PLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles") / plm.name
    build_bundle(plm, out, "tiny", bottleneck=5, size=12, chosen=5, seed=1)
    return out


def encode(plm: PLM) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Padded token ids and types, and lengths."""
    encodings = [plm.tokenizer.encode(text, pair) for text, pair in TEXTS]
    lengths = torch.tensor([len(encoding.ids) for encoding in encodings])
    ids = torch.full((len(TEXTS), int(lengths.max())), plm.pad_id)
    types = torch.zeros_like(ids)
    for row, encoding in enumerate(encodings):
        ids[row, : lengths[row]] = torch.tensor(encoding.ids)
        types[row, : lengths[row]] = torch.tensor(encoding.type_ids)
    return ids, types, lengths


def test_features_are_those_of_transformers(plm: PLM) -> None:
    ids, types, lengths = encode(plm)
    model = AutoModel.from_pretrained(plm.folder)
    typed = {"token_type_ids": types} if model.config.model_type in ("bert", "electra") else {}
    real = torch.arange(ids.shape[1]) < lengths[:, None]
    with torch.no_grad():
        found = AdapterEncoder(plm)(ids, types, lengths, None)
        hidden = model(ids, attention_mask=real.long(), **typed).last_hidden_state
    for row, length in enumerate(lengths):
        tokens = hidden[row, :length]
        torch.testing.assert_close(found[row], tokens[0] if plm.pooling is Pooling.cls else tokens.mean(0), rtol=1e-4, atol=1e-5)


def test_the_graph_has_the_features_of_torch(plm: PLM, bundle: Path) -> None:
    manifest, _ = read_manifest(bundle)
    assert (manifest.pooling, manifest.maxTokens) == (plm.pooling, 64)
    ids, types, lengths = encode(plm)
    source = torch.Generator().manual_seed(0)
    down, up = (torch.randn(1, 2, *shape, generator=source) * 0.3 for shape in ((32, 5), (5, 32)))
    with torch.no_grad():
        expected = AdapterEncoder(plm)(ids, types, lengths, Adapters(down, up))
    options = onnxruntime.SessionOptions()
    # Without it, products saturate on a processor without VNNI. WebAssembly's never do.
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(str(bundle / "encoder.onnx"), options)
    affine = {"adapter_gain": np.ones((2, 5), dtype=np.float32), "adapter_shift": np.zeros((2, 5), dtype=np.float32)}
    for row, length in enumerate(lengths):
        tokens = {"input_ids": ids[row : row + 1, :length].int().numpy(), "token_type_ids": types[row : row + 1, :length].int().numpy()}
        (features,) = session.run(["features"], {**tokens, "adapter_down": down[0].numpy(), "adapter_up": up[0].numpy(), **affine})
        assert torch.cosine_similarity(torch.from_numpy(features), expected[row], dim=0) > 0.999


def test_gradients_are_those_of_autograd(plm: PLM, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest, _ = read_manifest(bundle)
    assert manifest.learning.weights == manifest.with_role("weights")[-1:]
    monkeypatch.setattr(AdapterEncoder, "gelu", "tanh")
    session = onnxruntime.InferenceSession(str(bundle / "learning.onnx"))
    fresh = load_plm(str(plm.folder), plm.pooling)
    for tokens in (1, 30):
        feeds = random_feeds(manifest, tokens, [0.0, 0.6, 0.4, 0.0])
        expected = by_autograd(as_stored(fresh, bundle), manifest.learning.firstLayer, feeds)
        for one, other in zip(session.run(None, feeds), expected, strict=True):
            assert np.abs(one - other).max() <= 1e-5 * max(1.0, np.abs(other).max())


def test_training_pools_as_the_bundle_says(plm: PLM, bundle: Path) -> None:
    manifest, _ = read_manifest(bundle)
    assert load_bundle_plm(manifest, str(plm.folder)).pooling is plm.pooling


@pytest.mark.parametrize(
    ("config", "pooling"),
    [
        (None, "mean"),
        ({"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False}, "mean"),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode": "cls", "include_prompt": True}, "cls"),
        ({"pooling_mode": ["mean"]}, "mean"),
    ],
)
def test_the_folder_names_the_pooling(config: object, pooling: str, tmp_path: Path) -> None:
    folder = str(write_family(tmp_path / "bert", "bert", config))
    assert load_plm(folder).pooling == pooling
    assert load_plm(folder, Pooling.cls).pooling is Pooling.cls


def test_another_pooling_is_refused_unless_one_is_given(tmp_path: Path) -> None:
    folder = write_family(tmp_path / "bert", "bert", {"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": True})
    with pytest.raises(UnsupportedPlm, match=r"pooling max_tokens\+mean"):
        load_plm(str(folder))
    assert load_plm(str(folder), Pooling.mean).pooling is Pooling.mean
    (folder / "1_Pooling" / "config.json").write_text("[", encoding="utf-8")
    with pytest.raises(UnreadableFile, match="1_Pooling"):
        load_plm(str(folder))


def test_a_folder_without_all_weights_is_refused(tmp_path: Path) -> None:
    folder = write_family(tmp_path / "bert", "bert")
    weights = load_file(folder / "model.safetensors")
    save_file({name: tensor for name, tensor in weights.items() if not name.startswith("pooler.")}, folder / "model.safetensors")
    load_plm(str(folder))
    del weights["encoder.layer.1.output.dense.bias"]
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(UnreadableFile, match=r"lacks 1 weights, such as encoder\.layer\.1\.output\.dense\.bias"):
        load_plm(str(folder))
