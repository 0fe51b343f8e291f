"""`compare`: a record for each method, seed and setting."""

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from tests.compared import TINY, compare, run
from xpeft.cli import app
from xpeft.comparison.describe import without_folders
from xpeft.comparison.experiment import find_experiment, read_experiment
from xpeft.comparison.methods import FEATURE_METHODS, METHODS, PoolSpec
from xpeft.comparison.records import DEFAULT_METHOD, METHOD_NAMES, RunRecord
from xpeft.comparison.sets import Slice, load_set
from xpeft.comparison.setup import Comparison, Run, makes
from xpeft.encoder import AdapterEncoder
from xpeft.mask_model import MaskKind, MaskModel
from xpeft.plm import load_plm
from xpeft.pool import PoolShape, sign_pool
from xpeft.report.claims import claims
from xpeft.report.runs import run_table
from xpeft.train import Recipe, train


@pytest.fixture(scope="module")
def all_methods(sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path_factory: pytest.TempPathFactory) -> list[RunRecord]:
    """The records of every method on news, from one experiment."""
    out = tmp_path_factory.mktemp("methods")
    return run(sets_root, tiny_bundle, tiny_plm, out, {"data": ["news"], "methods": METHOD_NAMES, "profile_lr": 0.01})


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_each_method_leaves_a_record(all_methods: list[RunRecord], method: str) -> None:
    dev, test = (record for record in all_methods if record.method == method)
    assert (dev.split, dev.purpose, test.split, test.purpose) == ("dev", "result", "test", "result")
    assert test.profileCount == 3
    assert test.texts.train == 72
    assert (test.settingsTried > 1) is (method in FEATURE_METHODS or method == "profile")
    assert (sum(test.profiles.texts), test.answers) == (test.texts.test, None)
    assert test.macro == pytest.approx(fmean(right / texts for right, texts in zip(test.profiles.right, test.profiles.texts, strict=True)))
    assert bool(test.losses) is (method in METHODS)
    assert len(test.epochs) == (TINY["epochs"] if method in METHODS else 0)
    assert (test.pool is not None) is (method in ("profile", "hard", "soft"))
    if method == "majority":
        assert test.macro == 0.5
    else:
        assert test.macro > 0.6


def test_the_report_claims_a_difference_from_each_method(all_methods: list[RunRecord]) -> None:
    found = claims(run_table((one, f"{number}.json") for number, one in enumerate(all_methods)))
    assert {claim.against for claim in found} == set(METHOD_NAMES) - {DEFAULT_METHOD}
    assert all(claim.low <= claim.difference <= claim.high for claim in found)


def test_hard_masks_count_bits_and_record_what_they_choose(sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    _, record = run(
        sets_root, tiny_bundle, tiny_plm, tmp_path, {"data": ["news"], "methods": ["hard"], "profile_lr": 0.1, "label_bias": True}
    )
    assert record.method == "hard+bias"
    assert record.pool == "sign N=12 k=5 b=5"
    assert record.bytesPerProfile == 2 * 2 * 2 + 2
    assert record.bytesPerTask == 4 * 2 * 33
    assert record.trainedParameters == 2 * 2 * 12 + 2
    assert record.chosen is not None
    assert torch.tensor(record.chosen).sum(-1) == pytest.approx(torch.full((2, 2), 5.0), abs=0.01)


@pytest.mark.parametrize("rates", [(), (0.002, 0.02)])
def test_a_rate_is_searched_on_dev_once_and_existing_runs_are_skipped(
    sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, rates: tuple[float, ...]
) -> None:
    settings = {"data": ["news"], "methods": ["adapter"], "seeds": 2, "searched_on": 2, "profile_lr": list(rates), "epochs": 1}
    records = run(sets_root, tiny_bundle, tiny_plm, tmp_path, settings)
    searched = [record for record in records if record.slice]
    wanted = rates or [rate.profile for rate in METHODS["adapter"].searched]
    assert sorted(record.recipe["profile_lr"] for record in searched) == sorted(wanted)  # type: ignore[type-var]
    assert {(record.split, record.slice) for record in searched} == {("dev", "2 profiles")}
    results = [record for record in records if (record.purpose, record.split) == ("result", "test")]
    best = min(searched, key=lambda record: record.crossEntropy or 0)
    assert {record.recipe["profile_lr"] for record in results} == {best.recipe["profile_lr"]}
    assert {record.settingsTried for record in results} == {len(wanted)}
    assert [record.seed for record in results] == [0, 1]
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    run(sets_root, tiny_bundle, tiny_plm, tmp_path, settings)
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}


