"""The tables that people have: their rows and what is wrong with them."""

import re
import unicodedata
from dataclasses import dataclass, field
from random import Random

FIELDS = ("profile", "text", "label", "text_pair", "split")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Row:
    """A labelled text, each value in the form in which it is written. said: how the table spells values that it spells in another way."""

    profile: str
    text: str
    label: str
    text_pair: str = ""
    split: str = ""
    said: dict[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """Return the table's value of a field."""
        value: str = self.said.get(name, getattr(self, name))
        return value


@dataclass(frozen=True)
class Flaw:
    """Why a table cannot be read on: the message matches the pattern `says`. line: where, unless the whole file is meant."""

    kind: str
    says: str
    line: int | None = None

    def is_named(self, message: str) -> bool:
        """Return whether a message is about this flaw."""
        return re.search(self.says, message) is not None and (self.line is None or re.search(rf"\b{self.line}\b", message) is not None)


@dataclass(frozen=True)
class UglyTable:
    """A table's file, the options of `prepare` for it, and what `prepare` must do: write `rows`, or name one of `flaws`.

    pair, splits: whether the table has second texts and splits that `prepare` reads.
    """

    name: str
    content: bytes
    options: tuple[str, ...]
    rows: tuple[Row, ...]
    flaws: tuple[Flaw, ...]
    pair: bool
    splits: bool

    @property
    def skipped(self) -> list[Flaw]:
        """The flaws that prepare skips and lists. It cannot skip those of the whole file."""
        return [flaw for flaw in self.flaws if "--skip-bad" in self.options and flaw.line and flaw.kind != "not UTF-8"]

    def __repr__(self) -> str:
        return f"{self.name} {' '.join(self.options)} {[flaw.kind for flaw in self.flaws]}\n{self.content[:3000]!r}"


# Values.

WORDS = ["parcel", "invoice", "reset", "screen", "order", "pay", "late", "again", "refund", "app", "hello", "nobody"]
# What stands inside of texts. No reader may take one of these for the end of a line or of a field, nor drop it.
BITS = [
    '"', '""', "'", ",", ";", "\t", "\n", "\n\n", "\r", "  ", "\u00a0", "\u2028", "\u2029", "\u0085", "\f", "\v", "\x1c", "\x1e", "\0",
    "\u200b", "\ufeff", "\u202e", "\x7f", "é", "e\u0301", "日本語", "🙂", "👩‍👧", "İ", "ß", "ﬁ", "\\", "\\n", '\\"', "<b>", "=1+1", "#",
    "{}", "[SEP]", "%s", "sep=;", "null",
]  # fmt: skip
IDS = ["a", "b", "A", "7", "007", "1.5", "x_y-z", "jo@example.org", "team:1", "z" * 128, "null", "nan", "constructor"]
BAD_IDS = ["_team", "jo+tag@example.org", "Acme Ltd", "Zoë", "user/7", "{1b2c}", "z" * 129, "-x", "名"]
NAMES = [
    "tech", "billing", "Tech", "late refund", "été", "한국어", "Å", "１", "🙂", "x" * 256, "a\u00a0b", 'say "no"', "a,b", "a;b", "=1",
    "-", "'", "nan", "NaN", "inf", "-inf", "1_000", "0x10", "NA", "null", "None", "1e308", "true", "__proto__", "constructor", "1", "2.5",
]  # fmt: skip
NUMBERS = ["0", "1", "2", "3", "2.5", "-1", "10", "1e3", ".5", "100000000000000000000", "-0.25", "1e300", "-1e300"]
SPLITS = {"train": ["train", "Train", "training"], "dev": ["dev", "validation", " val"], "test": ["test", "TEST "]}
SPACES = ["", "", "", " ", "  ", "\u00a0", "\u3000"]


def is_number(label: str) -> bool:
    """Return whether a label is a number, of 1e300 at most."""
    return NUMBER.fullmatch(label) is not None and abs(float(label)) <= 1e300


def other_spellings(label: str, numeric: bool) -> list[str]:
    """Return spellings whose canonical form is the label or, in a set of numbers, the same number."""
    spellings = [label, unicodedata.normalize("NFD", label)]
    if numeric and "e" not in label:
        spellings += [label + ("0" if "." in label else ".0"), "+" + label.lstrip("+") if label[0] != "-" else label]
    return spellings


def chance(rng: Random, of: int) -> bool:
    """Return true in one case of `of`."""
    return rng.randrange(of) == 0


def sentence(rng: Random) -> str:
    """Return a text of a few words. In some, bits stand between two words that readers stumble over."""
    if rng.random() < 0.6:
        return " ".join(rng.choices(WORDS, k=rng.randint(1, 6)))
    return f"so {''.join(rng.choice(rng.choice((WORDS, BITS))) for _ in range(rng.randint(1, 6)))} it"


def make_rows(rng: Random, has_pair: bool, has_split: bool, any_ids: bool) -> list[Row]:
    """Return rows of few profiles and few labels. Some texts come twice."""
    profiles = rng.sample(IDS + BAD_IDS if any_ids else IDS, rng.randint(1, 3))
    labels = rng.sample(NUMBERS if chance(rng, 4) else NAMES, rng.randint(2, 4))
    numeric = all(is_number(label) for label in labels)
    spelled = chance(rng, 2)
    rows: list[Row] = []
    for number in range(rng.randint(4, 16)):
        # The first rows give every label two texts, so that most tables can be learnt from.
        label = labels[number // 2] if number < 2 * len(labels) else rng.choice(labels)
        profile, split = rng.choice(profiles), rng.choice(["train", "train", "dev", "test"]) if has_split else ""
        text = rng.choice(rows).text if rows and chance(rng, 10) else f"{sentence(rng)} {number}"
        if chance(rng, 400):
            text += " again" * rng.choice([4000, 36_000])
        pair = rng.choice(["", sentence(rng)]) if has_pair else ""
        said: dict[str, str] = {}
        if spelled:
            pads = rng.choices(SPACES, k=2)
            said = {"label": pads[0] + rng.choice(other_spellings(label, numeric)) + pads[1], "profile": profile + pads[0]}
            said |= {"split": rng.choice(SPLITS[split])} if has_split else {}
        rows.append(Row(profile, text, unicodedata.normalize("NFC", label), pair, split, said))
    return rows
