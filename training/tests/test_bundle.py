import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from tokenizers.normalizers import NFC
from typer.testing import CliRunner

from tests.conftest import BUNDLE, build_tiny_bundle
from xpeft import DEFAULT_PLM
from xpeft.bundle import external, platform_limits
from xpeft.bundle.build import build_bundle
from xpeft.bundle.graph import encoder_graph
from xpeft.bundle.load import pool_entries
from xpeft.bundle.manifest import MANIFEST, read_manifest
from xpeft.cli import app
from xpeft.encoder import AdapterEncoder, Adapters, merge
from xpeft.errors import TooLarge, UnsupportedTokenizer, XpeftError
from xpeft.masks import hard_weights
from xpeft.plm import load_plm
from xpeft.pool import PoolShape, default_scale, sign_pool
from xpeft.stored_pool import StoredPool, save_pool

PART_LIMIT = 25 * 1024 * 1024


def test_a_rebuilt_default_bundle_has_the_same_hashes(tmp_path: Path) -> None:
    out = tmp_path / "minilm-l6-v2"
    build_bundle(load_plm(DEFAULT_PLM), out, "minilm-l6-v2", bottleneck=16, size=256, chosen=128, personal_layers=1)
    assert (out / MANIFEST).read_bytes() == (BUNDLE / MANIFEST).read_bytes()
    _, identity = read_manifest(out)
    assert identity == read_manifest(BUNDLE)[1]


def test_every_file_fits_one_asset() -> None:
    manifest, _ = read_manifest(BUNDLE)
    assert all(file.bytes < PART_LIMIT for file in manifest.files)
    assert {file.path for file in manifest.files} | {MANIFEST} == {path.name for path in BUNDLE.iterdir()}


def test_int8_features_point_where_fp32_ones_do() -> None:
    manifest, _ = read_manifest(BUNDLE)
    plm, shape = load_plm(DEFAULT_PLM), manifest.pool_shape
    logits = torch.randn(1, shape.layers, 2, shape.size, generator=torch.Generator().manual_seed(0))
    merged = merge(hard_weights(logits, shape.chosen), pool_entries(BUNDLE, manifest))
    # Layers without a pool have adapters of zeros.
    merged = torch.cat([merged.new_zeros(1, shape.first_layer, *merged.shape[2:]), merged], dim=1)
    layers = shape.encoder_layers
    encoder, session = AdapterEncoder(plm), onnxruntime.InferenceSession(str(BUNDLE / "encoder.onnx"))
    feeds = {
        "adapter_down": merged[0, :, 0].reshape(layers, shape.hidden, shape.bottleneck).numpy(),
        "adapter_up": merged[0, :, 1].reshape(layers, shape.bottleneck, shape.hidden).numpy(),
        "adapter_gain": np.ones((layers, shape.bottleneck), dtype=np.float32),
        "adapter_shift": np.zeros((layers, shape.bottleneck), dtype=np.float32),
    }
    for text, other in (("Ferry crews vote to end the strike", None), ("Is it raining?", "It has been dry since Monday.")):
        encoding = plm.tokenizer.encode(text, other) if other else plm.tokenizer.encode(text)
        ids, types = torch.tensor([encoding.ids]), torch.tensor([encoding.type_ids])
        with torch.no_grad():
            expected = encoder(ids, types, torch.tensor([ids.shape[1]]), Adapters.from_merged(merged, shape.hidden))[0]
        inputs = {"input_ids": ids.int().numpy(), "token_type_ids": types.int().numpy(), **feeds}
        (features,) = session.run(["features"], inputs)
        assert features.shape == (shape.hidden,)
        assert torch.cosine_similarity(torch.from_numpy(features), expected, dim=0) > 0.99


@pytest.mark.parametrize("file", ["encoder.onnx", "encoder.weights.0", "tokenizer.json", "NOTICE"])
def test_one_flipped_byte_is_noticed(tiny_bundle: Path, tmp_path: Path, file: str) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(tiny_bundle, copy)
    read_manifest(copy)
    data = bytearray((copy / file).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / file).write_bytes(data)
    with pytest.raises(XpeftError, match=file):
        read_manifest(copy)


