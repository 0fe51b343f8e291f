"""The rule for labels (docs/formats.md, "Labels"): their canonical form, and which label sets are numeric."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from xpeft.text_lines import WHITE_SPACE

# White space, and marks without width.
TRIMMED = WHITE_SPACE + "\u200b\u200e\u200f\u2060\ufeff"
CONTROLS = {"Cc", "Cs", "Zl", "Zp"}
# In UTF-16 units, as the edge counts.
MAX_LABEL_LENGTH = 256
# Sums of larger numbers may be infinite, and so may a mean absolute error.
MAX_NUMBER = 1e300
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def label_form(text: str) -> str:
    """Return the canonical form of a text, label or not: NFC, without white space at its ends."""
    return unicodedata.normalize("NFC", text).strip(TRIMMED)


def quoted(text: str) -> str:
    """Return a text for a message, escaped and in quotes, cut if no label is as long."""
    return repr(text) if len(text) <= MAX_LABEL_LENGTH else f"{text[:40]!r}…"


def canonical_label(text: str) -> str:
    """Return a label's canonical form. Raises ValueError, which shows the text escaped, if the text cannot be a label."""
    label, shown = label_form(text), quoted(text)
    categories = {unicodedata.category(character) for character in label}
    if categories <= {"Cf"}:
        raise ValueError(f"{shown} is blank")
    if categories & CONTROLS:
        raise ValueError(f"{shown} has a control character, such as a tab or a line end")
    if len(label.encode("utf-16-le")) > 2 * MAX_LABEL_LENGTH:
        raise ValueError(f"{shown} is longer than {MAX_LABEL_LENGTH} characters")
    return label


def label_indices(labels: Sequence[str]) -> dict[str, int]:
    """Return the index of each of a task's labels, by the label and by its canonical form."""
    indices = {label: index for index, label in enumerate(labels)}
    for index, label in enumerate(labels):
        indices.setdefault(label_form(label), index)
    return indices


def find_label(label: str, indices: Mapping[str, int]) -> int | None:
    """Return the index of a label among `label_indices`: that of the same label, else that of its canonical form."""
    return indices.get(label, indices.get(label_form(label)))


def is_number(label: str) -> bool:
    """Return whether a label is a number in decimal digits, of 1e300 at most. "nan", "1_000" and "0x10" are names."""
    form = label_form(label)
    return NUMBER.fullmatch(form) is not None and abs(float(form)) <= MAX_NUMBER


def label_values(labels: Sequence[str]) -> NDArray[np.float64] | None:
    """Return the labels as numbers [labels], or None if one of them is a name."""
    return np.array([float(label_form(label)) for label in labels]) if all(map(is_number, labels)) else None


def number_spellings(labels: Iterable[str]) -> dict[str, list[str]]:
    """Return the numbers that a numeric label set spells in several ways: the spellings, sorted, by the shortest form of the number.

    If a label is a name, the set is not numeric, and "1" and "1.0" are two names.
    """
    by_value: dict[Decimal, set[str]] = defaultdict(set)
    for label in labels:
        if not is_number(label):
            return {}
        # As floats, two labels of many digits could be equal.
        by_value[Decimal(label_form(label)) if float(label_form(label)) else Decimal()].add(label)
    return {shortest_number(value, spellings): sorted(spellings) for value, spellings in by_value.items() if len(spellings) > 1}


def shortest_number(value: Decimal, spellings: Iterable[str]) -> str:
    """Return the shortest form of a number: its plain digits, or a spelling that is shorter."""
    plain = f"{value:f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return min((plain, *sorted(map(label_form, spellings))), key=len)
