"""Records of runs that the report rejects."""

from pathlib import Path
from typing import Any

import pytest

from tests.made_up_runs import folder_of, record
from xpeft.comparison.records import RunRecord
from xpeft.errors import XpeftError
from xpeft.report.page import write_report
from xpeft.report.runs import read_runs


def test_a_mean_over_seeds_is_of_one_recipe(tmp_path: Path) -> None:
    recipes: list[dict[str, Any]] = [{"lr": lr, "seed": seed, "pool": {"seed": seed}} for seed, lr in enumerate((0.1, 0.1, 0.2))]
    runs = [record("news", "adapter", seed, 0.5, recipe=recipe) for seed, recipe in enumerate(recipes)]
    assert len(read_runs(folder_of(runs[:2], tmp_path / "one"))) == 2
    with pytest.raises(XpeftError, match="seeds 0 and 2 of adapter on news have different recipes"):
        read_runs(folder_of(runs, tmp_path / "two"))


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