def test_weights_are_split_into_parts(tiny_plm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = encoder_graph(load_plm(str(tiny_plm)), 5)
    monkeypatch.setattr(external, "PART_BYTES", 1_000_000)
    names = external.save_external(model, tmp_path, "encoder.onnx", "encoder.weights")
    assert len(names) > 1
    assert all((tmp_path / name).stat().st_size <= 1_000_000 for name in names)
    onnx.load(tmp_path / "encoder.onnx")
    onnxruntime.InferenceSession(str(tmp_path / "encoder.onnx"))


def test_a_trained_pool_is_part_of_its_bundle(tiny_plm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "PART_BYTES", 1_000_000)
    shape, file, out = PoolShape(2, 32, 5, 1000, 5), tmp_path / "pool.safetensors", tmp_path / "bundle"
    pool = torch.randn(2, 2, 1000, 160, generator=torch.Generator().manual_seed(0))
    save_pool(file, pool)
    plm = load_plm(str(tiny_plm))
    build_bundle(plm, out, "tiny", bottleneck=5, size=1000, chosen=5, pool_file=file)
    manifest, _ = read_manifest(out)
    assert manifest.pool.kind == "trained"
    assert manifest.with_role("pool") == ["pool.0"]
    assert torch.equal(pool_entries(out, manifest), StoredPool.quantize(pool).entries())
    assert manifest.pool_shape == shape

    monkeypatch.setattr(external, "PART_BYTES", 300_000)
    build_bundle(plm, out, "tiny", bottleneck=5, size=1000, chosen=5, pool_file=file)
    manifest, _ = read_manifest(out)
    assert manifest.with_role("pool") == ["pool.0", "pool.1", "pool.2"]
    assert torch.equal(pool_entries(out, manifest), StoredPool.quantize(pool).entries())
    with pytest.raises(XpeftError, match=r"has 656000 bytes where its sizes make 328000"):
        StoredPool.unpack(StoredPool.quantize(pool).pack(), PoolShape(2, 32, 5, 500, 5))
    with pytest.raises(XpeftError, match="holds a pool"):
        build_bundle(plm, out, "tiny", bottleneck=6, size=1000, chosen=5, pool_file=file)


def test_a_pool_can_be_larger_than_usual(tiny_plm: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    usual = pool_entries(tiny_bundle, read_manifest(tiny_bundle)[0])
    out = tmp_path / "large"
    sizes = ["--bottleneck", "5", "--pool-size", "12", "--chosen", "5", "--pool-seed", "1", "--pool-scale", "3", "--personal-layers", "2"]
    assert CliRunner().invoke(app, ["bundle", "--plm", str(tiny_plm), "--out", str(out), *sizes]).exit_code == 0
    assert torch.allclose(pool_entries(out, read_manifest(out)[0]), 3 * usual)


def test_a_matrix_that_fits_no_file_is_refused(tiny_plm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The word embeddings have 976,704 bytes.
    monkeypatch.setattr(external, "PART_BYTES", 900_000)
    monkeypatch.setattr(platform_limits, "PART_BYTES", 900_000)
    with pytest.raises(TooLarge, match=r"encoder\.weights\.0 would have 9.* bytes"):
        build_tiny_bundle(tiny_plm, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_a_tokenizer_that_the_edge_cannot_read_is_refused(tiny_plm: Path, tmp_path: Path) -> None:
    plm = load_plm(str(tiny_plm))
    plm.tokenizer.normalizer = NFC()
    with pytest.raises(UnsupportedTokenizer, match=r"normalizer\.type"):
        build_bundle(plm, tmp_path / "bundle", "tiny", bottleneck=5, size=12, chosen=5)
    plm = load_plm(str(tiny_plm))
    plm.tokenizer.add_tokens(["acme"])
    with pytest.raises(UnsupportedTokenizer, match="the id 30522, and the PLM has 30522 word embeddings"):
        build_bundle(plm, tmp_path / "bundle", "tiny", bottleneck=5, size=12, chosen=5)
    assert not (tmp_path / "bundle").exists()


def test_the_command_notes_that_an_isolate_is_too_small(tiny_plm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build() -> str:
        ran = CliRunner().invoke(app, ["bundle", "--plm", str(tiny_plm), "--out", str(tmp_path / "bundle"), "--pooling", "cls"])
        assert ran.exit_code == 0
        return ran.stderr

    assert "note:" not in build()
    monkeypatch.setattr(platform_limits, "ISOLATE_BYTES", 2_000_000)
    assert "note: loading this bundle takes more than 2 MB" in build()
    assert read_manifest(tmp_path / "bundle")[0].pooling == "cls"


def test_a_folder_with_other_files_is_not_overwritten(tiny_plm: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(XpeftError, match="not a bundle"):
        build_bundle(load_plm(str(tiny_plm)), tmp_path, "tiny", bottleneck=5, size=12, chosen=5, seed=1)
    assert (tmp_path / "letter.txt").exists()


def test_the_manifest_rejects_unknown_fields(tiny_bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(tiny_bundle, copy)
    manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    (copy / MANIFEST).write_text(json.dumps({**manifest, "extra": 1}), encoding="utf-8")
    with pytest.raises(XpeftError, match="extra"):
        read_manifest(copy)


@pytest.mark.parametrize(("personal", "learnt", "first"), [(2, 2, 0), (2, 1, 0), (None, 2, 1)])
def test_the_pool_covers_the_personal_layers(tiny_plm: Path, tmp_path: Path, personal: int | None, learnt: int, first: int) -> None:
    out = tmp_path / "bundle"
    sizes = ["--bottleneck", "5", "--pool-size", "12", "--chosen", "5", "--pool-seed", "1", "--learnt-layers", str(learnt)]
    layers = ["--personal-layers", str(personal)] if personal else []
    assert CliRunner().invoke(app, ["bundle", "--plm", str(tiny_plm), "--out", str(out), *sizes, *layers]).exit_code == 0
    manifest, _ = read_manifest(out)
    assert manifest.pool_shape == PoolShape(2 - first, 32, 5, 12, 5, first)
    assert manifest.learning.firstLayer == 2 - min(learnt, personal or 1)
    assert ("firstLayer" in json.loads((out / MANIFEST).read_text(encoding="utf-8"))["pool"]) == (first > 0)
    # The stream of signs begins at the first personal layer.
    whole = sign_pool(1, PoolShape(2, 32, 5, 12, 5), default_scale(5))
    assert torch.equal(pool_entries(out, manifest), whole[: 2 - first])


def test_a_trained_pools_last_layers_are_taken(tiny_plm: Path, tmp_path: Path) -> None:
    pool = torch.randn(2, 2, 12, 160, generator=torch.Generator().manual_seed(0))
    save_pool(tmp_path / "pool.safetensors", pool)
    out = tmp_path / "bundle"
    plm = load_plm(str(tiny_plm))
    build_bundle(plm, out, "tiny", bottleneck=5, size=12, chosen=5, pool_file=tmp_path / "pool.safetensors", personal_layers=1)
    manifest, _ = read_manifest(out)
    assert manifest.pool.firstLayer == 1
    assert torch.equal(pool_entries(out, manifest), StoredPool.quantize(pool).entries()[1:])


def test_more_personal_layers_than_the_encoder_has_are_rejected(tiny_plm: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(XpeftError, match="has 2 layers, not 3"):
        build_bundle(load_plm(str(tiny_plm)), tmp_path / "bundle", "tiny", bottleneck=5, size=12, chosen=5, personal_layers=3)
    copy = tmp_path / "copy"
    shutil.copytree(tiny_bundle, copy)
    manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    for first, fault in ((2, "the pool begins at layer 2, and the encoder has 2 layers"), (-1, "greater than or equal to 0")):
        (copy / MANIFEST).write_text(json.dumps({**manifest, "pool": {**manifest["pool"], "firstLayer": first}}), encoding="utf-8")
        with pytest.raises(XpeftError, match=fault):
            read_manifest(copy)
