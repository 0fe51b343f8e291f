"""Finds what is odd with labelled texts: `train` accepts them, and makes poor profiles or scores that are too good."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xpeft.faults import some
from xpeft.labels import is_number, number_spellings
from xpeft.records import Record
from xpeft.splits import text_key

RARE_LABEL, RARE_TEXTS = "rare-label", 5


@dataclass(frozen=True)
class Finding:
    """A kind of thing that is wrong or odd with a data file, and where.

    kind: an error's code, or a name of training/README.md. refused: whether `train` refuses the file for it.
    """

    kind: str
    refused: bool
    message: str
    items: list[str]
    hint: str

    def __str__(self) -> str:
        """Return a line with the first items."""
        return f"{self.message}: {some(self.items)}" if self.items else self.message


def find_oddities(records: Mapping[int, Record], pair: bool) -> list[Finding]:
    """Return what is odd with records by line number. pair: whether second texts are read."""
    return [*label_oddities(records), *text_oddities(records, pair)]


def label_oddities(records: Mapping[int, Record]) -> Iterator[Finding]:
    """Yield what is odd with labels."""
    counts = Counter(record.label for record in records.values() if record.split == "train")
    if rare := [f"{label!r} ({count})" for label, count in reversed(counts.most_common()) if count < RARE_TEXTS]:
        message = f"{len(rare)} of {len(counts)} labels have fewer than {RARE_TEXTS} training texts"
        hint = f"Profiles hardly learn such a label. `python -m xpeft prepare --min-label {RARE_TEXTS}` drops its texts."
        yield Finding(RARE_LABEL, False, message, rare, hint)

    labels_of: dict[str, set[str]] = defaultdict(set)
    profiles = {record.profile for record in records.values()}
    for record in records.values():
        if record.split == "train":
            labels_of[record.profile].add(record.label)
    if single := sorted(profile for profile, own in labels_of.items() if len(own) == 1):
        message = f"{len(single)} of {len(profiles)} profiles learn one label: all their training texts have it"
        yield Finding("one-label-profile", False, message, single, "Such a profile gives this label to every text.")

    labels = sorted({record.label for record in records.values()})
    forms: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        forms["".join(unicodedata.normalize("NFKC", label).casefold().split())].append(label)
    if alike := [group for group in forms.values() if len(group) > 1]:
        yield different_labels("label-spelling", "differ only in case, spaces or Unicode form", alike)
    # Where all labels are numbers, two spellings of one are refused.
    numbers = [label for label in labels if is_number(label)]
    if len(numbers) < len(labels) and (equal := list(number_spellings(numbers).values())):
        yield different_labels("equal-number", "are spellings of one number", equal)


def different_labels(kind: str, what: str, groups: list[list[str]]) -> Finding:
    """Return the finding of groups of labels that look like one label."""
    items = [" and ".join(map(repr, group)) for group in groups]
    return Finding(kind, False, f"labels that {what} are different labels", items, "Spell a label in one way in your table.")


def text_oddities(records: Mapping[int, Record], pair: bool) -> Iterator[Finding]:
    """Yield what is odd with texts and their splits."""
    first_line: dict[tuple[str, tuple[str, str]], int] = {}
    in_train: dict[tuple[str, str], set[str]] = defaultdict(set)
    for number, record in records.items():
        if record.split == "train":
            first_line.setdefault((record.profile, text_key(record, pair)), number)
            in_train[text_key(record, pair)].add(record.profile)
    equal, shared, held_out, in_test = list[str](), list[str](), 0, 0
    for number, record in records.items():
        if record.split == "train":
            continue
        key = text_key(record, pair)
        held_out += 1
        in_test += record.split == "test"
        if same := first_line.get((record.profile, key)):
            equal.append(f"line {number} ({record.split}) and line {same} (train)")
        elif record.split == "test" and in_train.get(key):
            shared.append(f"line {number}")
    if equal:
        message = f"{len(equal)} of {held_out} dev and test texts are in train too, under the same profile"
        hint = "They make the scores too good. `python -m xpeft prepare` keeps equal texts of a profile in one split."
        yield Finding("equal-text", False, message, equal, hint)
    if shared:
        message = f"{len(shared) / in_test:.0%} of the test texts ({len(shared)} of {in_test}) are in train under another profile"
        hint = "For scores on texts that no profile has seen, split with `python -m xpeft prepare --group`."
        yield Finding("shared-text", False, message, shared, hint)

    if not pair and (pairs := [f"line {number}" for number, record in records.items() if isinstance(record.text_or_pair(True), tuple)]):
        message = f"{len(pairs)} of {len(records)} texts have a text_pair that is not read"
        yield Finding("unread-pair", False, message, pairs, "Give --pair to read it as a second text.")

    profiles = {record.profile for record in records.values()}
    if untested := sorted(profiles - {record.profile for record in records.values() if record.split == "test"}):
        message = f"{len(untested)} of {len(profiles)} profiles have no test text"
        yield Finding("no-test-text", False, message, untested, "The scores say nothing about these profiles.")
