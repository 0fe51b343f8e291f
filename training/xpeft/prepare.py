"""Turns a table, CSV or JSON Lines with columns of any name, into a data file, and splits each profile's texts."""

import json
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from xpeft.atomic_files import write_text
from xpeft.data import FIELD_HINTS, LINE_HINT, SPLITS, Record, Split, with_canonical_label
from xpeft.errors import NoTexts, XpeftError
from xpeft.json_lines import parse_line
from xpeft.tables import FILE_HINT, read_rows


@dataclass(frozen=True)
class Columns:
    """The table's column names for a record's fields. Without a column `split`, texts are split at random."""

    profile: str = "profile"
    text: str = "text"
    label: str = "label"
    text_pair: str | None = None
    split: str | None = None

    def by_field(self) -> dict[str, str]:
        """Return the column names by field."""
        return {field: name for field, name in vars(self).items() if name is not None}


def to_record(path: Path, number: int, row: dict[str, object], columns: Columns) -> Record:
    """Return a row as a record; without a column of splits, its split is train. Raises BadLine that names line and column."""
    fields: dict[str, object] = {"split": "train"}
    for field, name in columns.by_field().items():
        value = row[name]
        # Profiles and labels may be numbers; a number as text is likely the wrong column.
        fields[field] = str(value) if field in ("label", "profile") and isinstance(value, int) and not isinstance(value, bool) else value
    return with_canonical_label(parse_line(Record, path, number, json.dumps(fields), LINE_HINT, FIELD_HINTS), path, number)


def split_texts(records: list[Record], dev: float, test: float, seed: int) -> list[Record]:
    """Return the records with random splits. Of each profile, the fractions `dev` and `test` leave train; at least one text stays."""
    positions: dict[str, list[int]] = defaultdict(list)
    for position, record in enumerate(records):
        positions[record.profile].append(position)
    splits: list[Split] = ["train"] * len(records)
    for profile in sorted(positions):
        shuffled = positions[profile].copy()
        random.Random(f"{seed} {profile}").shuffle(shuffled)
        held_out = min(len(shuffled) - 1, round(len(shuffled) * (dev + test)))
        in_test = round(held_out * test / (dev + test)) if dev + test > 0 else 0
        for index, position in enumerate(shuffled[:held_out]):
            splits[position] = "test" if index < in_test else "dev"
    return [record.model_copy(update={"split": split}) for record, split in zip(records, splits, strict=True)]


def prepare_data(path: Path, out: Path, columns: Columns, dev: float, test: float, seed: int) -> dict[str, int]:
    """Write a table as a data file, and return its numbers of profiles, of labels and of texts in each split.

    Raises BadLine, UnreadableFile, NoTexts or NotWritten.
    """
    if out.suffix == ".gz":
        raise XpeftError(f"{out} would not be zipped, whatever its name says", "Name a plain file: --out texts.jsonl")
    needed = {name: f"Name yours with --{field.replace('_', '-')}." for field, name in columns.by_field().items()}
    records = [to_record(path, number, row, columns) for number, row in read_rows(path, needed)]
    if not records:
        raise NoTexts(f"{path} holds no texts", FILE_HINT)
    if columns.split is None:
        records = split_texts(records, dev, test, seed)
    write_text(out, "".join(json.dumps(record.model_dump(exclude_none=True), ensure_ascii=False) + "\n" for record in records))
    counts: dict[str, int] = {split: sum(record.split == split for record in records) for split in SPLITS}
    return {"profiles": len({record.profile for record in records}), "labels": len({record.label for record in records}), **counts}
