"""The report's files and the order of its page, made from a few small made-up runs."""

import json
from pathlib import Path

import pytest

from tests.made_up_runs import folder_of, record, table, three
from xpeft.comparison.records import RunRecord
from xpeft.report.claims import claims
from xpeft.report.page import page_text, write_report
from xpeft.report.runs import summary_json

SUMMARY_KEYS = [
    *("data", "split", "method", "pool", "seed", "micro", "macro", "metric", "value", "bytesPerProfile"),
    *("bytesPerTask", "trainedParameters", "settingsTried", "seconds", "device", "commit", "slice", "purpose"),
]


@pytest.fixture(scope="module")
def all_kinds() -> list[RunRecord]:
    """Runs for every section of the page."""
    runs = [run for method in ("profile", "head+bias", "hard", "adapter") for run in three("news", method, 0.7)]
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
    assert summary[-1]["method"] == "profile" and summary[-1]["metric"] == "accuracy" and summary[-1]["value"] == pytest.approx(0.71)


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


def test_the_page_names_missing_kinds_of_runs(tmp_path: Path) -> None:
    write_report(folder_of([record("news", "majority", 0, 0.5, losses=[])], tmp_path / "results"))
    page = (tmp_path / "results" / "report.md").read_text(encoding="utf-8")
    assert page.count("No runs for this yet.") == 4
    assert "No results of GLUE or SuperGLUE yet." in page and "No searches yet." in page
    write_report(folder_of([record("news", "head", 0, 0.5, purpose="search")], tmp_path / "search"))
    assert "No results of data sets with profiles yet." in (tmp_path / "search" / "report.md").read_text(encoding="utf-8")
