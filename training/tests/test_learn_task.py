"""What a training keeps: only what held-out texts prefer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch
from typer.testing import CliRunner

from tests.conftest import quick_recipe
from tests.runs import arguments
from xpeft import train as loop
from xpeft.bundle.manifest import read_manifest
from xpeft.checkpoint import CHECKPOINT, CheckpointClock, TrainingState, save_checkpoint
from xpeft.cli import app
from xpeft.data import DataSet, Example
from xpeft.learn_task import ADAPTER_CHECKPOINT, SECOND_CHECKPOINT, TaskLearner
from xpeft.recipe import TaskRecipe
from xpeft.task_files import PROFILES_FILE, read_trained_task


@pytest.fixture
def train(tiny_data: Path, last_layer_bundle: Path, tiny_plm: Path, tmp_path: Path) -> Any:
    def run(data: Path = tiny_data, *more: str, **changes: object) -> tuple[dict[str, Any], str]:
        recipe = quick_recipe(tmp_path / "recipe.toml", **changes)
        result = CliRunner().invoke(app, arguments(data, last_layer_bundle, tiny_plm, tmp_path / "out", "--recipe", recipe, *more))
        assert result.exit_code == 0, result.output
        return json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8")), result.output

    return run


def stored(out: Path, bundle: Path) -> Any:
    manifest, identity = read_manifest(bundle)
    return read_trained_task(out, identity, manifest)


AUTO = {"label_bias": "auto", "task_adapter__use": "auto", "masks__use": "auto"}


def test_random_labels_keep_no_masks(train: Any, tiny_data: Path, last_layer_bundle: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in tiny_data.read_text(encoding="utf-8").splitlines()]
    drawn = torch.randint(2, (len(lines),), generator=torch.Generator().manual_seed(4)).tolist()
    data = tmp_path / "random.jsonl"
    data.write_text(
        "\n".join(json.dumps({**line, "label": "ab"[label]}) for line, label in zip(lines, drawn, strict=True)), encoding="utf-8"
    )
    report, output = train(data, **AUTO, masks__epochs=30)
    assert report["kept"] in {"shared_head", "label_bias"}
    assert f"{report['kept'].replace('_', ' '):<16}" in output
    assert [line.endswith("kept") for line in output.splitlines()].count(True) == 2
    assert f"to try next: The steps were chosen on {report['data']['texts']['dev']} texts" in output
    trained = stored(tmp_path / "out", last_layer_bundle)
    assert not trained.masks.any()
    assert trained.task_adapter is None
    assert report["bytes"]["masks"] == 0
    assert json.loads((tmp_path / "out" / PROFILES_FILE).read_text(encoding="utf-8").splitlines()[0])["masks"] == ""


def test_every_step_is_reported_with_its_gain(train: Any, last_layer_bundle: Path, tmp_path: Path) -> None:
    report, _ = train(task_adapter__use=True, label_bias=True, masks__use="profile")
    steps = ["majority_label", "shared_head", "label_bias", "task_adapter", "profile_masks"]
    assert list(report["dev"]["methods"]) == list(report["test"]["methods"]) == steps
    assert {name: gain["over"] for name, gain in report["test"]["gains"].items()} == dict(zip(steps[1:], steps[:-1], strict=True))
    scores = {name: report["test"]["methods"][name]["macro"] for name in steps}
    for name, gain in report["test"]["gains"].items():
        assert gain["value"] == pytest.approx(100 * (scores[name] - scores[gain["over"]]))
        assert gain["low"] <= gain["value"] <= gain["high"]
    assert report["bytes_a_profile"] == {"majority_label": 1, "shared_head": 0, "label_bias": 2, "task_adapter": 2, "profile_masks": 2 + 4}
    assert report["kept"] == "profile_masks"
    trained = stored(tmp_path / "out", last_layer_bundle)
    assert trained.task_adapter is not None
    assert not trained.masks.flatten(1).eq(trained.masks[-1].flatten()).all()


def test_shared_masks_are_those_of_the_default_profile(train: Any, last_layer_bundle: Path, tmp_path: Path) -> None:
    report, _ = train(masks__use="shared", masks__shared_lr=0.03)
    assert report["kept"] == "shared_masks"
    trained = stored(tmp_path / "out", last_layer_bundle)
    assert trained.masks.any()
    assert torch.equal(trained.masks, trained.masks[-1:].expand_as(trained.masks))


@pytest.fixture
def without_dev(tiny_data: Path, tmp_path: Path) -> Path:
    lines = [line for line in tiny_data.read_text(encoding="utf-8").splitlines() if json.loads(line)["split"] != "dev"]
    data = tmp_path / "without_dev.jsonl"
    data.write_text("\n".join(lines), encoding="utf-8")
    return data


# Without dev texts, all three are trained.
STAGES = {"label_bias": "auto", "task_adapter__use": True, "masks__use": "profile"}


@pytest.fixture
def stop_at(without_dev: Path, last_layer_bundle: Path, tiny_plm: Path, tmp_path: Path) -> Callable[..., str]:
    """Start a training without dev texts, and stop it at the first save of a checkpoint of this name."""

    def stop(name: str, *more: str) -> str:
        def save_and_stop(path: Path, training: TrainingState, step: int, losses: torch.Tensor) -> None:
            save_checkpoint(path, training, step, losses)
            if path.name == name:
                raise KeyboardInterrupt

        recipe = quick_recipe(tmp_path / "recipe.toml", **STAGES)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(CheckpointClock, "due", lambda _, done: done == 5)
            patched.setattr(loop, "save_checkpoint", save_and_stop)
            line = arguments(without_dev, last_layer_bundle, tiny_plm, tmp_path / "out", "--recipe", recipe, *more)
            result = CliRunner().invoke(app, line)
        assert (result.exit_code, (tmp_path / "out" / name).exists()) == (130, True), result.output
        return result.output

    return stop


@pytest.mark.parametrize("name", [ADAPTER_CHECKPOINT, CHECKPOINT, SECOND_CHECKPOINT])
def test_a_run_stopped_in_any_training_resumes_to_the_same_bytes(
    train: Any, stop_at: Callable[..., str], without_dev: Path, tmp_path: Path, name: str
) -> None:
    before, _ = train(without_dev, **STAGES)
    written = (tmp_path / "out" / PROFILES_FILE).read_bytes()
    assert not list((tmp_path / "out").glob("*checkpoint*"))
    assert f"the work so far is in {tmp_path / 'out'}; run the same command again with --resume" in stop_at(name)
    assert torch.load(tmp_path / "out" / name)["step"] == 5
    again, _ = train(without_dev, "--resume", **STAGES)
    assert (again, (tmp_path / "out" / PROFILES_FILE).read_bytes()) == (before, written)
    assert not list((tmp_path / "out").glob("*checkpoint*"))


def test_checkpoints_of_an_earlier_run_are_not_in_the_way_of_a_new_one(
    train: Any, stop_at: Callable[..., str], without_dev: Path, tmp_path: Path
) -> None:
    stop_at(SECOND_CHECKPOINT)
    stop_at(ADAPTER_CHECKPOINT, "--seed", "1")
    assert [path.name for path in (tmp_path / "out").glob("*checkpoint*")] == [ADAPTER_CHECKPOINT]
    assert train(without_dev, "--resume", "--seed", "1", **STAGES)[0]["seed"] == 1


def test_other_settings_are_named_before_the_first_step(
    stop_at: Callable[..., str], without_dev: Path, last_layer_bundle: Path, tiny_plm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_at(CHECKPOINT)
    monkeypatch.setattr(TaskLearner, "learn", pytest.fail)
    other = quick_recipe(tmp_path / "other.toml", **STAGES, masks__epochs=4)
    line = arguments(without_dev, last_layer_bundle, tiny_plm, tmp_path / "out", "--recipe", other, "--resume")
    result = CliRunner().invoke(app, line)
    assert result.exit_code == 1
    assert f"error[other-run]: {tmp_path / 'out' / ADAPTER_CHECKPOINT} belongs to a run with other settings or data\n" in result.output
    assert "hint: Repeat that run's settings, or delete its checkpoints to start anew.\n" in result.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {ADAPTER_CHECKPOINT, CHECKPOINT}


def test_the_majority_label_does_not_count_held_out_texts() -> None:
    train = [Example(0, label, [], []) for label in (0, 0, 1, 1, 1)]
    learner = TaskLearner(DataSet(["a"], ["no", "yes"], {"train": train, "dev": [], "test": train[:1]}), TaskRecipe(), Mock())
    assert [learner.steps[0].predictions[split].tolist() for split in ("dev", "test")] == [[0], [0]]
    # Of two texts one is held out, which may be its profile's only one.
    alone = DataSet(["a", "b"], ["no", "yes"], {"train": [train[4], Example(1, 0, [], [])], "dev": [], "test": []})
    assert TaskLearner(alone, TaskRecipe(), Mock()).steps[0].predictions["dev"].tolist() == [1]


def test_a_length_is_chosen_that_cuts_few_texts(train: Any, tiny_data: Path, tmp_path: Path) -> None:
    report, _ = train()
    assert report["maxTokens"] == 16
    lines = [json.loads(line) for line in tiny_data.read_text(encoding="utf-8").splitlines()]
    longer = [{**line, "text": line["text"] + " and a ship" * 6} for line in lines]
    data = tmp_path / "long.jsonl"
    data.write_text("\n".join(map(json.dumps, longer)), encoding="utf-8")
    assert train(data)[0]["maxTokens"] == 32
