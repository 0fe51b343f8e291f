"""Tables in memory: frames, data sets and lists become the data file that `prepare` writes."""

import json
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
from typer.testing import CliRunner

from tests.fitted import Rows
from xpeft import errors
from xpeft.cli import app
from xpeft.errors import XpeftError
from xpeft.frames import write_frame


def written(data: object, folder: Path) -> Rows:
    path = folder / "data.jsonl"
    write_frame(data, path, seed=0)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_kind_of_table_gives_the_same_file(rows: Rows, tmp_path: Path) -> None:
    splits = {split: [row for row in rows if row["split"] == split] for split in ("train", "dev", "test")}
    in_order = [row for part in splits.values() for row in part]
    assert written(rows, tmp_path) == written(iter(rows), tmp_path) == written(pl.DataFrame(rows), tmp_path) == rows
    renamed = {"train": splits["train"], "validation": pl.DataFrame(splits["dev"]).drop("split"), "test": splits["test"]}
    assert written(renamed, tmp_path) == in_order


def test_frames_of_pandas_are_read(rows: Rows, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rows)
    assert written(frame, tmp_path) == written(frame.convert_dtypes(), tmp_path) == rows
    partly = frame.assign(text_pair=[pandas.NA, float("nan"), *["more"] * (len(rows) - 2)])
    assert [row.get("text_pair") for row in written(partly, tmp_path)][:3] == [None, None, "more"]


def test_data_sets_of_hugging_face_are_read(rows: Rows, tmp_path: Path) -> None:
    datasets, arrow = pytest.importorskip("datasets"), pytest.importorskip("pyarrow")
    text, names = datasets.Value("string"), datasets.ClassLabel(names=["animal", "vehicle"])
    features = datasets.Features({"profile": text, "text": text, "label": names, "split": text})
    numbered = [{**row, "label": names.str2int(row["label"])} for row in rows]
    # With a fingerprint, the library need not compute one, which fails for some versions of pyarrow.
    classes = datasets.Dataset(arrow.Table.from_pylist(numbered, features.arrow_schema), fingerprint="rows")
    assert written(classes, tmp_path) == written(classes.to_iterable_dataset(), tmp_path) == rows
    both = written(datasets.DatasetDict({"train": classes, "validation": classes}), tmp_path)
    assert [row["split"] for row in both] == ["train"] * len(rows) + ["dev"] * len(rows)


def test_numbers_of_classes_get_their_names(rows: Rows, tmp_path: Path) -> None:
    class Names:
        names = ("animal", "vehicle")
        int2str = names.__getitem__

    class Numbered(list[dict[str, Any]]):
        features: ClassVar = {"label": Names(), "text": object()}

    numbered = Numbered({**row, "label": Names.names.index(row["label"])} for row in rows)
    assert written(numbered, tmp_path) == rows
    numbered[3]["label"] = -1
    with pytest.raises(errors.BadLine, match="line 4: label: Input should be a valid string, not null"):
        written(numbered, tmp_path)


def test_without_splits_texts_are_split_as_prepare_splits_them(rows: Rows, tmp_path: Path) -> None:
    bare = [{key: value for key, value in row.items() if key != "split"} for row in rows]
    table = tmp_path / "table.jsonl"
    table.write_text("\n".join(map(json.dumps, bare)), encoding="utf-8")
    assert CliRunner().invoke(app, ["prepare", str(table), "--out", str(tmp_path / "prepared.jsonl")]).exit_code == 0
    expected = [json.loads(line) for line in (tmp_path / "prepared.jsonl").read_text(encoding="utf-8").splitlines()]
    assert written(bare, tmp_path) == expected
    assert {row["split"] for row in expected} == {"train", "dev", "test"}


@pytest.mark.parametrize(
    ("data", "code", "message", "hint"),
    [
        ("data.jsonl", "bad-value", "'data.jsonl' is not a table", "list of dictionaries"),
        (3, "bad-value", "3 is not a table", "list of dictionaries"),
        ([], "no-texts", "data holds no texts", "row for each"),
        ({"text": ["a", "b"]}, "bad-line", "data, line 1: 'a' is not a dictionary", "profile, text and label"),
        ([{"profile": "a", "text": "x"}], "bad-line", 'data, line 1: there is no column "label" among "profile", "text"', "Rename"),
        ([{"profile": "a", "text": None, "label": "x"}], "bad-line", "data, line 1: text: Input should be a valid string", "or drop them"),
        ([{"profile": "a", "text": "x", "label": b"x"}], "bad-line", "data, line 1: label: b'x' is not a string", "or drop them"),
        ([{"profile": "a b", "text": "x", "label": "x"}], "bad-line", "'a b' .line 1.", "or drop them"),
        ([{"profile": "a", "text": "x", "label": "x", "split": "later"}], "bad-line", "split: Input should be 'train'", "Drop the column"),
    ],
)
def test_bad_tables_are_named(data: object, code: str, message: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(XpeftError, match=message) as raised:
        write_frame(data, tmp_path / "out.jsonl", seed=0)
    assert raised.value.code == code
    assert hint in raised.value.hint
    assert "--" not in raised.value.hint.replace("--hash-ids", "")
