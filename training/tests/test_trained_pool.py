import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.compared import run
from tests.runs import arguments
from xpeft.cli import app
from xpeft.comparison.trained_pool import assign_texts
from xpeft.data import DataSet, Example
from xpeft.errors import XpeftError
from xpeft.pool import PoolShape
from xpeft.stored_pool import load_pool, save_pool

SHAPE = PoolShape(2, 32, 5, 12, 5)


def test_a_pool_is_trained_written_in_int8_and_compared(
    sets_root: Path, tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    # Without profiles, as a background of news has none.
    lines = [json.loads(line) for line in tiny_data.read_text(encoding="utf-8").splitlines()]
    background = tmp_path / "background.jsonl"
    background.write_text("\n".join(json.dumps({**line, "profile": "everybody"}) for line in lines), encoding="utf-8")
    file = tmp_path / "pool.safetensors"
    paths = ["--data", str(background), "--bundle", str(tiny_bundle), "--plm", str(tiny_plm), "--out", str(file)]
    sizes = ["--pool-size", "12", "--bottleneck", "5", "--texts", "6", "--epochs", "4", "--lr", "0.01", "--device", "cpu", "--quiet"]
    result = CliRunner().invoke(app, ["pool", *paths, *sizes])
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["background.jsonl", "pool.safetensors"]
    again = tmp_path / "again.safetensors"
    assert CliRunner().invoke(app, ["pool", *paths[:-1], str(again), *sizes]).exit_code == 0
    assert again.read_bytes() == file.read_bytes()

    pool = load_pool(file, SHAPE).entries()
    assert pool.shape == (2, 2, 12, 160)
    # One start for all, and texts of its own for each.
    assert 0 < (pool[0, 0, 0] - pool[0, 0, 1]).abs().max() < pool.abs().max()
    assert file.stat().st_size < 2 * 2 * 12 * 160 * 1.2

    settings = {"data": ["news"], "methods": ["hard"], "profile_lr": 0.1, "pool": "trained", "pool_file": str(file)}
    _, record = run(sets_root, tiny_bundle, tiny_plm, tmp_path / "runs", settings)
    assert record.pool == "trained N=12 k=5 b=5"
    assert record.macro > 0.6
    _, record = run(sets_root, tiny_bundle, tiny_plm, tmp_path / "last", {**settings, "personal_layers": 1})
    assert (record.pool, record.bytesPerProfile) == ("trained N=12 k=5 b=5 last 1", 4)

    bundle, task = tmp_path / "bundle", tmp_path / "task"
    sizes = ["--pool-size", "12", "--chosen", "5", "--bottleneck", "5"]
    assert (
        CliRunner().invoke(app, ["bundle", "--plm", str(tiny_plm), "--out", str(bundle), "--pool-file", str(file), *sizes]).exit_code == 0
    )
    for option in (("--pool-seed", "0"), ("--pool-scale", "2")):
        both = ["bundle", "--plm", str(tiny_plm), "--out", str(bundle), "--pool-file", str(file), *option, *sizes]
        assert "a trained pool has no seed" in CliRunner().invoke(app, both).output
    result = CliRunner().invoke(app, arguments(tiny_data, bundle, tiny_plm, task))
    assert result.exit_code == 0, result.output
    report = json.loads((task / "report.json").read_text(encoding="utf-8"))
    assert report["test"]["methods"]["profile_masks"]["macro"] > 0.9
    paths = ["--data", str(tiny_data), "--bundle", str(bundle), "--plm", str(tiny_plm), "--task", str(task), "--device", "cpu"]
    result = CliRunner().invoke(app, ["eval", *paths])
    assert json.loads(result.stdout.splitlines()[-1])["macro"] == report["test"]["methods"]["profile_masks"]["macro"]


@given(st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_int8_is_within_half_a_step(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    file = tmp_path_factory.mktemp("pools") / "pool.safetensors"
    source = torch.Generator().manual_seed(seed)
    pool = torch.randn(2, 2, 12, 160, generator=source) * torch.rand(2, 2, 12, 1, generator=source)
    save_pool(file, pool)
    steps = pool.abs().amax(-1, keepdim=True) / 127
    assert ((load_pool(file, SHAPE).entries() - pool).abs() <= 0.501 * steps + 1e-12).all()


@given(st.lists(st.integers(0, 3), min_size=6, max_size=40), st.integers(1, 6), st.integers(1, 5))
@settings(deadline=None)
def test_every_adapter_gets_separate_texts(profiles: list[int], parts: int, texts: int) -> None:
    examples = [Example(profile, number, [], []) for number, profile in enumerate(profiles)]
    assigned = assign_texts(DataSet(["a", "b", "c", "d"], [], {"train": examples, "dev": [], "test": []}), parts, texts, 0)
    assert {example.profile for example in assigned} == set(range(parts))
    assert len({example.label for example in assigned}) == len(assigned) == parts * min(texts, len(examples) // parts)


def test_a_file_that_is_not_a_pool_is_named(tmp_path: Path) -> None:
    file = tmp_path / "pool.safetensors"
    with pytest.raises(XpeftError, match="cannot be read"):
        load_pool(file, SHAPE)
    save_pool(file, torch.zeros(2, 2, 11, 160))
    with pytest.raises(XpeftError, match=r"holds a pool \[2, 2, 11, 160\]"):
        load_pool(file, SHAPE)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(XpeftError, match="cannot be read"):
        load_pool(file, SHAPE)
    with pytest.raises(XpeftError, match="too few for 3 adapters"):
        assign_texts(DataSet(["a"], [], {"train": [Example(0, 0, [], [])], "dev": [], "test": []}), 3, 1, 0)
