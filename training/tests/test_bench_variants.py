import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from bench.variants import INDEX, ROOT, SHIPPED, VARIANTS, app, source_hashes, write_variant
from bench.variants_agreement import measure_agreement
from tests.conftest import BUNDLE
from xpeft.plm import load_plm

BOTTLENECK = 5
# Cosine distances that a variant's features may have from fp32's: the tiny PLM's random weights have no outliers to be lost.
FAR = {"blocks-4": 0.03, "fp32": 1e-5}


def features(graph: Path) -> NDArray[np.float32]:
    source = np.random.default_rng(0)
    ids = np.array([[101, *source.integers(1000, 20000, 12), 102]], dtype=np.int32)
    feeds = {
        "input_ids": ids,
        "token_type_ids": np.zeros_like(ids),
        "adapter_down": source.standard_normal((2, 32, BOTTLENECK)).astype(np.float32) * 0.02,
        "adapter_up": source.standard_normal((2, BOTTLENECK, 32)).astype(np.float32) * 0.02,
        "adapter_gain": np.ones((2, BOTTLENECK), dtype=np.float32),
        "adapter_shift": np.zeros((2, BOTTLENECK), dtype=np.float32),
    }
    (found,) = onnxruntime.InferenceSession(str(graph)).run(None, feeds)
    answer: NDArray[np.float32] = found
    return answer


@pytest.fixture(scope="module")
def fp32(tiny_plm: Path, tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.float32]:
    folder = tmp_path_factory.mktemp("fp32")
    return features(folder / write_variant(load_plm(str(tiny_plm)), BOTTLENECK, "fp32", folder).graph)


@pytest.mark.parametrize("name", VARIANTS)
def test_each_variant_computes_the_encoder(name: str, tiny_plm: Path, tmp_path: Path, fp32: NDArray[np.float32]) -> None:
    files = write_variant(load_plm(str(tiny_plm)), BOTTLENECK, name, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {files.graph, *files.weights}
    found = features(tmp_path / files.graph)
    cosine = found @ fp32 / np.linalg.norm(found) / np.linalg.norm(fp32)
    assert 1 - cosine < FAR.get(name, 0.005)
    assert name == "fp32" or not np.array_equal(found, fp32)


def test_the_index_says_what_is_there_and_what_of(tmp_path: Path) -> None:
    out = tmp_path / "out"
    CliRunner().invoke(app, [str(out), "--only", "fp32"], catch_exceptions=False)
    index: dict[str, Any] = json.loads((out / INDEX).read_text(encoding="utf-8"))
    shipped, fp32 = index["variants"]
    assert (shipped["name"], shipped["graph"], shipped["weights"]) == (SHIPPED, "encoder.onnx", ["encoder.weights.0", "encoder.weights.1"])
    assert shipped["bytes"] == sum(file.stat().st_size for file in BUNDLE.glob("encoder.weights.*"))
    assert fp32["name"] == "fp32"
    assert {path.name for path in out.iterdir()} == {INDEX, fp32["graph"], *fp32["weights"]}
    assert fp32["bytes"] == sum((out / file).stat().st_size for file in fp32["weights"]) > 2 * shipped["bytes"]
    assert index["agreement"] == {}
    assert index["sources"] == source_hashes()
    assert all((ROOT / path).is_file() for path in index["sources"])


def test_a_folder_with_other_files_is_not_overwritten_and_an_unknown_variant_named(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")
    assert "something else" in CliRunner().invoke(app, [str(tmp_path)]).output
    assert (tmp_path / "letter.txt").exists()
    assert "no variant bf16" in CliRunner().invoke(app, [str(tmp_path / "out"), "--only", "bf16"]).output


def test_agreement_is_with_fp32_on_dev_texts(tmp_path: Path) -> None:
    demo = ROOT / "bundles" / "demo" / "offense"
    labels: list[str] = json.loads((demo / "task.json").read_text(encoding="utf-8"))["labels"]
    profiles = [json.loads(line)["profile"] for line in (demo / "profiles.ndjson").read_text(encoding="utf-8").splitlines()]
    texts = ["You are very kind.", "What an awful thing to say.", "The ferry is late again.", "Nobody asked you."]
    lines = [
        json.dumps({"profile": profiles[number % 3], "text": text, "label": labels[number], "split": split})
        for split in ("train", "dev")
        for number, text in enumerate(texts)
    ]
    (tmp_path / "offense").mkdir()
    (tmp_path / "offense" / "profiles.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    found = measure_agreement("offense", tmp_path, BUNDLE, {"int8": BUNDLE / "encoder.onnx"}, 3)
    assert found.texts == 3
    assert found.same["int8"] >= 2 / 3
    assert abs(found.accuracies["int8"] - found.accuracy) <= 1 / 3 + 1e-9
    assert found == measure_agreement("offense", tmp_path, BUNDLE, {"int8": BUNDLE / "encoder.onnx"}, 3)