def test_each_seed_draws_a_pool_of_its_own() -> None:
    setup = Comparison(Recipe(), Slice(), PoolSpec(size=4, chosen=2))
    runs = [Run(setup, "news", "hard", Recipe(seed=seed), "result") for seed in (0, 7)]
    assert [run.pool.seed for run in runs if run.pool] == [0, 7]
    assert runs[0].stem != runs[1].stem


def test_an_experiment_may_stop_its_methods_in_another_way(sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    own = {"data": ["news"], "methods": ["soft"], "profile_lr": 0.03, "epochs": 5}
    plain = run(sets_root, tiny_bundle, tiny_plm, tmp_path / "plain", own)
    averaged = run(sets_root, tiny_bundle, tiny_plm, tmp_path / "averaged", own | {"averaging": 0.9, "patience": 4})
    # At such a rate the loss soon rises.
    hasty = run(sets_root, tiny_bundle, tiny_plm, tmp_path / "hasty", own | {"profile_lr": 100.0, "head_lr": 3.0, "patience": 1})
    *fell, last = hasty[0].epochs
    assert len(fell) < 4
    assert fell == sorted(fell, reverse=True)
    assert last > fell[-1]
    assert {"averaging", "patience"}.isdisjoint(plain[0].recipe)
    assert (averaged[0].recipe["averaging"], averaged[0].recipe["patience"]) == (0.9, 4)
    # Dev measures a running mean, from the first epoch on.
    assert averaged[0].epochs[0] != plain[0].epochs[0]
    (experiment,) = read_experiment(tmp_path / "averaged" / "experiment.toml")
    assert makes(experiment, averaged[0])
    assert not makes(experiment, plain[0])


def test_a_shared_affine_is_trained_and_counted_for_the_task(sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    kinds = [MaskKind(affine="shared"), MaskKind()]
    plm = load_plm(str(tiny_plm))
    shape = PoolShape(2, 32, 5, 12, 5)
    shared, none = (MaskModel(AdapterEncoder(plm), sign_pool(0, shape, 0.05), shape, 3, 2, 0, kind) for kind in kinds)
    start = shared.affine.detach().clone()
    data = load_set(sets_root, "news", tiny_bundle / "tokenizer.json", Slice(), 0)
    for model in (shared, none):
        train(model, data.splits["train"], Recipe(epochs=1), plm.pad_id, tmp_path / "checkpoint.pt", "", resume=False, quiet=True)
    assert (shared.affine.detach() - start).abs().max() > 1e-3
    assert (shared.shared_bytes(), none.shared_bytes()) == (4 * 2 * 2 * 5, 0)
    assert shared.bytes_a_profile() == none.bytes_a_profile() == 8


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"data": ["nowhere"]}, "no data set 'nowhere'"),
        ({"data": ["intents"], "label_bias": True}, "each profile of intents has its own labels and head"),
        ({"max_tokens": 65}, "between 5 and 64"),
        ({"data": ["reviews"]}, "between 5 and 64"),
        ({"data": ["offense"], "profile_lr": 0.1}, "cannot be read"),
        ({"newcomers": 1, "profile_lr": 0.1, "methods": ["majority"]}, "no curve of 'majority'"),
        ({"pool": "trained", "pool_file": "none"}, "there is no pool file"),
        ({"personal_layers": 3}, "the PLM has 2 layers, not 3"),
        ({"methods": ["ridge"], "own_head": True}, "ridge has a shared head"),
        ({"methods": ["profile"], "own_head": True}, "profile chooses its own head"),
        ({"methods": ["profile"], "label_bias": True}, "profile chooses its own head"),
    ],
)
def test_errors_name_what_cannot_be_compared(
    sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    result = compare(sets_root, tiny_bundle, tiny_plm, tmp_path, {"data": ["news"], "methods": ["hard"]} | settings)
    assert (result.exit_code, said in result.output, "\nhint: " in result.output) == (1, True, True), result.output


def test_seeds_come_from_the_shell_too(sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    settings = {"data": ["news"], "methods": ["majority"]}
    records = run(sets_root, tiny_bundle, tiny_plm, tmp_path, settings, "--seed", "7", "--seed", "3")
    assert sorted({record.seed for record in records}) == [3, 7]
    assert records[0].command.startswith("python -m xpeft ")


def test_an_experiment_with_newcomers_draws_a_curve(sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    settings = {"data": ["news"], "methods": ["hard"], "profile_lr": 0.01, "newcomers": 1, "newcomer_texts": [8, 2]}
    records = run(sets_root, tiny_bundle, tiny_plm, tmp_path, settings)
    assert sorted((record.purpose, record.textsPerProfile) for record in records) == [("curve", 2), ("curve", 8)]
    (experiment,) = read_experiment(tmp_path / "experiment.toml")
    assert all(makes(experiment, record) for record in records)
    assert not makes(experiment.model_copy(update={"head_lr": 0.02}), records[0])


def test_an_own_head_is_counted(sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    settings = {"data": ["news"], "methods": ["head", "hard"], "own_head": True, "profile_lr": 0.1}
    records = run(sets_root, tiny_bundle, tiny_plm, tmp_path, settings)
    sizes = {record.method: (record.bytesPerProfile, record.bytesPerTask, record.trainedParameters) for record in records}
    assert sizes == {"head+own": (4 * 2 * 33, 0, 2 * 33), "hard+own": (8 + 4 * 2 * 33, 0, 48 + 2 * 33)}
    # Here the own head is a choice, not a part that every method has.
    assert {record.headBytes for record in records} == {0}
    assert min(record.macro for record in records) > 0.6


def test_the_papers_configuration_runs_by_name_on_a_small_scale(
    sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = TINY | {"epochs": 1, "max_tokens": 64, "profile_lr": [0.01]}
    tables = []
    for one in read_experiment(find_experiment("paper")):
        # Of all sizes of the pool, the small scale has one.
        data = [name for name in one.data if name in ("news", "superglue/copa")]
        table = {**one.model_dump(exclude_defaults=True, exclude={"pool_size"}), **small, "data": data}
        tables.append("\n".join(["[[runs]]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]))
    monkeypatch.setattr("xpeft.comparison.experiment.EXPERIMENTS", tmp_path)
    (tmp_path / "paper.toml").write_text("\n".join(tables), encoding="utf-8")
    paths = ["--root", str(sets_root), "--bundle", str(tiny_bundle), "--plm", str(tiny_plm), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, ["compare", "paper", *paths, "--device", "cpu", "--quiet"])
    assert result.exit_code == 0, result.output
    records = [RunRecord.model_validate_json(path.read_bytes()) for path in (tmp_path / "out" / "runs").iterdir()]
    found = {(record.data, record.method): record for record in records if record.split != "dev" or record.data != "news"}
    news = {"majority", "head+own", "adapter+own", "hard+own", "soft+own"}
    assert set(found) == {("news", method) for method in news} | {
        ("superglue/copa", method) for method in ("head", "adapter", "hard", "soft")
    }
    assert found["news", "hard+own"].pool == "gaussian N=12 k=5 b=5 scale x0.141421 own affine"
    # Masks, gain and shift, and a head of two labels.
    assert found["news", "hard+own"].bytesPerProfile == 2 * 2 * 2 + 4 * 2 * 2 * 5 + 4 * 2 * 33
    assert found["news", "soft+own"].trainedParameters == 2 * (12 + 5) * 2 + 2 * 33


def test_a_record_names_no_absolute_folders() -> None:
    assert [without_folders(part) for part in ("--root", "/home/somebody/data", "news", "../bundle")] == [
        "--root",
        "data",
        "news",
        "../bundle",
    ]
