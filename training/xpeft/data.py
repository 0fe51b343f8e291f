"""Reads data files: JSON Lines, plain or gzip, with `profile`, `text`, optional `text_pair`, `label` and `split` in each line."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError
from tokenizers import Encoding, Tokenizer
from tokenizers.normalizers import BertNormalizer

from xpeft.errors import BadLine, NoTexts, NoTrainText, OneLabel, UnknownLabel, UnknownProfile, XpeftError
from xpeft.json_lines import numbered_lines, parse_line
from xpeft.labels import canonical_label, find_label, label_indices, label_values, number_spellings

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")
# Far below every logit.
NEVER = -1e4
NOT_BLANK = r"\S"
PROFILE_ID = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$"

FILE_HINT = "Name a JSON Lines file in UTF-8, plain or gzip."
LINE_HINT = (
    'A line is {"profile": …, "text": …, "label": …, "split": "train" | "dev" | "test"}; "text_pair" may be added. '
    "`python -m xpeft prepare` makes such lines from a table."
)
UNREAD_HINT = "Write a text that the PLM's tokenizer can read."
FIELD_HINTS = {
    "profile": "A profile id is a string of 1 to 128 letters, digits and . _ : @ -. It starts with a letter or a digit.",
    "text": "A text is a string that is not blank: it has more than white space and characters that cannot be seen. "
    "Remove the line if there is no text.",
    "text_pair": "A second text is a string. Leave it blank, or leave it out, if there is none.",
    "label": 'A label is a string of 1 to 256 characters, without tabs and line ends. It is not blank. Write a number as "3", not 3.',
    "split": 'A split is "train", "dev" or "test".',
}


NORMALIZER = BertNormalizer()


def check_text(text: str) -> str:
    """Return the text. Raises PydanticCustomError if it is blank: a BERT tokenizer reads nothing in it."""
    # Most texts have such a letter, and the search is fast.
    if not re.search("[0-9A-Za-z]", text) and not NORMALIZER.normalize_str(text).strip():
        raise PydanticCustomError("blank", "{text} is blank", {"text": ascii(text[:40])})
    return text


class Record(BaseModel):
    """One labelled text of one profile. Other fields of the line are ignored."""

    profile: str = Field(pattern=PROFILE_ID)
    text: Annotated[str, AfterValidator(check_text)]
    text_pair: str | None = None
    label: str = Field(pattern=NOT_BLANK)
    split: Split

    def text_or_pair(self, pair: bool) -> str | tuple[str, str]:
        """Return the text, or, if `pair` is set and the second text is not blank, both texts."""
        return (self.text, self.text_pair) if pair and self.text_pair and self.text_pair.strip() else self.text


@dataclass(frozen=True)
class Example:
    """A tokenized text. `profile` and `label` are indices into the data set's lists.

    next_label_weight: how much of the target lies on the next label. A score of 3.4 is label 3 with a weight of 0.4; a class has 0.
    """

    profile: int
    label: int
    ids: list[int]
    types: list[int]
    next_label_weight: float = 0.0


@dataclass(frozen=True)
class DataSet:
    """The examples of a task by split, in the order of the file.

    profile_labels: whether each profile has its own label set, the labels of its training texts.
    """

    profiles: list[str]
    labels: list[str]
    splits: dict[Split, list[Example]]
    profile_labels: bool = False

    def label_set_bias(self) -> torch.Tensor:
        """Return the bias that keeps each profile to its own label set, float32 [profiles, labels].

        It is 0, and far below every logit where `profile_labels` is set and no training text of the profile has the label.
        """
        bias = torch.zeros(len(self.profiles), len(self.labels))
        if self.profile_labels:
            bias.fill_(NEVER)
            for example in self.splits["train"]:
                bias[example.profile, example.label] = 0.0
        return bias

    def subset(self, profiles: list[int]) -> "DataSet":
        """Return the data set with some of the profiles, by index, and their texts."""
        new_index = {profile: index for index, profile in enumerate(profiles)}
        splits: dict[Split, list[Example]] = {
            split: [replace(example, profile=new_index[example.profile]) for example in examples if example.profile in new_index]
            for split, examples in self.splits.items()
        }
        return replace(self, profiles=[self.profiles[profile] for profile in profiles], splits=splits)


def read_lines(path: Path, canonical: bool) -> Iterator[tuple[int, Record | BadLine]]:
    """Yield the line numbers and records of a file, with an error in place of each record that is bad.

    canonical: whether to bring labels into canonical form. Raises BadLine or UnreadableFile where the file cannot be read to its end.
    """
    for number, line in numbered_lines(path, FILE_HINT):
        try:
            record = parse_line(Record, path, number, line, LINE_HINT, FIELD_HINTS)
            yield number, with_canonical_label(record, path, number) if canonical else record
        except BadLine as error:
            yield number, error


def read_records(path: Path, canonical: bool = False) -> dict[int, Record]:
    """Return the records of a file by line number. Raises the first error of `read_lines`."""
    records = {}
    for number, record in read_lines(path, canonical):
        if isinstance(record, BadLine):
            raise record
        records[number] = record
    return records


def with_canonical_label(record: Record, path: Path, number: int) -> Record:
    """Return a record with its label in canonical form. Raises BadLine if the label cannot be one."""
    try:
        return record.model_copy(update={"label": canonical_label(record.label)})
    except ValueError as error:
        raise BadLine(f"{path}, line {number}: label: {error}", FIELD_HINTS["label"]) from error


def load_data(
    path: Path, tokenizer_file: Path, max_tokens: int, pair: bool, labels: list[str] | None = None, profiles: list[str] | None = None
) -> DataSet:
    """Return the examples of a file. Texts are cut to `max_tokens`, special tokens included; `pair` says whether to read `text_pair`.

    labels, profiles: those of a finished task, in its order. By default, those of the file's training texts in alphabetical order.
    Raises BadLine, UnreadableFile, NoTexts, NoTrainText, OneLabel, UnknownLabel or UnknownProfile.
    """
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.enable_truncation(max_tokens)
    records = read_records(path, canonical=labels is None)
    for fault in find_faults(path, records, labels, profiles):
        raise fault
    train = [record for record in records.values() if record.split == "train"]
    task_labels = sorted({record.label for record in train}) if labels is None else labels
    task_profiles = sorted({record.profile for record in train}) if profiles is None else profiles
    profile_index = {profile: index for index, profile in enumerate(task_profiles)}
    indices = label_indices(task_labels)
    label_of = {number: label for number, record in records.items() if (label := find_label(record.label, indices)) is not None}
    splits: dict[Split, list[Example]] = defaultdict(list)
    texts = [record.text_or_pair(pair) for record in records.values()]
    for (number, record), encoding in zip(records.items(), tokenizer.encode_batch(texts), strict=True):
        if has_no_token(encoding):
            raise BadLine(f"{path}, line {number}: text: no token is left of it", UNREAD_HINT)
        splits[record.split].append(Example(profile_index[record.profile], label_of[number], encoding.ids, encoding.type_ids))
    return DataSet(task_profiles, task_labels, {split: splits[split] for split in SPLITS})


def has_no_token(encoding: Encoding) -> bool:
    """Return whether the tokenizer left only special tokens of a text."""
    return all(sequence is None for sequence in encoding.sequence_ids)


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
    """Yield why labels that are all numbers cannot be used: a number has two spellings, or two are too far apart to report errors."""
    first_line: dict[str, int] = {}
    for number, record in records.items():
        first_line.setdefault(record.label, number)
    if (values := label_values(list(first_line))) is not None:
        low, high = (list(first_line)[index] for index in (values.argmin(), values.argmax()))
        if not math.isfinite((float(high) - float(low)) * len(records)):
            problem = f"{high!r} and {low!r} of line {first_line[low]} are too far apart: their mean absolute error is infinite"
            hint = "Write smaller numbers, such as their logarithms, or names."
            yield BadLine(f"{path}, line {first_line[high]}: label: {problem}", hint)
    for spellings in number_spellings(first_line).values():
        one, other = sorted(spellings, key=first_line.__getitem__)[:2]
        hint = "Spell a number in one way. `python -m xpeft prepare` does so."
        yield BadLine(f"{path}, line {first_line[other]}: label: {other!r} is the number {one!r} of line {first_line[one]}", hint)


def counted(names: Iterable[str]) -> str:
    """Return names for a message, each with the number of times that it occurs."""
    return some([f"{name!r} ({count})" for name, count in Counter(names).items()])


def some(items: Sequence[str], limit: int = 5) -> str:
    """Return the first items for a message, and how many more there are."""
    more = f" and {len(items) - limit:,} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more


def group_by_profile(examples: Sequence[Example]) -> dict[int, list[int]]:
    """Return the indices of the examples of each profile."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        groups[example.profile].append(index)
    return groups


def count_one_label_profiles(data: DataSet) -> int:
    """Return how many profiles have a single label in all their training texts."""
    labels: dict[int, set[int]] = defaultdict(set)
    for example in data.splits["train"]:
        labels[example.profile].add(example.label)
    return sum(len(found) == 1 for found in labels.values())
