"""Splits texts into train, dev and test, so that a task can be trained on them."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping

from xpeft.records import Record, Split


def text_key(record: Record, pair: bool = True) -> tuple[str, str]:
    """Return what makes texts equal: the text and, if `pair`, the second text, without the white space around them."""
    return record.text.strip(), (record.text_pair or "").strip() if pair else ""


def split_texts(records: list[Record], dev: float, test: float, seed: int, group: bool = False) -> list[Record]:
    """Return the records with random splits. Of each profile's texts, about the fractions `dev` and `test` leave train.

    Equal texts of one profile stay in one split; with `group`, equal texts of all profiles do. Each profile and each label keeps a text
    in train.
    """
    units: dict[str, dict[tuple[str, str], list[int]]] = defaultdict(lambda: defaultdict(list))
    for position, record in enumerate(records):
        units["" if group else record.profile][text_key(record)].append(position)
    wanted: dict[Split, Counter[str]] = {"test": Counter(), "dev": Counter()}
    for profile, texts in Counter(record.profile for record in records).items():
        held_out = round(texts * (dev + test))
        wanted["test"][profile] = round(held_out * test / (dev + test)) if held_out else 0
        wanted["dev"][profile] = held_out - wanted["test"][profile]

    in_train = Counter(need for record in records for need in needs(record))
    splits: list[Split] = ["train"] * len(records)
    for owner in sorted(units):
        shuffled = list(units[owner].values())
        # A generator for each profile: other profiles' texts do not change its order.
        random.Random(f"{seed} {owner}").shuffle(shuffled)
        for unit in shuffled:
            profiles = Counter(records[position].profile for position in unit)
            lost = Counter(need for position in unit for need in needs(records[position]))
            if any(in_train[need] <= count for need, count in lost.items()):
                continue
            for split, missing in wanted.items():
                # A unit joins a split if that brings the profiles' sizes nearer to what is wanted.
                if sum(abs(missing[profile] - count) - abs(missing[profile]) for profile, count in profiles.items()) <= 0:
                    missing.subtract(profiles)
                    in_train.subtract(lost)
                    for position in unit:
                        splits[position] = split
                    break
    return [record.model_copy(update={"split": split}) for record, split in zip(records, splits, strict=True)]


def needs(record: Record) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return what must keep a text in train: the record's profile and its label."""
    return ("profile", record.profile), ("label", record.label)


def drop_rare(records: Mapping[int, Record], min_label: int, min_profile: int) -> Mapping[int, Record]:
    """Return the records whose label has `min_label` training texts or more, and whose profile has `min_profile` or more."""
    while True:
        train = [record for record in records.values() if record.split == "train"]
        labels, profiles = Counter(record.label for record in train), Counter(record.profile for record in train)
        kept = {
            number: record
            for number, record in records.items()
            if labels[record.label] >= min_label and profiles[record.profile] >= min_profile
        }
        # A dropped label may leave a profile with too few texts, and the other way round.
        if len(kept) == len(records):
            return kept
        records = kept
