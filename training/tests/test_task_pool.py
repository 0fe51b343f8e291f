"""A pool of the task's own: its bytes, and a training in which only such a pool can tell profiles apart."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from tests.conftest import quick_recipe
from tests.runs import arguments, written
from tests.tiny_data import ANIMALS, VEHICLES, sentence
from xpeft import task_files
from xpeft import train as loop
from xpeft.bundle.manifest import read_manifest
from xpeft.checkpoint import CheckpointClock, TrainingState, save_checkpoint
from xpeft.cli import app
from xpeft.errors import XpeftError
from xpeft.pool import PoolShape
from xpeft.stored_pool import StoredPool
from xpeft.task_files import pack_adapters, read_trained_task, unpack_adapters
from xpeft.task_pool import TaskPool, task_pool_bytes

BUNDLE = PoolShape(layers=1, hidden=3, bottleneck=2, size=4, chosen=2, first_layer=1)


def random_pool(size: int, chosen: int, seed: int) -> TaskPool:
    entries = torch.randn(BUNDLE.layers, 2, size, 6, generator=torch.Generator().manual_seed(seed))
    return TaskPool(StoredPool.quantize(entries), chosen)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 9))
@settings(deadline=None)
def test_the_bytes_are_read_as_written(size: int, chosen: int, seed: int) -> None:
    pool = random_pool(size, min(chosen, size), seed)
    packed = pool.pack()
    assert len(packed) == task_pool_bytes(pool.shape(BUNDLE))
    read = TaskPool.unpack(packed, BUNDLE)
    assert (read.shape(BUNDLE).size, read.chosen, read.pack()) == (size, min(chosen, size), packed)
    torch.testing.assert_close(read.entries(), pool.entries(), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (b"\5", "the task's pool has 1 bytes"),
        (b"\5\0\6\0", "masks choose 6 of the 5 adapters in the task's pool"),
        (b"\1\x10\1\0", "the task's pool has 4097 adapters; the most are 4096"),
        (b"\5\0\0\0", "masks choose 0 of the 5 adapters in the task's pool"),
        (random_pool(5, 2, 0).pack() + b"\0", "the task's pool has 105 bytes, not 104"),
        (random_pool(5, 2, 0).pack()[:4] + np.float32(-1).tobytes() + random_pool(5, 2, 0).pack()[8:], "is not a positive number"),
    ],
)
def test_wrong_bytes_are_named(packed: bytes, message: str) -> None:
    with pytest.raises(XpeftError, match=message):
        TaskPool.unpack(packed, BUNDLE)


@pytest.fixture(scope="module")
def opposed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight profiles with the same texts and as many of each label; half of them call animals what the others call vehicles."""
    lines = [
        json.dumps({"profile": f"p{number}", "text": sentence(names, turn), "label": label, "split": split})
        for number in range(8)
        for split, count in (("train", 12), ("dev", 6), ("test", 6))
        for turn in range(count)
        for label, names in zip(("one", "two"), (ANIMALS, VEHICLES) if number % 2 else (VEHICLES, ANIMALS), strict=True)
    ]
    path = tmp_path_factory.mktemp("opposed") / "data.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


POOL = {
    "masks__use": "auto",
    "masks__epochs": 1,
    "masks__profile_lr": 0.001,
    "task_pool__size": 10,
    "task_pool__chosen": 3,
    "task_pool__lr": [0.001, 0.03],
    "task_pool__epochs": 30,
    "task_pool__patience": 30,
    "task_pool__dropout": 0,
    "add__epochs": 40,
}


