"""Reads the rows of tables: CSV or JSON Lines, plain or gzip (docs/formats.md, "Tables and lines")."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from pydantic import BaseModel

from xpeft.csv_records import UNCLOSED, CsvRecord, read_csv_records
from xpeft.errors import BadLine
from xpeft.json_lines import numbered_lines, parse_line
from xpeft.text_lines import WHITE_SPACE, is_blank, read_text_lines

# The number of a row's first line, from 1, and its fields by the names that were asked for.
Row = tuple[int, dict[str, object]]
OnBad = Callable[[BadLine], None]

FILE_HINT = "Name a file in UTF-8: CSV with a header line, or JSON Lines if its name ends in .jsonl or .ndjson; plain or gzip."
ROW_HINT = "Give each row the header's fields. Quote a field that holds a separator or a line end, and double the quotes inside it."
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
MOST_SHOWN, MOST_LETTERS = 10, 40


class JsonRow(BaseModel):
    """A line of JSON with any fields."""

    model_config = {"extra": "allow"}


def is_json_lines(path: Path) -> bool:
    """Return whether a file's name says JSON Lines. This holds for .json too, so that a JSON array is not taken for CSV."""
    return re.search(r"\.(jsonl?|ndjson)(\.gz)?$", path.name, re.IGNORECASE) is not None


def stop(error: BadLine) -> NoReturn:
    """Raise the error."""
    raise error


def read_rows(path: Path, needed: Mapping[str, str], optional: Sequence[str] = (), on_bad: OnBad = stop) -> Iterator[Row]:
    """Yield the rows of a table: the number of each row's first line, and its fields. Other columns are ignored.

    needed: the columns that must be there, each with a hint for where it is missing. optional: columns that rows have if the table does.
    on_bad: receives the error of a bad row. If it returns, the row is skipped.
    Raises BadLine or UnreadableFile where the rest of the file cannot be read.
    """
    if not is_json_lines(path):
        yield from read_table_rows(path, needed, optional, on_bad)
        return
    for number, line in numbered_lines(path, FILE_HINT):
        try:
            fields = parse_line(JsonRow, path, number, line, "A line is a JSON object.").model_extra or {}
            for name in needed:
                if name not in fields:
                    raise BadLine(f"{path}, line {number}: {no_column(name, list(fields))}", needed[name])
        except BadLine as error:
            on_bad(error)
        else:
            yield number, {name: fields[name] for name in (*needed, *optional) if name in fields}


def read_table_rows(path: Path, needed: Mapping[str, str], optional: Sequence[str], on_bad: OnBad) -> Iterator[Row]:
    """Yield the rows of a CSV file, as `read_rows` does."""
    header, records = find_header(path, needed)
    if header is None:
        return
    columns = column_names(header)
    at = {name: found for name in (*needed, *optional) if (found := places(columns, name))}
    for name, found in at.items():
        if len(found) > 1:
            raise BadLine(
                f"{path}, line {header.line}: {len(found)} columns are named {shown(name)}", "Rename the ones that are not meant."
            )
    for record in records:
        problem = record.problem or row_problem(record, columns, len(header.fields))
        if problem is None:
            yield record.line, {name: record.fields[place] for name, [place] in at.items()}
        else:
            # After an open quote there is no row to go on with.
            (stop if problem == UNCLOSED else on_bad)(BadLine(f"{path}, line {record.line}: {problem}", ROW_HINT))


def row_problem(record: CsvRecord, columns: Sequence[str], most_fields: int) -> str | None:
    """Return why a record is not a row under the header's columns, or None. Fields after the first `most_fields` must be blank."""
    names = (field.strip(WHITE_SPACE).lower() for field in record.fields)
    is_header = all(next(names, "") == column.lower() for column in columns) and not any(names)
    if is_header:
        return "it is the header again, as where two files were joined"
    if len(record.fields) < len(columns) or not is_blank("".join(record.fields[most_fields:])):
        return f"it has {len(record.fields)} fields, and the header has {len(columns)}"
    return None


def find_header(path: Path, needed: Mapping[str, str]) -> tuple[CsvRecord | None, Iterator[CsvRecord]]:
    """Return the header and the records after it, split at the separator with which the header has the needed columns.

    Raises BadLine if there is none.
    """
    lines = [line for _, line in read_text_lines(path, FILE_HINT)]
    given = re.fullmatch('sep=([^" \U00010000-\U0010ffff])', lines[0], re.IGNORECASE) if lines else None
    is_tabs = re.search(r"\.tsv(\.gz)?$", path.name, re.IGNORECASE) is not None
    separators = given[1] if given else "\t" if is_tabs else "".join(SEPARATORS)
    text = "\n".join(lines[1:] if given else lines)
    headers: list[CsvRecord] = []
    for separator in separators:
        all_records = read_csv_records(text, separator, 2 if given else 1)
        records = (record for record in all_records if record.problem or not is_blank("".join(record.fields)))
        header = next(records, None)
        if header is None or (header.problem is None and all(places(column_names(header), name) for name in needed)):
            return header, records
        headers.append(header)
    header = max(headers, key=lambda header: (header.problem is None, len(header.fields)))
    place, columns = f"{path}, line {header.line}", column_names(header)
    if header.problem:
        raise BadLine(f"{place}: {header.problem}", ROW_HINT)
    name = next(name for name in needed if not places(columns, name))
    tried = ", ".join(SEPARATORS.get(separator, separator) for separator in separators)
    raise BadLine(f"{place}: {no_column(name, columns)} (separators tried: {tried})", needed[name])


def no_column(name: str, columns: Sequence[str]) -> str:
    """Return that a column is missing among others, of which the first are named."""
    more = ["…"] if len(columns) > MOST_SHOWN else []
    return f"there is no column {shown(name)} among {', '.join([*map(shown, columns[:MOST_SHOWN]), *more])}"


def shown(name: str) -> str:
    """Return a name in quotes, with control characters escaped, cut if it is long."""
    return json.dumps(name[:MOST_LETTERS], ensure_ascii=False, allow_nan=False)


def places(columns: Sequence[str], name: str) -> list[int]:
    """Return where a column is among others; ignoring case if none has exactly that name."""
    exact = [place for place, column in enumerate(columns) if column == name]
    return exact or [place for place, column in enumerate(columns) if column.lower() == name.lower()]


def column_names(record: CsvRecord) -> list[str]:
    """Return the fields as names: trimmed, without blank ones at the end, which Excel adds."""
    names = [field.strip(WHITE_SPACE) for field in record.fields]
    while names and not names[-1]:
        names.pop()
    return names
