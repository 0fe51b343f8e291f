from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from xpeft import train as loop
from xpeft.checkpoint import TrainingState, save_checkpoint
from xpeft.cli import app
from xpeft.comparison import curve
from xpeft.comparison.learning import Outcome
from xpeft.comparison.records import RunRecord


def run(sets_root: Path, bundle: Path, plm: Path, out: Path, *more: str) -> tuple[int, str]:
    paths = ["--root", str(sets_root), "--bundle", str(bundle), "--plm", str(plm), "--out", str(out)]
    recipe = ["--epochs", "3", "--bottleneck", "5", "--pool-size", "12", "--chosen", "5", "--head-lr", "0.03", "--device", "cpu", "--quiet"]
    result = CliRunner().invoke(
        app, ["curve", *([] if "intents" in more else ["news"]), *paths, *recipe, "--seeds", "1", "--newcomers", "1", *more]
    )
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("method", "label", "lr"),
    [("hard", "hard", "0.01"), ("adapter", "adapter", "0.0003"), ("head", "head+bias", "0"), ("vblora", "vblora", "0.01")],
)
def test_a_newcomer_is_measured_for_each_number_of_texts(
    sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, method: str, label: str, lr: str
) -> None:
    assert run(sets_root, tiny_bundle, tiny_plm, tmp_path, "--method", method, "--texts", "2,8", "--lr", lr)[0] == 0
    records = [RunRecord.model_validate_json(path.read_bytes()) for path in (tmp_path / "runs").iterdir()]
    assert sorted((record.textsPerProfile, record.texts.train) for record in records) == [(2, 2), (8, 8)]
    assert {(record.method, record.purpose, record.split, record.profileCount) for record in records} == {(label, "curve", "test", 1)}
    # The known profiles call things by the same names, so even two texts are enough.
    assert min(record.macro for record in records) > 0.9
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--method", "majority", "--texts", "2"], "no curve of 'majority'"),
        (["--method", "hard", "--texts", "2,many"], "not a list of numbers"),
        (["--method", "hard", "--texts", "99"], "0 of 3 profiles have 99 training texts"),
        (["--method", "hard", "--texts", "0,2"], "not a list of numbers"),
        (["--method", "hard", "--texts", "2", "--chosen", "13"], "a mask cannot choose 13 of 12 adapters"),
        (
            ["intents", "--method", "hard", "--texts", "2"],
            "no profiles that could join a finished head\nhint: Choose from news, offense, tastes, inbox, reviews.",
        ),
    ],
)
def test_errors_name_what_has_no_curve(
    sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, more: list[str], said: str
) -> None:
    code, output = run(sets_root, tiny_bundle, tiny_plm, tmp_path, *more, "--lr", "0.01")
    assert code == 1
    assert said in output


def test_an_interrupted_curve_resumes_without_training_its_base_again(
    sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("--method", "hard", "--texts", "2,8", "--lr", "0.01")
    whole, interrupted = tmp_path / "whole", tmp_path / "interrupted"
    assert run(sets_root, tiny_bundle, tiny_plm, whole, *more)[0] == 0
    calls: list[str] = []

    add_newcomers = curve.add_newcomers

    def add_once(*arguments: Any) -> Outcome:
        if calls:
            raise KeyboardInterrupt
        calls.append("added")
        return add_newcomers(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(curve, "add_newcomers", add_once)
        assert run(sets_root, tiny_bundle, tiny_plm, interrupted, *more)[0] == 130
    assert sorted(path.suffix for path in interrupted.iterdir()) == ["", ".pt"]
    steps: list[int] = []

    def count(path: Path, training: TrainingState, step: int, losses: torch.Tensor) -> None:
        steps.append(step)
        save_checkpoint(path, training, step, losses)

    with monkeypatch.context() as patched:
        patched.setattr(loop, "save_checkpoint", count)
        assert run(sets_root, tiny_bundle, tiny_plm, interrupted, *more)[0] == 0
    # One training, of the newcomer with 8 texts: the base is resumed.
    assert len(steps) == 1

    def figures(out: Path) -> list[tuple[int | None, float]]:
        records = (RunRecord.model_validate_json(path.read_bytes()) for path in sorted((out / "runs").iterdir()))
        return sorted((record.textsPerProfile, record.macro) for record in records if record.textsPerProfile)

    assert figures(interrupted) == figures(whole)
    assert [path.name for path in interrupted.iterdir()] == ["runs"]
