"""Turns data files into data sets: tokenized texts with indices of their profiles and labels."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby
from pathlib import Path

import torch
from tokenizers import Encoding, Tokenizer

from xpeft.errors import BadLine
from xpeft.faults import find_faults
from xpeft.labels import find_label, label_indices
from xpeft.records import SPLITS, Split, Text, read_records

# Far below every logit.
NEVER = -1e4
UNREAD_HINT = "Write a text that the PLM's tokenizer can read."
# A character may be a token, and an encoding takes a kilobyte for a token.
CHARACTERS_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
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

    label_sets: which labels each profile knows, bool [profiles, labels]; None if all know all.
    """

    profiles: list[str]
    labels: list[str]
    splits: dict[Split, list[Example]]
    label_sets: torch.Tensor | None = None

    def label_set_bias(self) -> torch.Tensor:
        """Return the bias that keeps each profile to the labels that it knows, float32 [profiles, labels].

        It is 0, and far below every logit for a label that the profile does not know.
        """
        bias = torch.zeros(len(self.profiles), len(self.labels))
        return bias if self.label_sets is None else bias.where(self.label_sets, NEVER)

    def with_label_sets(self) -> "DataSet":
        """Return the data set with profiles that know only the labels of their own training and dev texts."""
        known = torch.zeros(len(self.profiles), len(self.labels), dtype=torch.bool)
        for example in (*self.splits["train"], *self.splits["dev"]):
            known[example.profile, example.label] = True
        return replace(self, label_sets=known)

    def subset(self, profiles: list[int]) -> "DataSet":
        """Return the data set with some of the profiles, by index, and their texts."""
        new_index = {profile: index for index, profile in enumerate(profiles)}
        splits: dict[Split, list[Example]] = {
            split: [replace(example, profile=new_index[example.profile]) for example in examples if example.profile in new_index]
            for split, examples in self.splits.items()
        }
        label_sets = None if self.label_sets is None else self.label_sets[profiles]
        return replace(self, profiles=[self.profiles[profile] for profile in profiles], splits=splits, label_sets=label_sets)


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
    # Equal numbers and equal lists of types are one object: millions of texts then take a third of the memory.
    same_id, same_types = dict[int, int](), dict[bytes, list[int]]()
    for (number, record), encoding in zip(records.items(), encode(tokenizer, texts), strict=True):
        if has_no_token(encoding):
            raise BadLine(f"{path}, line {number}: text: no token is left of it", UNREAD_HINT)
        ids, types = [same_id.setdefault(one, one) for one in encoding.ids], encoding.type_ids
        types = same_types.setdefault(bytes(types), types)
        splits[record.split].append(Example(profile_index[record.profile], label_of[number], ids, types))
    return DataSet(task_profiles, task_labels, {split: splits[split] for split in SPLITS})


def encode(tokenizer: Tokenizer, texts: Sequence[Text]) -> Iterator[Encoding]:
    """Yield the encoding of each text, while few of them are in memory."""
    ends = accumulate(len("".join(text)) for text in texts)
    for _, batch in groupby(zip(ends, texts, strict=True), key=lambda one: one[0] // CHARACTERS_AT_ONCE):
        yield from tokenizer.encode_batch([text for _, text in batch])


def has_no_token(encoding: Encoding) -> bool:
    """Return whether the tokenizer left only special tokens of a text."""
    return all(sequence is None for sequence in encoding.sequence_ids)


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
