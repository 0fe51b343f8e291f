"""Known labels of profiles, from the training to the answers."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from tests.conftest import quick_recipe
from tests.runs import QUICK, arguments
from tests.tiny_data import tiny_sets
from xpeft import Task
from xpeft.cli import app
from xpeft.head_change import HeadChange
from xpeft.predictor import Predictor
from xpeft.profile_head import ProfileHead
from xpeft.task_files import PROFILES_FILE

ZEROS = bytes(4)


def write_lines(path: Path, lines: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two profiles without a label in common, zoo and garage. A test text of zoo has a label of garage."""
    lines = tiny_sets()["intents/profiles"]
    lines[-1] = {**lines[-1], "label": "zoo-0"}
    return write_lines(tmp_path_factory.mktemp("tenants") / "tenants.jsonl", lines)


@pytest.fixture(scope="module")
def trained(tenants: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained") / "things"
    result = CliRunner().invoke(app, arguments(tenants, tiny_bundle, tiny_plm, out))
    assert result.exit_code == 0, result.output
    return out


def blobs_of(folder: Path) -> dict[str, bytes | None]:
    profiles = [json.loads(line) for line in (folder / PROFILES_FILE).read_text(encoding="utf-8").splitlines()]
    return {one["profile"]: base64.b64decode(one["labelBias"]) if "labelBias" in one else None for one in profiles}


def report_of(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


def test_profiles_without_a_common_label_know_their_own(
    trained: Path, tenants: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    assert blobs_of(trained) == {"garage": ZEROS + bytes([0b0011]), "zoo": ZEROS + bytes([0b1100])}
    report = report_of(trained)
    assert report["known_labels"] is True
    assert report["bytes"]["label_bias"] == 5

    predictions = tmp_path / "predictions.ndjson"
    paths = ["--data", str(tenants), "--bundle", str(tiny_bundle), "--plm", str(tiny_plm), "--task", str(trained)]
    result = CliRunner().invoke(app, ["eval", *paths, "--predictions", str(predictions), "--device", "cpu"])
    assert json.loads(result.stdout.splitlines()[-1]) == {"task": "things", "n": 12, **report["test"]["methods"]["profile_masks"]}
    rows = [json.loads(line) for line in predictions.read_text(encoding="utf-8").splitlines()]
    assert all(row["predicted"].startswith(row["profile"]) for row in rows)
    assert len({row["predicted"] for row in rows}) == 4


def test_a_task_scores_only_known_labels(trained: Path, tiny_bundle: Path, tiny_plm: Path) -> None:
    task = Task.load(trained, tiny_bundle, plm=str(tiny_plm), device="cpu")
    (own,), (every,) = (task.predict(["a cat"], profile, scores=True) for profile in ("zoo", None))
    assert list(own) == ["zoo-0", "zoo-1"]
    assert sum(own.values()) == pytest.approx(1)
    assert list(every) == ["garage-0", "garage-1", "zoo-0", "zoo-1"]


def test_the_option_decides_and_label_biases_exclude_it(
    tenants: Path, tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    def run(data: Path, *more: str) -> dict[str, bytes | None]:
        result = CliRunner().invoke(app, arguments(data, tiny_bundle, tiny_plm, tmp_path / "out", *more))
        assert result.exit_code == 0, result.output
        return blobs_of(tmp_path / "out")

    assert run(tenants, "--no-known-labels") == {"garage": None, "zoo": None}
    lines = [json.loads(line) for line in tiny_data.read_text(encoding="utf-8").splitlines()]
    some = write_lines(tmp_path / "some.jsonl", [line for line in lines if (line["profile"], line["label"]) != ("a", "vehicle")])
    assert run(some) == {"a": None, "b": None, "c": None}
    assert run(some, "--known-labels") == {"a": bytes([0, 0, 1]), "b": None, "c": None}
    biased = quick_recipe(tmp_path / "biased.toml", label_bias=True)
    assert all(len(blob or b"") == 4 for blob in run(tenants, "--recipe", biased).values())
    result = CliRunner().invoke(app, arguments(tenants, tiny_bundle, tiny_plm, tmp_path / "out", "--recipe", biased, "--known-labels"))
    assert result.exit_code == 1
    assert "exclude each other" in result.output


def test_new_profiles_know_their_own_labels_if_those_of_the_task_do(
    trained: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    lines = tiny_sets()["intents/profiles"]
    # The task's profiles call half of these texts zoo-0 or garage-0.
    new = write_lines(tmp_path / "new.jsonl", [{**line, "profile": "yard", "label": f"{line['profile']}-1"} for line in lines])

    def add(out: str, *more: str) -> dict[str, bytes | None]:
        paths = [
            "--data",
            str(new),
            "--task",
            str(trained),
            "--bundle",
            str(tiny_bundle),
            "--plm",
            str(tiny_plm),
            "--out",
            str(tmp_path / out),
        ]
        result = CliRunner().invoke(app, ["add", *paths, "--recipe", str(QUICK), "--device", "cpu", "--quiet", *more])
        assert result.exit_code == 0, result.output
        return blobs_of(tmp_path / out)

    assert add("auto") == {"yard": ZEROS + bytes([0b1010])}
    assert add("off", "--no-known-labels") == {"yard": None}
    # The default profile is measured with the labels that the new one knows, too.
    auto, off = (report_of(tmp_path / out)["test"]["methods"]["default_profile"]["micro"] for out in ("auto", "off"))
    assert auto > 0.7 > off


def test_a_head_change_adds_its_part_to_the_logits(trained: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    task = Task.load(trained, tiny_bundle, plm=str(tiny_plm), device="cpu")
    task.save(tmp_path)
    numbers = np.random.default_rng(0)
    left, right = numbers.integers(-128, 128, (2, 4), dtype=np.int8), numbers.integers(-128, 128, (2, 32), dtype=np.int8)
    change = HeadChange(np.array([0.001, 0.002], dtype=np.float32), left, right)
    garage, zoo = (json.loads(line) for line in (tmp_path / PROFILES_FILE).read_text(encoding="utf-8").splitlines())
    zoo["labelBias"] = base64.b64encode(ProfileHead(torch.zeros(4), change).pack()).decode()
    write_lines(tmp_path / PROFILES_FILE, [garage, zoo])
    changed = Task.load(tmp_path, tiny_bundle, plm=str(tiny_plm), device="cpu")
    assert changed._trained.subset([1]).head_changes.keys() == {0}
    assert not changed._trained.has_label_bias

    predictor, texts = (
        Predictor(changed._trained, tiny_bundle, changed._manifest, str(tiny_plm), False, torch.device("cpu")),
        ["a cat", "a dog"],
    )
    found = predictor.logits(texts, "zoo")
    predictor.model.head_changes = {}
    plain = predictor.logits(texts, "zoo")
    predictor.model.head.weight.data += change.weight()
    assert (found - plain).abs().max() > 0.5
    assert torch.allclose(found, predictor.logits(texts, "zoo"), atol=1e-4)
