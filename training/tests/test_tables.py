"""Reads the files of test/fixtures/tables.json, which the TypeScript half reads too."""

import base64
import json
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from xpeft.errors import BadLine, XpeftError
from xpeft.tables import read_rows
from xpeft.text_lines import read_text_lines

# What the fixtures abbreviate: long texts.
LONG = {"<long>": "word " * 40_000, "<quotes>": '""' * 200_000, "<half>": '"' * 200_000}
SPELLED_OUT = reduce(
    lambda text, short: text.replace(short, json.dumps(LONG[short])[1:-1]),
    LONG,
    (ROOT / "test" / "fixtures" / "tables.json").read_text(encoding="utf-8"),
)
FIXTURES = json.loads(SPELLED_OUT)
NEEDED, OPTIONAL = ["text", "label"], ["text_pair", "profile"]


def write(folder: Path, fixture: dict[str, Any]) -> Path:
    path: Path = folder / fixture["file"]
    path.write_bytes(base64.b64decode(fixture["base64"]) if "base64" in fixture else fixture["content"].encode())
    return path


def place(path: Path, problem: dict[str, Any]) -> str:
    return f"{path} {problem['text']}: " if problem["line"] is None else f"{path}, line {problem['line']}: {problem['text']}"


@pytest.mark.parametrize("fixture", FIXTURES["tables"], ids=lambda fixture: fixture["name"])
def test_a_tables_rows_or_its_problem(tmp_path: Path, fixture: dict[str, Any]) -> None:
    path = write(tmp_path, fixture)
    needed = {name: f"Name {name}." for name in fixture.get("needed", NEEDED)}
    rows = read_rows(path, needed, fixture.get("optional", OPTIONAL))
    if "rows" in fixture:
        assert [{"line": line, "fields": fields} for line, fields in rows] == fixture["rows"]
        return
    with pytest.raises(XpeftError) as caught:
        list(rows)
    said = place(path, fixture["problem"])
    assert (str(caught.value) if fixture["problem"]["line"] else str(caught.value)[: len(said)]) == said
    assert caught.value.hint


@pytest.mark.parametrize("fixture", FIXTURES["lines"], ids=lambda fixture: fixture["name"])
def test_a_files_lines_or_its_problem(tmp_path: Path, fixture: dict[str, Any]) -> None:
    path = write(tmp_path, fixture)
    lines = read_text_lines(path, "Name a file.")
    if "lines" in fixture:
        assert list(lines) == list(enumerate(fixture["lines"], 1))
        return
    with pytest.raises(XpeftError) as caught:
        list(lines)
    said = place(path, fixture["problem"])
    assert str(caught.value)[: len(said)] == said


def test_bad_rows_can_be_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('text,label\na,1\nb\n"c"d,2\ntext,label\n"e\nf"\ng,3\n', encoding="utf-8")
    errors: list[BadLine] = []
    rows = list(read_rows(path, dict.fromkeys(NEEDED, ""), (), errors.append))
    assert rows == [(2, {"text": "a", "label": "1"}), (8, {"text": "g", "label": "3"})]
    assert [str(error).split(": ")[0].removeprefix(f"{path}, ") for error in errors] == ["line 3", "line 4", "line 5", "line 6"]
    path.write_text('text,label\ntext,label,"c\n', encoding="utf-8")
    with pytest.raises(BadLine, match="never closed"):
        list(read_rows(path, dict.fromkeys(NEEDED, ""), (), errors.append))

    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "label": 1}\n{\n\n{"text": "b"}\n{"text": "c", "label": 2}\n', encoding="utf-8")
    errors.clear()
    assert [line for line, _ in read_rows(path, dict.fromkeys(NEEDED, ""), (), errors.append)] == [1, 5]
    assert [str(error).split(": ")[0].removeprefix(f"{path}, ") for error in errors] == ["line 2", "line 4"]


def test_a_missing_column_has_its_own_hint(tmp_path: Path) -> None:
    for name, content in (("a.csv", "text,x\n"), ("a.jsonl", '{"text": "a"}\n')):
        (tmp_path / name).write_text(content, encoding="utf-8")
        with pytest.raises(BadLine) as caught:
            list(read_rows(tmp_path / name, {"text": "Name a text.", "label": "Name a label."}))
        assert caught.value.hint == "Name a label."
