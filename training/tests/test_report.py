"""The report, made from a few small made-up runs."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.made_up_runs import figures, record, table, three
from xpeft.bootstrap import mean_estimate, paired_difference
from xpeft.comparison.records import RunRecord
from xpeft.errors import XpeftError
from xpeft.report.claims import claims, claims_json
from xpeft.report.page import page_text, write_report
from xpeft.report.runs import read_runs, summary_json
from xpeft.report.tables import data_tables, search_table, suite_table

RESULTS = ROOT / "training" / "results"
SUMMARY_KEYS = [
    *("data", "split", "method", "pool", "seed", "micro", "macro", "metric", "value", "bytesPerProfile"),
    *("bytesPerTask", "trainedParameters", "settingsTried", "seconds", "device", "commit", "slice", "purpose"),
]


def folder_of(runs: list[RunRecord], folder: Path) -> Path:
    """A folder that holds the runs."""
    (folder / "runs").mkdir(parents=True)
    for number, run in enumerate(runs):
        (folder / "runs" / f"{number}.json").write_text(run.model_dump_json(), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def all_kinds() -> list[RunRecord]:
    """Runs for every section of the page."""
    runs = [
        run for method in ("profile", "head", "head+bias", "hard", "soft", "adapter", "lora", "vera") for run in three("news", method, 0.7)
    ]
    runs += [run for method in ("hard", "adapter") for run in three("glue/mrpc", method, 0.7, split="dev")]
    runs += [record("news", "hard", 0, 0.6, purpose="search", split="dev", recipe={"lr": lr}) for lr in (0.1, 0.2)]
    runs += [record("news", "hard", 0, 0.5 + texts / 100, purpose="curve", textsPerProfile=texts) for texts in (5, 1)]
    return runs


def test_the_same_runs_give_the_same_bytes(all_kinds: list[RunRecord], tmp_path: Path) -> None:
    notes = "We tried *this*."
    folder = folder_of(all_kinds, tmp_path / "first")
    (folder / "notes.md").write_text(notes, encoding="utf-8")
    first = write_report(folder)
    assert notes in first[-1].read_text(encoding="utf-8")
    # Written in another order, and over a plot of runs that are gone.
    other = folder_of(all_kinds[::-1], tmp_path / "other")
    (other / "notes.md").write_text(notes, encoding="utf-8")
    (other / "plots").mkdir()
    (other / "plots" / "old.svg").touch()
    second = write_report(other)
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    plots = {path.stem for path in first if path.suffix == ".svg"}
    assert plots == {"size-profiles", "size-glue", "gains", "masks-news", "masks-glue", "loss-profiles", "loss-glue", "texts"}
    assert {path.stem for path in (other / "plots").iterdir()} == plots


def test_summary_has_one_line_of_just_these_keys_a_run(all_kinds: list[RunRecord]) -> None:
    summary = json.loads(summary_json(table(all_kinds)))
    assert len(summary) == len(all_kinds)
    assert all(list(line) == SUMMARY_KEYS for line in summary)
    assert summary[-1]["method"] == "vera" and summary[-1]["metric"] == "accuracy" and summary[-1]["value"] == pytest.approx(0.71)


def test_the_page_goes_from_what_fails_to_the_commands(all_kinds: list[RunRecord]) -> None:
    runs = table([*all_kinds, *three("offense", "profile", 0.5), *three("offense", "head+bias", 0.6)])
    plots = [f"{name}.svg" for name in ("size-profiles", "gains", "masks-news", "loss-profiles", "texts")]
    page = page_text(runs, claims(runs), plots, "We tried *this*.\n\n| and | that |\n")
    order = [
        "### Does not hold",
        "**offense: not below head+bias",
        "### Not shown",
        "**reviews:",
        "### Holds",
        "**news: not below head+bias",
        "We tried *this*.\n\n| and | that |",
    ]
    order += [
        "### news, test",
        "### GLUE and",
        "plots/size-profiles",
        "plots/gains",
        "plots/masks",
        "plots/loss",
        "plots/texts",
        "lr 0.1",
        "--seed S",
    ]
    places = [page.find(text) for text in order]
    assert -1 not in places
    assert places == sorted(places)


def test_the_committed_page_is_what_the_code_makes_of_the_committed_runs() -> None:
    runs = read_runs(RESULTS)
    notes, page = ((RESULTS / name).read_text(encoding="utf-8") for name in ("notes.md", "report.md"))
    plots = re.findall(r"\(plots/(.*?)\)", page)
    found = claims(runs)
    assert page_text(runs, found, plots, notes) == page
    assert claims_json(found) == (RESULTS / "claims.json").read_text(encoding="utf-8")
    assert summary_json(runs) == (RESULTS / "summary.json").read_text(encoding="utf-8")
    assert {path.name for path in (RESULTS / "plots").iterdir()} == set(plots)


def intervals(text: str) -> set[str]:
    """The figures of a page that have an interval."""
    number = r"[+-]?\d+\.\d+"
    return set(re.findall(rf"{number} \({number} to {number}\)", text.replace("−", "-")))


def trained_intervals(path: Path) -> set[str]:
    """The gains in a `report.json` of `train`, with one and with two decimals."""
    gains = [gain for split in ("dev", "test") for gain in json.loads(path.read_text(encoding="utf-8"))[split]["gains"].values()]
    formats = ("{value:+.1f} ({low:+.1f} to {high:+.1f})", "{value:+.2f} ({low:+.2f} to {high:+.2f})")
    return {form.format(**gain) for form in formats for gain in gains}


def test_each_interval_in_the_docs_is_one_of_the_committed_results() -> None:
    assert intervals("+1.2 (−0.4 to +2.9), and 70.0 (69.1 to 71.0) of 3 (2 to 4)") == {"+1.2 (-0.4 to +2.9)", "70.0 (69.1 to 71.0)"}
    shown = intervals((RESULTS / "report.md").read_text(encoding="utf-8"))
    shown |= set().union(*(trained_intervals(path) for path in (RESULTS / "trained").glob("*.json")))
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        assert intervals(page.read_text(encoding="utf-8")) <= shown, page.name


def test_a_mean_over_seeds_is_of_one_recipe(tmp_path: Path) -> None:
    recipes: list[dict[str, Any]] = [{"lr": lr, "seed": seed, "pool": {"seed": seed}} for seed, lr in enumerate((0.1, 0.1, 0.2))]
    runs = [record("news", "adapter", seed, 0.5, recipe=recipe) for seed, recipe in enumerate(recipes)]
    assert len(read_runs(folder_of(runs[:2], tmp_path / "one"))) == 2
    with pytest.raises(XpeftError, match="seeds 0 and 2 of adapter on news have different recipes"):
        read_runs(folder_of(runs, tmp_path / "two"))


def test_parts_and_few_seeds_are_marked() -> None:
    runs = [*three("news", "hard", 0.7), *three("news", "head", 0.6)[:1], *three("news", "adapter", 0.5, slice="20 profiles")]
    text = data_tables(table(runs))
    assert "| 3 | 70.0 (" in text and "| 1‡ | 59.0 (" in text
    assert "### news, test, 20 profiles †" in text and "| 3† | 50.0 (" in text
    runs = [*three("glue/mrpc", "hard", 0.7, slice="100 texts"), *three("glue/rte", "hard", 0.6)[:2]]
    suite = suite_table(table([one.model_copy(update={"profileCount": 1}) for one in runs]))
    assert "| 70.0† | 59.5‡ |" in suite
    assert "mrpc: 100 texts" in suite


def test_tables_have_the_interval_of_each_figure_and_difference() -> None:
    right = {"profile": [[15, 12, 18], [16, 12, 17]], "head": [[14, 11, 18], [14, 12, 17]]}
    runs = [
        record("news", method, seed, 0.7, profiles=figures(np.array(one), 20), settingsTried=3)
        for method, of_seeds in right.items()
        for seed, one in enumerate(of_seeds)
    ]
    found, gain = mean_estimate(np.array(right["head"]) / 20), paired_difference(*(np.array(one) / 20 for one in right.values()))
    head, less = ([f"{100 * figure:.1f}" for figure in one] for one in (found, gain))
    row = f"| head | – | 0 | 100 | 3 | 2‡ | {head[0]} ({head[1]} to {head[2]}) | +{less[0]} (+{less[1]} to +{less[2]}) |"
    assert row in data_tables(table(runs))


def test_an_error_has_its_interval_the_right_way_up() -> None:
    mae = {"name": "mae", "value": 0.5, "higherIsBetter": False}
    runs = [
        record("offense", "profile", seed, 0.5, metric=mae, profiles=figures(np.array([5, 5]), 10) | {"absoluteErrors": [4.0, 6.0]})
        for seed in (0, 1)
    ]
    text = data_tables(table(runs))
    assert "mae x 100 (less is better)" in text and "| 50.0 (40.0 to 60.0) |" in text


def test_the_whole_set_stands_before_a_part_of_it() -> None:
    runs = [*three("glue/mrpc", "hard", 0.7), *three("glue/mrpc", "hard", 0.8, slice="100 texts")]
    suite = suite_table(table([one.model_copy(update={"profileCount": 1}) for one in runs]))
    assert "| 70.0 |" in suite and "80.0" not in suite


def test_a_search_shows_what_was_tried_and_the_best() -> None:
    error = {"name": "mae", "higherIsBetter": False}
    tried = [
        record(
            "news",
            "hard",
            0,
            0.5,
            purpose="search",
            recipe={"lr": lr, "epochs": 4},
            metric={**error, "value": 1 - value},
            crossEntropy=value,
        )
        for lr, value in ((0.1, 0.7), (0.2, 0.6))
    ]
    assert "| lr 0.1: 0.700; **lr 0.2: 0.600** |" in search_table(table(tried))


def test_a_search_shows_settings_that_are_no_numbers_and_runs_without_cross_entropy() -> None:
    recipes: list[dict[str, Any]] = [{"lr": 0.1, "pool": {"size": 8}}, {"lr": 0.1, "pool": {"size": 9}}, {"lr": 0.1}]
    tried = [
        record("news", "hard", 0, 0.5, purpose="search", recipe=recipe, crossEntropy=value)
        for recipe, value in zip(recipes, (0.7, 0.6, None), strict=True)
    ]
    shown = search_table(table(tried))
    assert all(text in shown for text in ('pool {"size": 8}: 0.700', '**pool {"size": 9}: 0.600**', "pool null: inf"))


def test_the_page_names_missing_kinds_of_runs(tmp_path: Path) -> None:
    write_report(folder_of([record("news", "majority", 0, 0.5, losses=[])], tmp_path / "results"))
    page = (tmp_path / "results" / "report.md").read_text(encoding="utf-8")
    assert page.count("No runs for this yet.") == 4
    assert "No results of GLUE or SuperGLUE yet." in page and "No searches yet." in page
    write_report(folder_of([record("news", "head", 0, 0.5, purpose="search")], tmp_path / "search"))
    assert "No results of data sets with profiles yet." in (tmp_path / "search" / "report.md").read_text(encoding="utf-8")


def test_bad_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(XpeftError, match="runs holds no runs"):
        write_report(tmp_path)
    folder = folder_of([record("news", "head", 0, 0.5)], tmp_path / "bad")
    text = (folder / "runs" / "0.json").read_text(encoding="utf-8")
    for change, said in (
        ('"extra": 1, "data"', "extra: Extra"),
        ('"data": 1, "was"', "data: "),
        ('"pool": "x", "data"', None),
    ):
        (folder / "runs" / "1.json").write_text(text.replace('"data"', change, 1), encoding="utf-8")
        with pytest.raises(XpeftError, match=rf"1\.json: {said}" if said else r"0\.json and .*1\.json") as caught:
            write_report(folder)
        assert caught.value.hint


FIGURES: dict[str, Any] = {"ids": ["a", "b"], "texts": [4, 5], "right": [1, 2], "absoluteErrors": None}


@pytest.mark.parametrize(
    "changes",
    [
        {"textsPerProfile": 3},
        {"purpose": "curve"},
        {"pool": None},
        {"method": "hard+x"},
        {"micro": float("nan")},
        {"seed": "0"},
        {"headBytes": 157},
        {"chosen": [[[0.5]]]},
        {"settingsTried": 0},
        {"profiles": FIGURES | {"right": [1]}},
        {"profiles": FIGURES | {"right": [1, 6]}},
        {"profiles": FIGURES | {"absoluteErrors": [0.5]}},
        {"answers": {"truth": [0.0, 1.0], "predicted": [0.0]}},
    ],
)
def test_a_record_that_contradicts_itself_is_rejected(changes: dict[str, Any]) -> None:
    fields = record("news", "hard", 0, 0.5).model_dump()
    RunRecord.model_validate(fields)
    with pytest.raises(ValueError, match="validation error"):
        RunRecord.model_validate(fields | changes)


def test_the_command_line_loads_no_large_library_before_a_command_runs() -> None:
    code = "import sys, xpeft.cli; sys.exit(bool({'matplotlib', 'polars', 'torch', 'transformers'} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", code], check=True)
