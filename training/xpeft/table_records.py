"""Turns the rows of a table into records, and says which rows cannot be records."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xpeft.errors import BadLine
from xpeft.faults import some
from xpeft.json_lines import parse_line
from xpeft.labels import label_form, quoted
from xpeft.profile_hashes import hash_profile_id
from xpeft.records import FIELD_HINTS, LINE_HINT, PROFILE_ID, Record, with_canonical_label
from xpeft.tables import OnBad, Row, read_rows

# What other programs call the splits.
SPLIT_NAMES = {"training": "train", "val": "dev", "valid": "dev", "validation": "dev", "testing": "test"}

Tell = Callable[[str], None]
# Yields the rows of a table, as `read_rows` does.
ReadRows = Callable[[Path, Mapping[str, str], Sequence[str], OnBad], Iterator[Row]]


@dataclass(frozen=True)
class Hints:
    """Hints for bad rows. column: for a missing column, where `{option}` is its field. split: for a bad split. skip: for every bad row."""

    column: str = "Name yours with --{option}."
    split: str = "Name another column with --split, or split the texts at random with --new-split."
    skip: str = "--skip-bad skips bad rows and lists them."


COMMAND_HINTS = Hints()


@dataclass(frozen=True)
class Columns:
    """The table's column names for a record's fields.

    Columns named `text_pair` and `split` are read if they are there, even if they are not named here. new_split: ignore column `split`.
    """

    profile: str = "profile"
    text: str = "text"
    label: str = "label"
    text_pair: str | None = None
    split: str | None = None
    new_split: bool = False

    def named(self) -> dict[str, str]:
        """Return the names of the columns that must be there, by field."""
        names = {"profile": self.profile, "text": self.text, "label": self.label, "text_pair": self.text_pair, "split": self.split}
        return {field: name for field, name in names.items() if name is not None}

    def unnamed(self) -> list[str]:
        """Return the fields that are read from the column of their name, if there is one that is not named for another field."""
        fields = ["text_pair"] if self.new_split else ["text_pair", "split"]
        named = self.named()
        return [field for field in fields if field not in named and field not in named.values()]


@dataclass(frozen=True)
class IdHash:
    """How profile ids are replaced by hashes: under a key, or without one."""

    key: bytes | None = None


class BadProfileId(BadLine):
    """A row's profile id has characters that ids cannot have."""

    def __init__(self, path: Path, line: int, profile: str) -> None:
        self.shown = repr(profile[:40])
        self.line = line
        super().__init__(f"{path}, line {line}: profile: {self.shown} cannot be an id", FIELD_HINTS["profile"])


def read_table_records(
    path: Path,
    columns: Columns,
    id_hash: IdHash | None,
    skip_bad: bool,
    tell: Tell,
    read: ReadRows = read_rows,
    hints: Hints = COMMAND_HINTS,
) -> tuple[dict[int, Record], list[str]]:
    """Return a table's records by line number, and the columns that were not named and are there. Without splits all texts are in train.

    tell: receives what the user should know. read: reads the rows.
    Raises BadLine, which counts the bad rows if there are several, or UnreadableFile.
    """
    bad: list[BadLine] = []
    records: dict[int, Record] = {}
    with_column: dict[str, list[int]] = {field: [] for field in columns.unnamed()}
    needed = {name: hints.column.format(option=field.replace("_", "-")) for field, name in columns.named().items()}
    for number, row in read(path, needed, list(with_column), bad.append):
        try:
            records[number] = to_record(path, number, row, columns, id_hash, hints)
        except BadLine as error:
            bad.append(error)
        for field, lines in with_column.items():
            if field in row:
                lines.append(number)
    if bad and not skip_bad:
        raise all_bad(path, bad, len({record.profile for record in records.values()}), hints)
    if bad:
        tell("\n".join([f"skipped bad rows of {path}: {len(bad)}", *(f"  {str(error).removeprefix(f'{path}, ')}" for error in bad)]))
    with_split = set(with_column.get("split", []))
    if with_split and (without := [number for number in records if number not in with_split]):
        raise BadLine(f"{path}, line {without[0]}: there is no field 'split', and other lines have one", hints.split)
    return records, [field for field, lines in with_column.items() if lines]


def to_record(path: Path, number: int, row: dict[str, object], columns: Columns, id_hash: IdHash | None, hints: Hints) -> Record:
    """Return a row as a record; without a split, its split is train. Raises BadLine that names the line and the field."""
    fields: dict[str, object] = {"split": "train", **{field: row[field] for field in columns.unnamed() if field in row}}
    for field, name in columns.named().items():
        value = row[name]
        # Profiles and labels may be numbers; a number as text is likely the wrong column.
        fields[field] = str(value) if field in ("label", "profile") and isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(fields["split"], str):
        split = fields["split"].strip().lower()
        fields["split"] = SPLIT_NAMES.get(split, split)
    if isinstance(fields["profile"], str):
        fields["profile"] = usable_id(path, number, fields["profile"], id_hash)
    field_hints = FIELD_HINTS if columns.split else {**FIELD_HINTS, "split": f"{FIELD_HINTS['split']} {hints.split}"}
    # A NaN of the table gets its error with the other values that are no text.
    line = json.dumps(fields, allow_nan=True)
    return with_canonical_label(parse_line(Record, path, number, line, LINE_HINT, field_hints), path, number)


def usable_id(path: Path, line: int, given: str, id_hash: IdHash | None) -> str:
    """Return the profile id for an id of a table. Raises BadLine or BadProfileId where there is none."""
    profile = label_form(given)
    if not profile:
        raise BadLine(f"{path}, line {line}: profile: {quoted(given)} is blank", "Give each row a profile.")
    if id_hash is not None:
        return hash_profile_id(profile, id_hash.key)
    if not re.fullmatch(PROFILE_ID, profile):
        raise BadProfileId(path, line, profile)
    return profile


def all_bad(path: Path, bad: list[BadLine], good_ids: int, hints: Hints) -> BadLine:
    """Return an error that names the ids that cannot be used or, if there are none, the first bad row; and counts all of them."""
    ids: dict[str, int] = {}
    for error in bad:
        if isinstance(error, BadProfileId):
            ids.setdefault(error.shown, error.line)
    if not ids:
        return BadLine(f"{bad[0]} (bad rows: {len(bad):,})", f"{bad[0].hint} {hints.skip}")
    shown = some([f"{profile} (line {line})" for profile, line in ids.items()])
    problem = f"{len(ids):,} of {len(ids) + good_ids:,} profile ids cannot be used: {shown} (bad rows: {len(bad):,})"
    return BadLine(
        f"{path}, line {min(ids.values())}: {problem}",
        f"{FIELD_HINTS['profile']} {hints.skip}",
    )
