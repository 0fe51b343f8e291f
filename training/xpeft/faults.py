"""Finds why labelled texts cannot be used to train, extend or evaluate a task."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from xpeft.errors import BadLine, NoTexts, NoTrainText, OneLabel, UnknownLabel, UnknownProfile, XpeftError
from xpeft.labels import find_label, label_indices, number_spellings, quoted
from xpeft.records import Record


def find_faults(
    path: Path, records: Mapping[int, Record], labels: Sequence[str] | None = None, profiles: Sequence[str] | None = None
) -> Iterator[XpeftError]:
    """Yield why the records of a file cannot be used. Each error is for all lines of its kind, and names the first.

    labels, profiles: those of a finished task. By default, those of the file's own training texts.
    """
    if not records:
        yield NoTexts(f"{path} holds no texts", "Write one labelled text in each line.")
        return
    train = [record for record in records.values() if record.split == "train"]
    if profiles is None and not train:
        yield NoTrainText(f"{path} holds no training text", 'Profiles learn from lines with "split": "train".')
        return
    known_profiles = {record.profile for record in train} if profiles is None else set(profiles)
    if unknown := {number: record.profile for number, record in records.items() if record.profile not in known_profiles}:
        place, names = f"{path}, line {min(unknown)}", counted(unknown.values())
        if profiles is None:
            hint = "Put a text of each profile in train, or drop its texts: `python -m xpeft prepare --min-profile 1` does."
            yield NoTrainText(f"{place}: no training text has the profile {names}", hint)
        else:
            hint = "Remove its lines, or add it to the task with `python -m xpeft add`."
            yield UnknownProfile(f"{place}: the task has no profile {names}", hint)
    if labels is None:
        yield from number_faults(path, records)
    known_labels = sorted({record.label for record in train}) if labels is None else labels
    if len(known_labels) < 2:
        yield OneLabel(f"all training texts of {path} have 1 label, {known_labels[0]!r}", "A classifier needs two or more labels.")
    indices = label_indices(known_labels)
    if unknown := {number: record.label for number, record in records.items() if find_label(record.label, indices) is None}:
        place, names = f"{path}, line {min(unknown)}", counted(unknown.values())
        if labels is None:
            hint = "Put a text of each label in train, or drop its texts: `python -m xpeft prepare --min-label 1` does."
            yield UnknownLabel(f"{place}: no training text has the label {names}", hint)
        else:
            shown = [label if label.isprintable() else repr(label) for label in labels]
            yield UnknownLabel(f"{place}: the task has no label {names}", f"The labels are {some(shown, 20)}.")


def number_faults(path: Path, records: Mapping[int, Record]) -> Iterator[BadLine]:
    """Yield why labels that are all numbers cannot be used: a number has two spellings."""
    first_line: dict[str, int] = {}
    for number, record in records.items():
        first_line.setdefault(record.label, number)
    for spellings in number_spellings(first_line).values():
        one, other = sorted(spellings, key=first_line.__getitem__)[:2]
        hint = "Spell a number in one way. `python -m xpeft prepare` does so."
        yield BadLine(f"{path}, line {first_line[other]}: label: {other!r} is the number {one!r} of line {first_line[one]}", hint)


def counted(names: Iterable[str]) -> str:
    """Return names for a message, each with the number of times that it occurs."""
    return some([f"{quoted(name)} ({count})" for name, count in Counter(names).items()])


def some(items: Sequence[str], limit: int = 5) -> str:
    """Return the first items for a message, and how many more there are."""
    more = f" and {len(items) - limit:,} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more
