import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from xpeft.cli import app
from xpeft.comparison.describe import without_folders
from xpeft.comparison.experiment import find_experiment, read_experiment
from xpeft.comparison.methods import FEATURE_METHODS, METHODS, PoolSpec
from xpeft.comparison.metrics import METRICS, metric_value, profile_figures
from xpeft.comparison.records import DEFAULT_METHOD, METHOD_NAMES, RunRecord
from xpeft.comparison.sets import SETS, Slice, load_set
from xpeft.comparison.setup import Comparison, Run, makes
from xpeft.data import DataSet, Example
from xpeft.encoder import AdapterEncoder
from xpeft.mask_model import MaskKind, MaskModel
from xpeft.plm import load_plm
from xpeft.pool import PoolShape, sign_pool
from xpeft.recipe import TaskRecipe
from xpeft.report.claims import claims
from xpeft.report.runs import run_table
from xpeft.train import Recipe, train

TINY = {"epochs": 2, "bottleneck": 5, "pool_size": 12, "chosen": 5, "head_lr": 0.03, "seeds": 1}


def compare(sets_root: Path, bundle: Path, plm: Path, out: Path, settings: dict[str, Any], *options: str) -> Result:
    """Run an experiment with these settings and those of TINY."""
    file = out / "experiment.toml"
    out.mkdir(exist_ok=True)
    # Numbers, strings, booleans and lists are the same in JSON and TOML.
    text = "\n".join(f"{key} = {json.dumps(value)}" for key, value in (TINY | settings).items())
    file.write_text(text, encoding="utf-8")
    paths = ["--root", str(sets_root), "--bundle", str(bundle), "--plm", str(plm), "--out", str(out)]
    return CliRunner().invoke(app, ["compare", str(file), *paths, "--device", "cpu", "--quiet", *options])


def run(sets_root: Path, bundle: Path, plm: Path, out: Path, settings: dict[str, Any], *options: str) -> list[RunRecord]:
    """The records of an experiment that runs, sorted by file."""
    result = compare(sets_root, bundle, plm, out, settings, *options)
    assert result.exit_code == 0, result.output
    return [RunRecord.model_validate_json(path.read_bytes()) for path in sorted((out / "runs").iterdir())]


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


@pytest.mark.parametrize("name", ["intents", "glue/mrpc", "glue/sts-b", "superglue/copa"])
def test_what_train_makes_is_measured_on_every_kind_of_set(
    sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, name: str
) -> None:
    settings = {"data": [name], "methods": ["profile"], "personal_layers": 1, "max_tokens": 48}
    record = run(sets_root, tiny_bundle, tiny_plm, tmp_path, settings)[-1]
    assert (record.method, record.pool, record.data) == ("profile", "sign N=12 k=5 b=5 last 1", name)
    assert record.recipe["masks"] == TaskRecipe().masks.model_dump()
    assert {path.name for path in tmp_path.iterdir()} == {"experiment.toml", "runs"}


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


@pytest.mark.parametrize(
    ("name", "metric"), [("glue/mrpc", "f1"), ("glue/sts-b", "pearson-spearman"), ("superglue/copa", "choice-accuracy")]
)
def test_sets_of_one_profile_are_measured_on_dev_with_their_own_metric(
    sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, name: str, metric: str
) -> None:
    settings = {"data": [name], "methods": ["soft"], "affine": "own", "profile_lr": 0.1, "max_tokens": 64}
    (record,) = run(sets_root, tiny_bundle, tiny_plm, tmp_path, settings)
    assert (record.data, record.split, record.purpose, record.metric.name) == (name, "dev", "result", metric)
    assert record.pool == "sign N=12 k=5 b=5 own affine"
    assert record.bytesPerProfile == 4 * (2 * 2 * 12 + 2 * 2 * 5)
    assert record.answers is not None
    truth, predicted = map(np.array, (record.answers.truth, record.answers.predicted))
    assert record.metric.value == pytest.approx(METRICS[record.metric.name](truth, predicted), abs=1e-3)  # type: ignore[index]
    # A tenth of train takes dev's place for choosing; COPA's texts count once for each ending.
    endings = 2 if name == "superglue/copa" else 1
    assert record.texts.model_dump() == {"train": 36 * endings, "dev": 4 * endings, "test": 12 * endings}


