"""Reads labelled texts from tables in memory: data frames, data sets of Hugging Face, and lists of rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np

from xpeft.errors import BadLine, BadValue, XpeftError
from xpeft.prepare import Preparation, prepare_data
from xpeft.table_records import Columns, Hints
from xpeft.tables import OnBad, Row, no_column

# What errors call a table without a file.
DATA = Path("data")
ROW_HINT = "A row has the columns profile, text and label. The columns text_pair and split may be added."
HINTS = Hints(
    column=f"Rename your columns. {ROW_HINT}",
    split="Drop the column split to split the texts at random.",
    skip="Change these rows, or drop them.",
)


def write_frame(data: object, out: Path, seed: int) -> None:
    """Write a table in memory as a data file, as `python -m xpeft prepare` does. Without a column `split`, texts are split at random.

    data: rows as dictionaries, a data frame, a data set, or a dictionary of one of these for each split. Raises BadLine, where line N is
    the N-th row, BadValue, NoTexts, NoTrainText, UnknownLabel or NotWritten.
    """

    def read(path: Path, needed: Mapping[str, str], optional: Sequence[str], on_bad: OnBad) -> Iterator[Row]:
        for number, row in enumerate(frame_rows(data), start=1):
            try:
                yield number, read_row(path, number, row, needed, optional)
            except BadLine as error:
                on_bad(error)

    prepare_data(DATA, out, Columns(), Preparation(seed=seed), lambda _: None, read, HINTS)


@contextmanager
def called_data(file: Path) -> Iterator[None]:
    """Let errors inside the block call a written data file `data`: the user knows the table, not the file."""
    try:
        yield
    except XpeftError as error:
        error.args = (str(error).replace(str(file), str(DATA)),)
        raise


def read_row(path: Path, number: int, row: object, needed: Mapping[str, str], optional: Sequence[str]) -> dict[str, object]:
    """Return the named fields of a row. Raises BadLine."""
    if not isinstance(row, Mapping):
        raise BadLine(f"{path}, line {number}: {row!r:.40} is not a dictionary", ROW_HINT)
    for name in needed:
        if name not in row:
            raise BadLine(f"{path}, line {number}: {no_column(name, [str(key) for key in row])}", needed[name])
    fields = {name: plain(row[name]) for name in (*needed, *optional) if name in row}
    for name, value in fields.items():
        if not isinstance(value, str | int | float | None):
            raise BadLine(f"{path}, line {number}: {name}: {value!r:.40} is not a string", ROW_HINT)
    return fields


def frame_rows(data: object) -> Iterator[object]:
    """Yield the rows of a table. Raises BadValue if it is not one."""
    if isinstance(data, Mapping):
        for split, part in data.items():
            for row in frame_rows(part):
                yield {**row, "split": split} if isinstance(row, Mapping) else row
        return
    rows: Any = nw.from_native(data, eager_only=True, pass_through=True)
    if isinstance(rows, nw.DataFrame):
        yield from rows.iter_rows(named=True)
    elif isinstance(rows, Iterable) and not isinstance(rows, str | bytes):
        names = class_names(data)
        for row in rows:
            yield {**row, **{column: class_name(of, row[column]) for column, of in names.items()}} if names else row
    else:
        hint = "Give a data frame, a data set of Hugging Face, or a list of dictionaries. `python -m xpeft train` reads files."
        raise BadValue(f"{data!r:.40} is not a table", hint)


def class_names(data: object) -> dict[str, list[str]]:
    """Return the names of the classes of a Hugging Face data set, for each column that stores classes as numbers."""
    features = getattr(data, "features", None) or {}
    return {column: feature.names for column, feature in features.items() if hasattr(feature, "int2str")}


def class_name(names: list[str], value: object) -> object:
    """Return the name of a class by its number. Data sets write -1 for a class that is not known."""
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else None


def plain(value: object) -> object:
    """Return a value as JSON has it, None if it is missing."""
    if isinstance(value, np.generic):
        value = value.item()
    # Missing values of data frames, such as NaN, do not equal themselves.
    return value if (value == value) is True else None
