"""What the newcomers' bench draws and writes."""

import json
from collections import Counter
from pathlib import Path

import pytest

from bench.inbox import LABELS, TEXTS, sort_inbox
from bench.newcomers import NEWCOMERS, draw_newcomers, in_order, keep_options, main
from tests.runs import QUICK
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
    newcomers = draw_newcomers(RECORDS, 50, 0)
    assert newcomers == draw_newcomers(RECORDS, 50, 0) != draw_newcomers(RECORDS, 50, 1)
    assert len(set(newcomers)) == NEWCOMERS
    mostly = [RECORDS[0].model_copy(update={"text": str(place), "label": "a"}) for place in range(30)]
    other = mostly[0].model_copy(update={"text": "other", "label": "b"})
    order = in_order([*mostly, other], 5, 0)
    assert sorted(record.text for record in order) == sorted(record.text for record in [*mostly, other])
    assert {record.label for record in order[:5]} == {"a", "b"}


def test_both_halves_figures_are_written(tiny_plm: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    data = tmp_path / "inbox.jsonl"
    people = sorted({record.profile for record in RECORDS})[: NEWCOMERS + 4]
    lines = [json.dumps(record) for record in sort_inbox() if record["profile"] in people]
    data.write_text("\n".join(lines[::3]), encoding="utf-8")
    out = tmp_path / "out"
    for _ in range(2):  # the second time nothing is made again
        main(data, "inbox", out, tiny_bundle, 0, [3, 6], 16, QUICK, plm=str(tiny_plm), quiet=True)
    found = json.loads((out / "companion.json").read_text(encoding="utf-8"))
    assert set(found["counts"]) == {"3", "6"}
    names = {"majority", "default", "default and label bias", "best known", "best known and label bias"}
    for counted in found["counts"].values():
        assert 0 <= counted["companion"]["macro"] <= 1
        assert set(counted["without"]) == names


def test_a_folder_takes_no_other_options(tmp_path: Path) -> None:
    keep_options(tmp_path, {"seed": 0})
    keep_options(tmp_path, {"seed": 0})
    with pytest.raises(XpeftError, match="other options"):
        keep_options(tmp_path, {"seed": 1})
