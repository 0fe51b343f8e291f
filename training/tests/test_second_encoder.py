"""A second public encoder: paraphrase-MiniLM-L3-v2 is read, built, trained and served, and the Worker answers as Python does.

It takes longer than all tests of a tiny PLM, so it is part of `npm run test:long`.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from typer.testing import CliRunner

from bench.paraphrase_minilm import onnx_file, write_plm
from tests.edge import NODE, Edge
from tests.runs import QUICK
from xpeft.cli import app
from xpeft.encoder import AdapterEncoder
from xpeft.plm import load_plm

pytestmark = [
    pytest.mark.skipif(os.environ.get("XPEFT_LONG") != "1", reason="is part of npm run test:long"),
    pytest.mark.skipif(not NODE.exists(), reason="needs the TypeScript half: npm ci"),
]

# The Worker's weights are rounded to int8. Labels may differ whose scores are as near as this.
NEAR = 0.05


@pytest.fixture(scope="module")
def plm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_plm(tmp_path_factory.mktemp("plms") / "paraphrase-MiniLM-L3-v2")


@pytest.fixture(scope="module")
def bundle(plm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "minilm-l3-v2"
    sizes = ["--bottleneck", "8", "--pool-size", "64", "--chosen", "32", "--personal-layers", "2"]
    run("bundle", "--plm", str(plm), "--out", str(out), *sizes)
    return out


@pytest.fixture(scope="module")
def edge(bundle: Path) -> Iterator[Edge]:
    edge = Edge(bundle)
    yield edge
    edge.close()


def run(*args: str) -> str:
    """Run a command of the training half, and return its output."""
    ran = CliRunner().invoke(app, list(args))
    assert ran.exit_code == 0, ran.output
    return ran.output


def predictions(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_weights_are_those_of_the_export(plm: Path) -> None:
    loaded, session = load_plm(str(plm)), onnxruntime.InferenceSession(str(onnx_file()))
    encoder = AdapterEncoder(loaded)
    for text in ("Ferry crews vote to end the strike.", "a", "It has been dry since Monday, so the river is low and slow."):
        ids = torch.tensor([loaded.tokenizer.encode(text).ids])
        # The output without a name of its own is the mean of all tokens.
        (expected,) = session.run(["461"], {"input_ids": ids.numpy(), "attention_mask": np.ones_like(ids.numpy())})
        with torch.no_grad():
            found = encoder(ids, torch.zeros_like(ids), torch.tensor([ids.shape[1]]), None)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-3, atol=1e-4)


def test_the_worker_answers_as_python_does(plm: Path, bundle: Path, edge: Edge, tiny_data: Path, tmp_path: Path) -> None:
    out, here, there = tmp_path / "run", tmp_path / "here.ndjson", tmp_path / "there.ndjson"
    paths = ["--bundle", str(bundle), "--plm", str(plm), "--data", str(tiny_data), "--device", "cpu"]
    run("train", "--task", "things", "--out", str(out), "--recipe", str(QUICK), *paths, "--quiet")
    files = ["--task", str(out / "task.json"), "--profiles", str(out / "profiles.ndjson"), "--bundle", str(bundle)]
    code, _, stderr = edge.run("push", *files, "--url", edge.worker["XPEFT_URL"])
    assert code == 0, stderr
    run("eval", "--task", str(out), *paths, "--predictions", str(here))
    code, _, stderr = edge.run("eval", "--data", str(tiny_data), "--task", "things", "--predictions", str(there))
    assert code == 0, stderr
    texts = [record for record in predictions(tiny_data) if record["split"] == "test"]
    requests = tmp_path / "texts.ndjson"
    requests.write_text("".join(json.dumps({"text": one["text"], "profile": one["profile"]}) + "\n" for one in texts), encoding="utf-8")
    code, stdout, stderr = edge.run("predict", "things", "--file", str(requests), "--json", "--scores")
    assert code == 0, stderr
    scores = [json.loads(line)["scores"] for line in stdout.splitlines()]
    assert len(scores) == len(texts)
    for one, other, score in zip(predictions(here), predictions(there), scores, strict=True):
        assert abs(score[one["predicted"]] - score[other["predicted"]]) < NEAR
    assert sum(one["predicted"] == one["label"] for one in predictions(there)) > 0.9 * len(texts)


def test_the_worker_learns_a_profile(bundle: Path, edge: Edge, tmp_path: Path) -> None:
    assert json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))["learning"]["firstLayer"] == 1
    examples = tmp_path / "examples.csv"
    rows = [
        f"the {animal} again,animal\nthe {vehicle} again,vehicle\n"
        for animal, vehicle in (("cat", "car"), ("dog", "train"), ("bird", "ship"))
    ]
    examples.write_text("text,label\n" + "".join(rows), encoding="utf-8")
    code, stdout, stderr = edge.run("learn", "things", "newcomer", str(examples), "--push", "--url", edge.worker["XPEFT_URL"])
    assert code == 0, (stdout, stderr)
