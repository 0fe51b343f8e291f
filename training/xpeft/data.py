"""Labelled text: JSON Lines, plain or gzip, one record a line with `profile`, `text`, `text_pair`?, `label` and `split`."""

import gzip
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, Field, ValidationError

from xpeft.errors import XpeftError

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")
# A logit that no other comes near.
NEVER = -1e4


class Record(BaseModel):
    """One labelled text of one profile. Other fields of the line are passed over."""

    profile: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$")
    text: str = Field(min_length=1)
    text_pair: str | None = None
    label: str = Field(min_length=1)
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
    own_labels: bool = False

    def closed(self) -> torch.Tensor:
        """What keeps a profile to its labels, [profiles, labels], to be added to logits: 0, or far below it where `own_labels` says that
        profiles have label sets of their own and none of a profile's training texts has the label."""
        closed = torch.zeros(len(self.profiles), len(self.labels))
        if self.own_labels:
            closed.fill_(NEVER)
            for example in self.splits["train"]:
                closed[example.profile, example.label] = 0.0
        return closed


def read_records(path: Path) -> list[Record]:
    """Records of a file; XpeftError naming the line where one is not of the format."""
    records = []
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    records.append(Record.model_validate_json(line))
                except ValidationError as error:
                    first = error.errors()[0]
                    where = ".".join(str(part) for part in first["loc"]) or "line"
                    raise XpeftError(
                        f"{path}, line {number}: {where}: {first['msg']}",
                        'A line is {"profile": …, "text": …, "label": …, "split": "train" | "dev" | "test"}; "text_pair" may be added.',
                    ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise XpeftError(f"{path} cannot be read: {error}", "Give a JSON Lines file, plain or gzip, in UTF-8.") from error
    return records


def load_data(path: Path, tokenizer_file: Path, max_tokens: int, pair: bool, labels: list[str] | None = None) -> DataSet:
    """Read and tokenize a file. Texts are cut to `max_tokens`, special tokens included; `text_pair` is used if `pair`.

    labels: those of a finished task, in its order; without them, the file's own in alphabetical order.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.enable_truncation(max_tokens)
    records = read_records(path)
    if not records:
        raise XpeftError(f"{path} holds no texts", "Give it one labelled text a line.")
    profiles = sorted({record.profile for record in records if record.split == "train"})
    labels = labels or sorted({record.label for record in records})
    if len(labels) < 2:
        raise XpeftError(f"{path} has {len(labels)} label(s)", "Two or more labels are needed to learn a classifier.")
    profile_index = {profile: index for index, profile in enumerate(profiles)}
    label_index = {label: index for index, label in enumerate(labels)}
    splits: dict[Split, list[Example]] = defaultdict(list)
    texts = [(record.text, record.text_pair) if pair and record.text_pair else record.text for record in records]
    for number, (record, encoding) in enumerate(zip(records, tokenizer.encode_batch(texts), strict=True), 1):
        if record.label not in label_index:
            raise XpeftError(f"{path}, line {number}: the task has no label {record.label!r}", f"Its labels are {', '.join(labels)}.")
        if record.profile not in profile_index:
            raise XpeftError(
                f"{path}: profile {record.profile!r} of the {record.split} split has no training text", "Give it one, or leave it out."
            )
        splits[record.split].append(Example(profile_index[record.profile], label_index[record.label], encoding.ids, encoding.type_ids))
    return DataSet(profiles, labels, {split: splits[split] for split in SPLITS})
