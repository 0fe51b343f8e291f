"""Whatever a table holds, `train` accepts what `prepare` makes of it, or an error says what to do."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.prepared_tables import prepared, write_table
from xpeft.data import load_data
from xpeft.errors import OneLabel, XpeftError
from xpeft.prepare import Preparation
from xpeft.table_records import IdHash

NAMES = st.sampled_from(["a", "b", "c", "d", "e"])


LONG_TAIL = st.lists(st.tuples(NAMES, st.integers(0, 20), st.integers(0, 200).map(lambda n: int(n**0.6))), min_size=1, max_size=60)


SPLIT_COLUMN = st.lists(st.sampled_from(["train", "train", "dev", "test"]), min_size=60, max_size=60)


@settings(deadline=None)
@given(
    rows=LONG_TAIL,
    names=st.sampled_from(["label", "", "0.", "N"]),
    splits=st.none() | SPLIT_COLUMN,
    group=st.booleans(),
    rare=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    held_out=st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)),
)
def test_train_accepts_what_prepare_writes(
    small_tokenizer: Path,
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, int, int]],
    names: str,
    splits: list[str] | None,
    group: bool,
    rare: tuple[int, int],
    held_out: tuple[float, float],
) -> None:
    folder = tmp_path_factory.mktemp("table")
    # Labels are names, or numbers with several spellings: 0.1 and 0.10, or one name among numbers.
    fields = [
        (profile, f"text {text}", "none" if names == "N" and label == 9 else f"{names.strip('N')}{label}") for profile, text, label in rows
    ]
    if splits is None:
        table = write_table(folder, fields)
    else:
        with_splits = [(*row, split) for row, split in zip(fields, splits, strict=False)]
        table = write_table(folder, with_splits, "profile,text,label,split")
    try:
        _, told = prepared(table, how=Preparation(*held_out, 0, group and splits is None, *rare))
    except XpeftError as error:
        # Only given splits and dropped texts can leave nothing to train on; the error then says what to do.
        assert error.code in ("unknown-label", "no-train-text", "no-texts")
        assert splits or rare > (0, 0)
        assert "--min-" in error.hint
        return
    try:
        load_data(folder / "out.jsonl", small_tokenizer, 32, False)
    except XpeftError as error:
        assert error.code in ("one-label", "no-train-text")
        assert any(notice.startswith("train refuses this file") for notice in told)
        if isinstance(error, OneLabel) and not (splits or any(rare)):
            assert len({label for _, _, label in rows}) == 1


UGLY = st.text(st.sampled_from('aA1.0 -e\u00e9\u0301\u200b\u00a0\t\n\u2028,;"@_'), max_size=4)


@settings(deadline=None)
@given(rows=st.lists(st.tuples(UGLY, UGLY, UGLY), min_size=1, max_size=40), hashed=st.booleans())
def test_train_accepts_what_is_left_of_an_ugly_table(
    small_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], hashed: bool
) -> None:
    table = tmp_path_factory.mktemp("ugly") / "table.jsonl"
    lines = [json.dumps({"profile": profile, "text": text, "label": label}) for profile, text, label in rows]
    table.write_text("\n".join(lines), encoding="utf-8")
    try:
        records, told = prepared(table, how=Preparation(skip_bad=True, id_hash=IdHash() if hashed else None))
    except XpeftError as error:
        assert error.code == "no-texts"
        return
    skipped = [notice for notice in told if notice.startswith("skipped bad rows")]
    assert len(rows) - len(records) == sum(notice.count("\n") for notice in skipped)
    try:
        load_data(table.with_name("out.jsonl"), small_tokenizer, 32, False)
    except OneLabel:
        assert any(notice.startswith("train refuses this file") for notice in told)