def test_each_seed_draws_a_pool_of_its_own() -> None:
    setup = Comparison(Recipe(), Slice(), PoolSpec(size=4, chosen=2))
    runs = [Run(setup, "news", "hard", Recipe(seed=seed), "result") for seed in (0, 7)]
    assert [run.pool.seed for run in runs if run.pool] == [0, 7]
    assert runs[0].stem != runs[1].stem


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


def test_a_tenant_has_its_own_labels_and_its_head_counts(sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    settings = {"data": ["intents"], "methods": ["hard"], "profile_lr": 0.1, "pool": "gaussian"}
    _, record = run(sets_root, tiny_bundle, tiny_plm, tmp_path, settings)
    assert record.pool == "gaussian N=12 k=5 b=5"
    assert (record.bytesPerProfile, record.headBytes, record.bytesPerTask) == (8 + 4 * 2 * 33, 4 * 2 * 33, 0)
    label_set_bias = load_set(sets_root, "intents", tiny_bundle / "tokenizer.json", Slice(), 0).label_set_bias()
    assert (label_set_bias == 0).sum(1).tolist() == [2, 2]
    assert ((label_set_bias == 0).sum(0) == 1).all()


def test_a_slice_is_the_same_each_time_and_keeps_the_measured_texts(sets_root: Path, tiny_bundle: Path) -> None:
    part = Slice(profiles=2, texts=5, max_tokens=4)
    first, again = (load_set(sets_root, "news", tiny_bundle / "tokenizer.json", part, 0) for _ in range(2))
    assert first == again
    assert part.description == "2 profiles, at most 5 training texts a profile, 4 tokens"
    assert {split: len(examples) for split, examples in first.splits.items()} == {"train": 10, "dev": 16, "test": 20}
    assert max(len(example.ids) for example in first.splits["test"]) == 4


def test_a_profile_keeps_its_texts_right_answers_and_errors() -> None:
    examples = [Example(profile, label, [], []) for profile, label in ((2, 0), (0, 1), (2, 2))]
    data = DataSet(["a", "b", "c"], ["1", "2", "4"], {"test": examples})
    figures = profile_figures("mae", torch.eye(3)[[0, 0, 0]], examples, data)
    assert figures.model_dump() == {"ids": ["a", "c"], "texts": [1, 2], "right": [0, 1], "absoluteErrors": [1.0, 3.0]}
    assert profile_figures("accuracy", torch.eye(3)[[0, 0, 0]], examples, data).absoluteErrors is None


def test_a_large_set_may_have_a_limit_of_training_texts(sets_root: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETS, "glue/mrpc", replace(SETS["glue/mrpc"], most_train=10))
    whole, part = (load_set(sets_root, "glue/mrpc", tiny_bundle / "tokenizer.json", part, 0) for part in (Slice(), Slice(texts=20)))
    assert {split: len(examples) for split, examples in whole.splits.items()} == {"train": 10, "dev": 4, "test": 12}
    # Who asks for a part gets it.
    assert len(part.splits["train"]) == 20


def test_metrics_are_what_their_names_say() -> None:
    def examples(*labels: float) -> list[Example]:
        return [Example(0, int(label), [], [], label - int(label)) for label in labels]

    certain = torch.eye(3)[[0, 1, 1, 2]] * 100
    assert metric_value("accuracy", certain, examples(0, 1, 2, 2), ["1", "2", "4"]) == 0.75
    assert metric_value("mae", certain, examples(0, 1, 2, 2), ["1", "2", "4"]) == 0.5
    assert metric_value("f1", certain[:3, :2], examples(0, 1, 0), ["0", "1"]) == pytest.approx(2 / 3)
    assert metric_value("matthews", certain[:3, :2], examples(1, 0, 0), ["0", "1"]) == pytest.approx(-1)
    between = torch.tensor([[0.5, 0.5, 0], [0.1, 0.8, 0.1], [0, 0.5, 0.5]]).log()
    assert metric_value("pearson-spearman", between, examples(0.5, 1, 1.5), ["0", "1", "2"]) == pytest.approx(1)
    # Of constants there is no correlation. It counts as none.
    assert metric_value("pearson-spearman", between[:1].repeat(3, 1), examples(0.5, 1, 1.5), ["0", "1", "2"]) == 0
    assert metric_value("pearson-spearman", between, examples(1, 1, 1), ["0", "1", "2"]) == 0
    pairs = torch.tensor([[0.0, 1.0], [0.0, 2.0], [1.0, 0.0], [3.0, 0.0]])
    assert metric_value("choice-accuracy", pairs, examples(0, 1, 0, 1), ["wrong", "right"]) == 0.5


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
