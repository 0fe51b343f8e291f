"""Reads the files of a source."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile


def zip_text(archive: Path, member: str) -> str:
    """Return a file of a ZIP archive, which is UTF-8."""
    with ZipFile(archive) as content:
        return content.read(member).decode("utf-8-sig")


def csv_rows(text: str) -> list[dict[str, str]]:
    """Return the rows of CSV text with a header line."""
    return whole_rows(csv.DictReader(io.StringIO(text, newline="")))


def tsv_rows(text: str, columns: Sequence[str] | None = None) -> list[dict[str, str]]:
    """Return the rows of tab-separated text, in which quotes are part of a value. columns: by default, those of its header line."""
    lines = (line.removesuffix("\r") for line in text.split("\n"))
    return whole_rows(csv.DictReader(lines, columns, delimiter="\t", quoting=csv.QUOTE_NONE))


def whole_rows(reader: "csv.DictReader[str]") -> list[dict[str, str]]:
    """Return all rows. Raises ValueError if one has too few columns."""
    rows = list(reader)
    if any(None in row.values() for row in rows):
        raise ValueError("a row has too few columns")
    return rows


def json_lines(text: str) -> list[dict[str, Any]]:
    """Return the objects of JSON Lines."""
    return [json.loads(line) for line in text.split("\n") if line.strip()]
