"""Tables that become data files."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from xpeft.cli import app
from xpeft.errors import XpeftError
from xpeft.prepare import Preparation, prepare_data
from xpeft.records import Record, read_records
from xpeft.table_records import Columns


def prepared(path: Path, columns: Columns = Columns(), how: Preparation = Preparation()) -> tuple[list[Record], list[str]]:  # noqa: B008
    """The records of the data file that a table becomes, and what the user is told."""
    out, told = path.with_name("out.jsonl"), list[str]()
    prepare_data(path, out, columns, how, told.append)
    return list(read_records(out).values()), told


def write_table(folder: Path, rows: Sequence[Sequence[str]], header: str = "profile,text,label") -> Path:
    """Write a CSV, and return its path."""
    path = folder / "table.csv"
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")
    return path


def rejected(path: Path, columns: Columns = Columns(), how: Preparation = Preparation()) -> tuple[str, str]:  # noqa: B008
    """The message and the hint of the error for a table. No data file is written."""
    with pytest.raises(XpeftError) as caught:
        prepared(path, columns, how)
    assert not path.with_name("out.jsonl").exists()
    return str(caught.value).removeprefix(f"{path}, "), caught.value.hint


def prepare_command(*arguments: object) -> tuple[int, str, str]:
    """The exit status, stdout and stderr of `prepare`."""
    ran = CliRunner().invoke(app, ["prepare", *map(str, arguments)])
    return ran.exit_code, ran.stdout, ran.stderr
