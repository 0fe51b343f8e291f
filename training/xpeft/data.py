"""Labelled text: JSON Lines, plain or gzip, one record a line with `profile`, `text`, `text_pair`?, `label` and `split`."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, Field

from xpeft.errors import BadLine, NoTexts, NoTrainText, OneLabel, UnknownLabel, UnknownProfile
from xpeft.json_lines import numbered_lines, parse_line

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")
# A logit that no other comes near.
NEVER = -1e4
NOT_BLANK = r"\S"

FILE_HINT = "Give a whole JSON Lines file in UTF-8: plain, or gzip if its name ends in .gz."
LINE_HINT = (
    'A line is {"profile": …, "text": …, "label": …, "split": "train" | "dev" | "test"}; "text_pair" may be added. '
    "`python -m xpeft prepare` makes such lines of a table."
)
FIELD_HINTS = {
    "profile": "A profile's id is a string of 1 to 128 letters, digits and . _ : @ -, and starts with a letter or a digit.",
    "text": "A text is a string that is not blank; leave the line out if there is none.",
    "text_pair": "A second text is a string; where it is blank or left out, there is none.",
    "label": 'A label is a string that is not blank; write a number as "3", not 3.',
    "split": 'A split is "train", "dev" or "test".',
}


class Record(BaseModel):
    """One labelled text of one profile. Other fields of the line are passed over."""

    profile: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$")
    text: str = Field(pattern=NOT_BLANK)
    text_pair: str | None = None
    label: str = Field(pattern=NOT_BLANK)
    split: Split


@dataclass(frozen=True)
class Example:
    """A tokenized text. `profile` and `label` are indices into the data set's lists.

    share: how much of the target lies on the next label: a score of 3.4 is label 3 with a share of 0.4. 0 for classes.
    """

    profile: int
    label: int
    ids: list[int]
    types: list[int]
    share: float = 0.0


@dataclass(frozen=True)
class DataSet:
    """All examples of a task by split, in the order of the file."""

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
        """The same with some of the profiles, by index, and their texts."""
        place = {profile: index for index, profile in enumerate(profiles)}
        splits: dict[Split, list[Example]] = {
            split: [replace(example, profile=place[example.profile]) for example in examples if example.profile in place]
            for split, examples in self.splits.items()
        }
        return replace(self, profiles=[self.profiles[profile] for profile in profiles], splits=splits)


def read_records(path: Path) -> dict[int, Record]:
    """Records of a file by the number of their line, which errors name."""
    return {number: parse_line(Record, path, number, line, LINE_HINT, FIELD_HINTS) for number, line in numbered_lines(path, FILE_HINT)}


def load_data(
    path: Path, tokenizer_file: Path, max_tokens: int, pair: bool, labels: list[str] | None = None, profiles: list[str] | None = None
) -> DataSet:
    """Read and tokenize a file. Texts are cut to `max_tokens`, special tokens included; `text_pair` is used if `pair`.

    labels, profiles: those of a finished task, in its order; without them, those of the file's training texts in alphabetical order.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.enable_truncation(max_tokens)
    records = read_records(path)
    if not records:
        raise NoTexts(f"{path} holds no texts", "Give it one labelled text a line.")
    trained = [record for record in records.values() if record.split == "train"]
    task_labels = sorted({record.label for record in trained}) if labels is None else labels
    task_profiles = sorted({record.profile for record in trained}) if profiles is None else profiles
    if profiles is None and not trained:
        raise NoTrainText(f"{path} holds no training text", 'Profiles are learnt from lines with "split": "train".')
    if len(task_labels) < 2:
        hint = "Two or more labels are needed to learn a classifier."
        raise OneLabel(f"all training texts of {path} have 1 label, {task_labels[0]!r}", hint)
    profile_index = {profile: index for index, profile in enumerate(task_profiles)}
    label_index = {label: index for index, label in enumerate(task_labels)}
    for number, record in records.items():
        where = f"{path}, line {number}"
        if record.profile not in profile_index and profiles is not None:
            raise UnknownProfile(f"{where}: the task has no profile {record.profile!r}", "Leave its texts out, or add it to the task.")
        if record.profile not in profile_index:
            hint = "Give it one, or leave its lines out."
            raise NoTrainText(f"{where}: profile {record.profile!r} of the {record.split} split has no training text", hint)
        if record.label not in label_index:
            lacks = "no training text has the label" if labels is None else "the task has no label"
            raise UnknownLabel(f"{where}: {lacks} {record.label!r}", f"The labels are {', '.join(task_labels)}.")
    splits: dict[Split, list[Example]] = defaultdict(list)
    texts = [
        (record.text, record.text_pair) if pair and record.text_pair and record.text_pair.strip() else record.text
        for record in records.values()
    ]
    for (number, record), encoding in zip(records.items(), tokenizer.encode_batch(texts), strict=True):
        if all(sequence is None for sequence in encoding.sequence_ids):
            hint = "Give it a text that the PLM's tokenizer can read, or raise --max-tokens if that leaves no room for one."
            raise BadLine(f"{path}, line {number}: text: no token is left of it", hint)
        splits[record.split].append(Example(profile_index[record.profile], label_index[record.label], encoding.ids, encoding.type_ids))
    return DataSet(task_profiles, task_labels, {split: splits[split] for split in SPLITS})


def group_by_profile(examples: Sequence[Example]) -> dict[int, list[int]]:
    """Indices of the examples of each profile."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        groups[example.profile].append(index)
    return groups


def count_one_label_profiles(data: DataSet) -> int:
    """How many profiles have one label in all their training texts."""
    labels: dict[int, set[int]] = defaultdict(set)
    for example in data.splits["train"]:
        labels[example.profile].add(example.label)
    return sum(len(own) == 1 for own in labels.values())
