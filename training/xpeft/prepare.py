"""Turns a table, CSV or JSON Lines with columns of any name, into a data file that can be trained on."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xpeft.atomic_files import write_text
from xpeft.errors import NoTexts, OneLabel, XpeftError
from xpeft.faults import counted, find_faults, some
from xpeft.labels import number_spellings
from xpeft.oddities import find_oddities
from xpeft.records import SPLITS, Record
from xpeft.splits import drop_rare, split_texts, text_key
from xpeft.table_records import COMMAND_HINTS, Columns, Hints, IdHash, ReadRows, Tell, read_table_records
from xpeft.tables import read_rows

HASH_NOTICE = "Without a key, whoever guesses an id can compute its hash. If ids are personal, add --id-key-file."


@dataclass(frozen=True)
class Preparation:
    """How a table's texts are split and which are dropped.

    dev, test: fractions of each profile's texts. group: whether equal texts of all profiles stay in one split. min_label, min_profile:
    labels and profiles with fewer training texts are dropped. skip_bad: whether bad rows are skipped. id_hash: how ids are hashed, if so.
    """

    dev: float = 0.1
    test: float = 0.2
    seed: int = 0
    group: bool = False
    min_label: int = 0
    min_profile: int = 0
    skip_bad: bool = False
    id_hash: IdHash | None = None


def prepare_data(
    path: Path,
    out: Path,
    columns: Columns,
    how: Preparation,
    tell: Tell,
    read: ReadRows = read_rows,
    hints: Hints = COMMAND_HINTS,
) -> dict[str, int]:
    """Write a table as a data file, and return its numbers of profiles, of labels and of texts in each split.

    tell: receives what the user should know. read: reads the rows of the table that errors call `path`. hints: for its bad rows.
    Raises BadLine, UnreadableFile, NoTexts, NoTrainText, UnknownLabel or NotWritten.
    """
    if out.suffix == ".gz":
        raise XpeftError(f"{out} would not be zipped, whatever its name says", "Name a plain file: --out texts.jsonl")
    records, found = read_table_records(path, columns, how.id_hash, how.skip_bad, tell, read, hints)
    if not records:
        raise NoTexts(f"{path} holds no texts", "Give a table with a row for each labelled text.")
    for field in found:
        tell(f"the column {field!r} is used" + ("; --new-split ignores it" if field == "split" else "; training reads it with --pair"))
    if how.id_hash is not None and how.id_hash.key is None:
        tell(HASH_NOTICE)
    records = dict(spell_numbers(drop(spell_numbers(records, tell), how, tell), tell))
    if columns.split is None and "split" not in found:
        records = dict(zip(records, split_texts(list(records.values()), how.dev, how.test, how.seed, how.group), strict=True))
        tell_equal(records, how.group, tell)
    elif how.group:
        raise XpeftError("--group splits texts anew, and the table has their splits", "Leave --group out, or add --new-split.")
    for fault in find_faults(path, records):
        # `add` accepts texts of one label, and `eval` accepts test texts alone.
        if not isinstance(fault, OneLabel) and any(record.split == "train" for record in records.values()):
            raise fault
        tell(f"train refuses this file: {fault}")
    for finding in find_oddities(records, pair=True):
        tell(f"{finding}. {finding.hint}")
    write_text(
        out,
        "".join(
            json.dumps(record.model_dump(exclude_none=True), ensure_ascii=False, allow_nan=False) + "\n" for record in records.values()
        ),
    )
    counts: dict[str, int] = {split: sum(record.split == split for record in records.values()) for split in SPLITS}
    profiles, labels = ({getattr(record, field) for record in records.values()} for field in ("profile", "label"))
    return {"profiles": len(profiles), "labels": len(labels), **counts}


def drop(records: Mapping[int, Record], how: Preparation, tell: Tell) -> Mapping[int, Record]:
    """Return the records without those of rare labels and profiles. Raises NoTexts if none are left."""
    kept = drop_rare(records, how.min_label, how.min_profile)
    if not kept:
        hint = "Lower --min-label or --min-profile."
        raise NoTexts(f"no label and profile has {how.min_label} and {how.min_profile} training texts", hint)
    dropped = [record for number, record in records.items() if number not in kept]
    for field in ("label", "profile"):
        left = {getattr(record, field) for record in kept.values()}
        if gone := [name for record in dropped if (name := getattr(record, field)) not in left]:
            tell(f"dropped {field}s, with their texts: {counted(gone)}")
    return kept


def spell_numbers(records: Mapping[int, Record], tell: Tell) -> Mapping[int, Record]:
    """Return the records with one spelling for each number, if all labels are numbers."""
    shortest = {
        spelling: number
        for number, spellings in number_spellings({record.label for record in records.values()}).items()
        for spelling in spellings
        if spelling != number
    }
    if shortest:
        spelled = some([f"{spelling!r} as {number!r}" for spelling, number in shortest.items()])
        tell(f"numbers are written in their shortest form: {spelled}")
    return {number: record.model_copy(update={"label": shortest.get(record.label, record.label)}) for number, record in records.items()}


def tell_equal(records: Mapping[int, Record], group: bool, tell: Tell) -> None:
    """Tell how many texts occur several times."""
    counts = Counter(("" if group else record.profile, *text_key(record)) for record in records.values())
    if repeated := [count for count in counts.values() if count > 1]:
        whose = "all profiles" if group else "one profile"
        tell(f"equal texts of {whose} stay in one split: {len(repeated)} in {sum(repeated)} rows")
