"""The data sets of the comparison: file, format and metric of each."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from pydantic import BaseModel
from tokenizers import Tokenizer

from xpeft.bundle.manifest import Manifest, check_max_tokens
from xpeft.comparison.metrics import MetricName
from xpeft.data import DataSet, Example, encode
from xpeft.errors import BadValue, NoTexts, XpeftError
from xpeft.json_lines import numbered_lines, parse_line
from xpeft.labels import is_number, quoted
from xpeft.records import SPLITS, Split, Text

# The same profiles and texts for every method and seed.
SLICE_SEED = 0
FILE_HINT = "Name the folder of the comparison's data with --root (`python -m xpeft fetch` makes it), or a file in UTF-8, plain or gzip."
LINE_HINT = 'A line is {"text": …, "label": …, "split": "train" | "dev" | "test"}; "profile", "text_pair" and "choices" may be added.'
# The one profile of a set without profiles.
EVERYBODY = "everybody"
# A set that is measured on dev chooses settings on this fraction of its training texts, up to a maximum.
HELD_OUT, MOST_HELD_OUT = 0.1, 500


@dataclass(frozen=True)
class SetSpec:
    """How to read a data set. measured: the split that figures are of. If it is dev, settings are chosen on texts held out of train."""

    file: str
    max_tokens: int
    metric: MetricName = "accuracy"
    pair: bool = False
    scores: bool = False  # labels are scores on a scale, not classes
    choices: bool = False  # a text has several endings, one of them right; each is an example, right or wrong
    profile_labels: bool = False  # each profile has its own labels
    measured: Literal["dev", "test"] = "test"
    most_train: int | None = None  # of a larger train split, which is shuffled, the first are used


SETS = {
    "news": SetSpec("news/profiles", 32),
    "offense": SetSpec("offense/profiles", 48, "mae"),
    "tastes": SetSpec("tastes/profiles", 32),
    "inbox": SetSpec("inbox/profiles", 32),
    "intents": SetSpec("intents/profiles", 32, profile_labels=True),
    "reviews": SetSpec("reviews/profiles", 128),
    "glue/cola": SetSpec("glue/cola", 48, "matthews", measured="dev"),
    "glue/sst-2": SetSpec("glue/sst-2", 64, measured="dev", most_train=10_000),
    "glue/mrpc": SetSpec("glue/mrpc", 96, "f1", pair=True, measured="dev"),
    "glue/sts-b": SetSpec("glue/sts-b", 96, "pearson-spearman", pair=True, scores=True, measured="dev"),
    "glue/rte": SetSpec("glue/rte", 192, pair=True, measured="dev"),
    "glue/wnli": SetSpec("glue/wnli", 96, pair=True, measured="dev"),
    "superglue/cb": SetSpec("superglue/cb", 192, pair=True, measured="dev"),
    "superglue/boolq": SetSpec("superglue/boolq", 256, pair=True, measured="dev"),
    "superglue/copa": SetSpec("superglue/copa", 48, "choice-accuracy", pair=True, choices=True, measured="dev"),
}


@dataclass(frozen=True)
class Slice:
    """A part of a data set: number of profiles, training texts of each, and tokens of a text. None: all."""

    profiles: int | None = None
    texts: int | None = None
    max_tokens: int | None = None

    @property
    def description(self) -> str:
        """The part's name in reports; "" for a whole set."""
        parts = [
            f"{self.profiles} profiles" if self.profiles else "",
            f"at most {self.texts:,} training texts a profile" if self.texts else "",
            f"{self.max_tokens} tokens" if self.max_tokens else "",
        ]
        return ", ".join(part for part in parts if part)


class Line(BaseModel):
    """A record of any of the sets."""

    profile: str = EVERYBODY
    text: str
    text_pair: str | None = None
    choices: list[str] | None = None
    label: str
    split: Split


def check_set(name: str, part: Slice, manifest: Manifest, label_bias: bool) -> None:
    """Raise XpeftError where there is no such data set, or the settings do not fit it."""
    if name not in SETS:
        raise XpeftError(f"there is no data set {name!r}", f"Choose from {', '.join(SETS)}.")
    if label_bias and SETS[name].profile_labels:
        raise XpeftError(f"each profile of {name} has its own labels and head", "Remove the label bias: an own head has biases.")
    check_max_tokens(part.max_tokens or SETS[name].max_tokens, manifest)


