"""A table of one's own into a data file: CSV or JSON Lines, columns of any name, each profile's texts split into train, dev and test."""

import csv
import io
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from xpeft.atomic_files import write_text
from xpeft.data import FIELD_HINTS, LINE_HINT, SPLITS, Record, Split
from xpeft.errors import BadLine, NoTexts, XpeftError
from xpeft.json_lines import numbered_lines, parse_line

TABLE_HINT = "Give a whole file in UTF-8: CSV with a header line, or JSON Lines if its name ends in .jsonl or .ndjson; plain or gzip."


@dataclass(frozen=True)
class Columns:
    """What a table calls the parts of a record; without a column `split`, texts are split here."""

    profile: str = "profile"
    text: str = "text"
    label: str = "label"
    text_pair: str | None = None
    split: str | None = None

    def named(self) -> dict[str, str]:
        """Column names by the record's fields."""
        return {field: name for field, name in vars(self).items() if name is not None}


class Row(BaseModel):
    """A line of JSON: anything by name."""

    model_config = {"extra": "allow"}


def rows_of(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """A table's rows by the number of their (first) line."""
    if Path(path.name.removesuffix(".gz")).suffix in (".jsonl", ".ndjson"):
        for number, line in numbered_lines(path, TABLE_HINT):
            yield number, dict(parse_line(Row, path, number, line, "A line is a JSON object.").model_extra or {})
        return
    # The reader takes quoted line ends together, so it needs the lines with their ends.
    lines = dict(numbered_lines(path, TABLE_HINT))
    text = "".join(f"{lines.get(number, '')}\n" for number in range(1, max(lines, default=0) + 1))
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        begins = 2
        for row in reader:
            if None in row or None in row.values():
                raise BadLine(
                    f"{path}, line {begins}: it has another number of fields than the header", "Quote fields with a comma in them."
                )
            yield begins, dict(row)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise BadLine(f"{path}, line {begins}: {error}", "Quote fields with a comma, a quote or a line's end in them.") from error


def record_of(path: Path, number: int, row: dict[str, object], columns: Columns) -> Record:
    """A row as a record; one without a column of splits is given to train. BadLine names line and column."""
    fields: dict[str, object] = {"split": "train"}
    for field, name in columns.named().items():
        if name not in row:
            raise BadLine(f"{path}, line {number}: there is no column {name!r}", f"There are {', '.join(row)}. Say which is which: --help.")
        value = row[name]
        # A table's numbers are read as they are written; only a text may not be one by mistake.
        fields[field] = str(value) if field in ("label", "profile") and isinstance(value, int) and not isinstance(value, bool) else value
    return parse_line(Record, path, number, json.dumps(fields), LINE_HINT, FIELD_HINTS)


def split_texts(records: list[Record], dev: float, test: float, seed: int) -> list[Record]:
    """The records, of each profile a share in dev and one in test, drawn by the seed; at least one text of each stays in train."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        places[record.profile].append(place)
    splits: list[Split] = ["train"] * len(records)
    for profile in sorted(places):
        own = places[profile].copy()
        random.Random(f"{seed} {profile}").shuffle(own)
        some = min(len(own) - 1, round(len(own) * (dev + test)))
        of_test = round(some * test / (dev + test)) if dev + test > 0 else 0
        for index, place in enumerate(own[:some]):
            splits[place] = "test" if index < of_test else "dev"
    return [record.model_copy(update={"split": split}) for record, split in zip(records, splits, strict=True)]


def prepare_data(path: Path, out: Path, columns: Columns, dev: float, test: float, seed: int) -> dict[str, int]:
    """Write a table as a data file. Returns how many profiles and labels it has, and how many texts each split."""
    if out.suffix == ".gz":
        raise XpeftError(f"{out} would not be zipped, whatever its name says", "Name a plain file: --out texts.jsonl")
    records = [record_of(path, number, row, columns) for number, row in rows_of(path)]
    if not records:
        raise NoTexts(f"{path} holds no texts", TABLE_HINT)
    if columns.split is None:
        records = split_texts(records, dev, test, seed)
    write_text(out, "".join(json.dumps(record.model_dump(exclude_none=True), ensure_ascii=False) + "\n" for record in records))
    counts: dict[str, int] = {split: sum(record.split == split for record in records) for split in SPLITS}
    return {"profiles": len({record.profile for record in records}), "labels": len({record.label for record in records}), **counts}
