"""Trainings that leave the finite numbers: they stop with an error that says where, and keep the last good checkpoint."""

import base64
import json
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from tests.kills import contents
from tests.runs import arguments
from xpeft import train as loop
from xpeft import verdict
from xpeft.checkpoint import CHECKPOINT, CheckpointClock
from xpeft.cli import app
from xpeft.errors import NotFinite
from xpeft.profile_model import target_loss
from xpeft.row_adam import RowAdam
from xpeft.task_files import TASK_FILE

HINT = "hint: Lower the learning rates (profile_lr 0.03, head_lr 0.03), or raise tau (1), and start again."


def test_a_loss_that_is_not_finite_stops_the_run_and_the_last_good_checkpoint_stays(
    tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def lost(*given: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return target_loss(*given) * (float("nan") if calls == 17 else 1)

    monkeypatch.setattr(CheckpointClock, "due", lambda _, done: done % 7 == 0)
    monkeypatch.setattr(loop, "target_loss", lost)
    result = CliRunner().invoke(app, arguments(tiny_data, tiny_bundle, tiny_plm, tmp_path))
    assert result.exit_code == 1
    assert "error[not-finite]: the training diverged in pass 2 of 3, at step 17 of 36: the loss is nan\n" in result.output
    assert f"{HINT} {tmp_path / CHECKPOINT} is from before it diverged." in result.output
    assert list(contents(tmp_path)) == [CHECKPOINT]
    assert torch.load(tmp_path / CHECKPOINT)["step"] == 14

    monkeypatch.undo()
    result = CliRunner().invoke(app, arguments(tiny_data, tiny_bundle, tiny_plm, tmp_path, "--resume"))
    assert result.exit_code == 0, result.output


def test_masks_that_are_not_finite_after_the_last_step_are_not_stored(
    tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, step = 0, RowAdam.step

    def last_step_breaks(optimizer: RowAdam) -> None:
        nonlocal steps
        steps += 1
        step(optimizer)
        if steps == 36:
            optimizer.param_groups[0]["params"][0].data[0, 0] = float("inf")

    monkeypatch.setattr(RowAdam, "step", last_step_breaks)
    result = CliRunner().invoke(app, arguments(tiny_data, tiny_bundle, tiny_plm, tmp_path))
    assert result.exit_code == 1
    assert "diverged in pass 3 of 3, at step 36 of 36: a parameter is not a finite number" in result.output
    assert result.output.rstrip().endswith(HINT)
    assert contents(tmp_path) == {}


def test_a_head_of_a_task_file_that_is_not_finite_is_named(tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert CliRunner().invoke(app, arguments(tiny_data, tiny_bundle, tiny_plm, out)).exit_code == 0
    task = json.loads((out / TASK_FILE).read_text(encoding="utf-8"))
    head = np.frombuffer(base64.b64decode(task["head"]), dtype="<f4").copy()
    head[3] = np.nan
    (out / TASK_FILE).write_text(json.dumps(task | {"head": base64.b64encode(head.tobytes()).decode()}), encoding="utf-8")
    paths = ["--data", str(tiny_data), "--bundle", str(tiny_bundle), "--plm", str(tiny_plm), "--task", str(out)]
    result = CliRunner().invoke(app, ["eval", *paths, "--device", "cpu"])
    assert (result.exit_code, "error[not-finite]: the head of task 'things' is not finite\n" in result.output) == (1, True), result.output


@pytest.mark.parametrize(
    ("labels", "has_mae"),
    [(("0", "1", "nan"), False), (("0", "1", "inf"), False), (("0", "1e999", "-1"), False), (("0", "1", "2e0"), True)],
)
def test_numbers_that_are_not_finite_are_names(
    tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, labels: tuple[str, ...], has_mae: bool
) -> None:
    lines = [json.loads(line) for line in tiny_data.read_text(encoding="utf-8").splitlines()]
    for number, line in enumerate(lines):
        line["label"] = labels[number % 3]
    data = tmp_path / "data.jsonl"
    data.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    result = CliRunner().invoke(app, arguments(data, tiny_bundle, tiny_plm, tmp_path / "out"))
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert ("mae" in report["test"]["methods"]["profile_masks"]) is has_mae


def test_a_report_that_cannot_be_made_fails_before_the_first_step(
    tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdict, "score", Mock(side_effect=NotFinite("no score", "")))
    result = CliRunner().invoke(app, arguments(tiny_data, tiny_bundle, tiny_plm, tmp_path / "out"))
    assert (result.exit_code, "no score" in result.output, (tmp_path / "out").exists()) == (1, True, False)