def load_set(root: Path, name: str, tokenizer_file: Path, part: Slice, seed: int) -> DataSet:
    """Return a data set, or a part of it. The seed chooses profiles and training texts; the texts that are measured stay the same.

    Raises BadLine, UnreadableFile, or NoTexts where a split has no texts.
    """
    spec = SETS[name]
    path = root / f"{spec.file}.jsonl.gz"
    lines = read_lines(path)
    rng = random.Random(seed)
    profiles = sorted({line.profile for line in lines})
    if part.profiles is not None:
        profiles = sorted(rng.sample(profiles, min(part.profiles, len(profiles))))
        chosen = set(profiles)
        lines = [line for line in lines if line.profile in chosen]
    splits = {split: [line for line in lines if line.split == split] for split in SPLITS}
    if spec.measured == "dev":
        rng.shuffle(splits["train"])
        held_out = min(MOST_HELD_OUT, round(len(splits["train"]) * HELD_OUT))
        splits = {"train": splits["train"][held_out:], "dev": splits["train"][:held_out], "test": splits["dev"]}
    if empty := [split for split in SPLITS if not splits[split]]:
        needed = "train and dev" if spec.measured == "dev" else "train, dev and test"
        raise NoTexts(f"{path} has too few texts: the split {empty[0]} is empty", f"The set needs texts of {needed}.")
    if part.texts is None and spec.most_train is not None:
        splits["train"] = splits["train"][: spec.most_train]
    if part.texts is not None:
        splits["train"] = [line for texts in lines_by_profile(splits["train"]) for line in rng.sample(texts, min(part.texts, len(texts)))]

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.enable_truncation(part.max_tokens or spec.max_tokens)
    labels = label_names(spec, [line.label for line in lines])
    examples = {split: tokenized(spec, texts, profiles, labels, tokenizer) for split, texts in splits.items()}
    data = DataSet(profiles, labels, examples)
    return data.with_label_sets() if spec.profile_labels else data


def read_lines(path: Path) -> list[Line]:
    """Return the lines of a file of labelled text, with or without profiles."""
    return [parse_line(Line, path, number, line, LINE_HINT) for number, line in numbered_lines(path, FILE_HINT)]


def lines_by_profile(lines: Iterable[Line]) -> list[list[Line]]:
    """Return the lines of each profile."""
    return [list(texts) for _, texts in groupby(sorted(lines, key=lambda line: line.profile), key=lambda line: line.profile)]


def label_names(spec: SetSpec, labels: list[str]) -> list[str]:
    """Return the labels of the head: classes, the whole numbers of a scale, or wrong and right for endings."""
    if spec.choices:
        return ["wrong", "right"]
    if spec.scores:
        if names := [label for label in labels if not is_number(label)]:
            raise BadValue(f"the label {quoted(names[0])} is not a number, and the set's labels are scores", "Write a score such as 3.8.")
        scores = [float(label) for label in labels]
        return [str(score) for score in range(int(min(scores)), int(-(-max(scores) // 1)) + 1)]
    return sorted(set(labels))


def tokenized(spec: SetSpec, lines: list[Line], profiles: list[str], labels: list[str], tokenizer: Tokenizer) -> list[Example]:
    """Return the examples of lines, in order. A line with choices gives one for each choice."""
    rows: list[tuple[Text, int, int, float]] = []
    profile_index, label_index = ({name: index for index, name in enumerate(names)} for names in (profiles, labels))
    for line in lines:
        profile = profile_index[line.profile]
        if spec.choices:
            right = [str(number) == line.label for number in range(len(line.choices or []))]
            if not any(right):
                raise BadValue(f"the label {quoted(line.label)} names none of {len(right)} choices", "Number the choices from 0.")
            rows += [((line.text, ending), profile, int(is_right), 0.0) for ending, is_right in zip(line.choices or [], right, strict=True)]
            continue
        text = (line.text, line.text_pair) if spec.pair and line.text_pair else line.text
        if spec.scores:
            above = float(line.label) - float(labels[0])
            rows.append((text, profile, int(above), above - int(above)))
        else:
            rows.append((text, profile, label_index[line.label], 0.0))
    encodings = encode(tokenizer, [text for text, *_ in rows])
    return [
        Example(profile, label, encoding.ids, encoding.type_ids, share)
        for (_, profile, label, share), encoding in zip(rows, encodings, strict=True)
    ]
