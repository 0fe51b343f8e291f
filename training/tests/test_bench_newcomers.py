"""What the newcomers' bench draws and writes."""

import json
from collections import Counter
from pathlib import Path

import pytest
import torch

from bench.inbox import LABELS, TEXTS, sort_inbox
from bench.newcomers import draw_newcomers, in_order, keep_options, main
from bench.simple_choices import simple_choices
from tests.runs import QUICK
from xpeft.data import Example
from xpeft.errors import XpeftError
from xpeft.records import Record

RECORDS = [Record.model_validate(record) for record in sort_inbox()]


def test_an_inbox_is_the_same_again_and_parts_its_subjects() -> None:
    assert [Record.model_validate(record) for record in sort_inbox()] == RECORDS
    of = Counter((record.profile, record.split) for record in RECORDS)
    assert set(of.values()) == set(TEXTS.values())
    assert {record.label for record in RECORDS} == set(LABELS)
    texts = {split: {record.text for record in RECORDS if record.split == split} for split in TEXTS}
    assert not texts["train"] & texts["test"]


def test_newcomers_have_texts_enough_and_two_labels_among_the_first() -> None:
    newcomers = draw_newcomers(RECORDS, 16, 50, 0)
    assert newcomers == draw_newcomers(RECORDS, 16, 50, 0) != draw_newcomers(RECORDS, 16, 50, 1)
    assert len(set(newcomers)) == 16
    mostly = [RECORDS[0].model_copy(update={"text": str(place), "label": "a"}) for place in range(30)]
    other = mostly[0].model_copy(update={"text": "other", "label": "b"})
    order = in_order([*mostly, other], 5, 0)
    assert sorted(record.text for record in order) == sorted(record.text for record in [*mostly, other])
    assert {record.label for record in order[:5]} == {"a", "b"}


def test_both_halves_figures_are_written(tiny_plm: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    data = tmp_path / "inbox.jsonl"
    people = sorted({record.profile for record in RECORDS})[:10]
    lines = [json.dumps(record) for record in sort_inbox() if record["profile"] in people]
    data.write_text("\n".join(lines[::3]), encoding="utf-8")
    out = tmp_path / "out"
    for _ in range(2):  # the second time nothing is trained again
        main(data, "inbox", out, tiny_bundle, 6, 2, 0, [3, 6], 16, QUICK, plm=str(tiny_plm), quiet=True)
    found = json.loads((out / "companion.json").read_text(encoding="utf-8"))
    assert len(found["newcomers"]) == 6
    assert [(run["draw"], run["texts"]) for run in found["runs"]] == [(0, 3), (0, 6), (1, 3), (1, 6)]
    names = {"majority", "default", "label bias", "nearest neighbours", "logistic regression"}
    for run in found["runs"]:
        assert set(run["methods"]) == {*names, "add"}
        for figures in run["methods"].values():
            assert len(figures) == 6
            assert all(0 <= figure <= 1 for figure in figures)
    tests = [json.loads(line) for line in (out / "few-1-6.jsonl").read_text(encoding="utf-8").splitlines()]
    assert Counter(line["split"] for line in tests)["train"] == 36


def test_choices_answer_as_they_are_named() -> None:
    features = torch.eye(4)
    train = [Example(0, label, [1], [0], 0.0) for label in (0, 1, 1, 1)]
    logits = torch.zeros(4, 3)
    logits[:, 2] = 0.5
    found = simple_choices((features, features), (logits, logits), train)
    assert found["majority"].tolist() == [1, 1, 1, 1]
    assert found["default"].tolist() == [2, 2, 2, 2]
    assert found["label bias"].tolist() == [1, 1, 1, 1]
    assert found["nearest neighbours"].tolist() == [0, 1, 1, 1]


def test_a_folder_takes_no_other_options(tmp_path: Path) -> None:
    keep_options(tmp_path, {"seed": 0})
    keep_options(tmp_path, {"seed": 0})
    with pytest.raises(XpeftError, match="other options"):
        keep_options(tmp_path, {"seed": 1})