def test_profiles_that_mean_different_things_get_a_pool_of_their_own(
    opposed: Path, last_layer_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    recipe, out = quick_recipe(tmp_path / "recipe.toml", **POOL), tmp_path / "out"
    result = CliRunner().invoke(app, arguments(opposed, last_layer_bundle, tiny_plm, out, "--recipe", recipe))
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["kept"] == "task_pool", result.output
    assert report["test"]["methods"]["shared_head"]["micro"] == pytest.approx(0.5, abs=0.1)
    assert report["test"]["methods"]["task_pool"]["micro"] > 0.85

    manifest, identity = read_manifest(last_layer_bundle)
    trained = read_trained_task(out, identity, manifest)
    assert trained.task_pool is not None
    assert (trained.shape.size, trained.shape.chosen, trained.task_adapter) == (10, 3, None)
    assert (trained.masks[:-1].sum(-1) == 3).all()
    # Two masks of ten bits.
    assert report["bytes"]["masks"] == 2 * 2
    assert report["bytes"]["pool_of_the_task"] == task_pool_bytes(trained.shape)
    adapter, pool = unpack_adapters(trained.task.adapter, manifest.pool_shape)
    assert (adapter, pool and pool.pack()) == (None, trained.task_pool.pack())

    common = ["--bundle", str(last_layer_bundle), "--plm", str(tiny_plm)]
    measured = CliRunner().invoke(app, ["eval", "--data", str(opposed), "--task", str(out), "--no-pair", *common])
    assert json.loads(measured.output.splitlines()[-1])["micro"] == pytest.approx(report["test"]["methods"]["task_pool"]["micro"])

    # Newcomers choose from the same pool, and the task's file stays as it is.
    newcomers = tmp_path / "new.jsonl"
    newcomers.write_text(opposed.read_text(encoding="utf-8").replace('"profile": "p', '"profile": "q'), encoding="utf-8")
    add = ["add", "--data", str(newcomers), "--task", str(out), "--out", str(tmp_path / "added"), "--recipe", recipe, *common]
    result = CliRunner().invoke(app, add)
    assert result.exit_code == 0, result.output
    added = read_trained_task(tmp_path / "added", identity, manifest)
    assert added.task == trained.task
    report = json.loads((tmp_path / "added" / "report.json").read_text(encoding="utf-8"))
    assert report["test"]["methods"]["new_profiles"]["micro"] > 0.8
    assert report["bytes_a_profile"]["new_profiles"] == 4


def test_a_run_stopped_while_a_pool_is_trained_resumes_to_the_same_bytes(
    opposed: Path, last_layer_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    recipe = quick_recipe(tmp_path / "recipe.toml", **{**POOL, "task_pool__use": True, "task_pool__epochs": 3})

    def train(out: Path, *more: str) -> Result:
        return CliRunner().invoke(app, arguments(opposed, last_layer_bundle, tiny_plm, out, "--recipe", recipe, *more))

    def save_and_stop(path: Path, training: TrainingState, step: int, losses: torch.Tensor) -> None:
        save_checkpoint(path, training, step, losses)
        if path.name == "pool-1-checkpoint.pt":
            raise KeyboardInterrupt

    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert train(whole).exit_code == 0
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(CheckpointClock, "due", lambda _, done: done == 5)
        patched.setattr(loop, "save_checkpoint", save_and_stop)
        assert train(stopped).exit_code == 130
    assert torch.load(stopped / "pool-1-checkpoint.pt")["step"] == 5
    assert train(stopped, "--resume").exit_code == 0
    assert written(stopped) == written(whole)
    assert not list(stopped.glob("*checkpoint*"))


def test_a_pool_that_is_too_large_for_a_row_is_named(opposed: Path, last_layer_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    # Of the tiny PLM, even the most adapters fit: 1.3 MB.
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(task_files, "MAX_ROW_BYTES", 100_000)
        sizes = {"masks__epochs": 1, "task_pool__size": 4096}
        for use, message in (("auto", "a pool of 4096 adapters is larger than a row of the database: not tried"), (True, "error[")):
            recipe = quick_recipe(tmp_path / "recipe.toml", masks__use="auto", task_pool__use=use, **sizes)
            line = arguments(opposed, last_layer_bundle, tiny_plm, tmp_path / str(use), "--recipe", recipe)
            result = CliRunner().invoke(app, [part for part in line if part != "--quiet"])
            assert (result.exit_code, message in result.output) == (int(use is True), True), result.output


def test_an_adapter_stays_beside_the_pool() -> None:
    pool = random_pool(3, 1, 1)
    adapter = torch.ones(2, 2, 6)

    class Parts:
        shape, task_adapter, task_pool = BUNDLE, adapter, pool

    read, read_pool = unpack_adapters(pack_adapters(Parts()), BUNDLE)  # type: ignore[arg-type]
    assert read is not None
    torch.testing.assert_close(read, adapter)
    assert read_pool is not None
    assert read_pool.pack() == pool.pack()
