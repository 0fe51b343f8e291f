"""Runs of `train` that the kernel kills in every step of a task: heads, adapter, masks, and masks from all texts."""

import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.conftest import quick_recipe
from tests.kills import Moment, contents, few_fits, kill_runs
from tests.runs import Command, arguments
from tests.tiny_data import tiny_lines
from xpeft import heads
from xpeft.checkpoint import CHECKPOINT
from xpeft.cli import app
from xpeft.learn_task import ADAPTER_CHECKPOINT, SECOND_CHECKPOINT
from xpeft.task_files import PROFILES_FILE, TASK_FILE

# Of the adapter, of the masks, and of the masks from all texts. There is a checkpoint after each 7 and after the last.
STEPS = 22 + 22 + 24
MOMENTS = (
    Moment("call", "xpeft.train_task.load_bundle_plm"),
    Moment("call", "xpeft.learn_task.search_head", 2),
    Moment("half of", ADAPTER_CHECKPOINT, 3),
    Moment("call", "xpeft.learn_task.TrunkCache", 2),
    Moment("call", "xpeft.learn_task.search_head", 3),
    Moment("half of", CHECKPOINT, 3),
    Moment("half of", SECOND_CHECKPOINT, 2),
    Moment("call", "xpeft.learn_task.search_head", 5),
    Moment("half of", TASK_FILE),
    Moment("half of", PROFILES_FILE),
    Moment("call", "xpeft.train_task.read_trained_task"),
    Moment("half of", "report.json"),
    Moment("unlink", CHECKPOINT),
    Moment("call", "xpeft.task_commands.print_report"),
    *(Moment("call", "xpeft.train.collate", step) for step in sorted(random.Random(0).sample(range(1, STEPS + 1), 4))),
)


@pytest.fixture
def everything(tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> Command:
    """The command line of a training that takes every step. Without dev texts, masks and head learn again from all texts."""
    data = tmp_path / "data.jsonl"
    data.write_text("\n".join(json.dumps(line) for line in tiny_lines() if line["split"] != "dev"), encoding="utf-8")
    recipe = quick_recipe(
        tmp_path / "recipe.toml",
        label_bias="auto",
        task_adapter__use=True,
        task_adapter__epochs=2,
        task_adapter__profiles_per_step=2,
        task_adapter__texts_per_profile=3,
        masks__shared_lr=0.01,
        masks__epochs=2,
    )
    return lambda out, *more: arguments(data, tiny_bundle, tiny_plm, out, "--recipe", recipe, *more)


def test_a_run_killed_at_any_moment_resumes_to_the_same_bytes(everything: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # For the runs in this process, restored at the end.
    for name in ("WEIGHT_PENALTIES", "BIAS_PENALTIES"):
        monkeypatch.setattr(heads, name, getattr(heads, name))
    few_fits()
    unbroken = CliRunner().invoke(app, everything(tmp_path / "unbroken"))
    assert unbroken.exit_code == 0, unbroken.output
    kill_runs([(moment, everything(tmp_path / moment.name)) for moment in MOMENTS])
    for moment in MOMENTS:
        out = tmp_path / moment.name
        for _ in range(2):
            result = CliRunner().invoke(app, everything(out, "--resume"))
            assert (moment, result.exit_code, result.output) == (moment, 0, unbroken.output.replace(str(tmp_path / "unbroken"), str(out)))
            assert (moment, contents(out)) == (moment, contents(tmp_path / "unbroken"))
