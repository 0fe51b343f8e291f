"""What all files of ugly tables share, whatever their format: columns, options, flaws, and how programs pack files."""

import gzip
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random

from tests.ugly_tables import BAD_IDS, FIELDS, Flaw, Row, UglyTable, chance, make_rows

OTHER_NAMES = {"profile": "user id", "text": "message", "label": "queue", "text_pair": "second", "split": "part"}

# Flawed rows or files by their kind: the content, and what a message about it says.
FlawedContent = dict[str, tuple[bytes, str]]


@dataclass(frozen=True)
class Table:
    """Which columns a table has, what they are called, and the options of `prepare` for them."""

    fields: list[str]
    names: dict[str, str]
    options: list[str]

    @property
    def splits(self) -> bool:
        """Whether `prepare` reads the table's own splits."""
        return "split" in self.fields and "--new-split" not in self.options

    def rows(self, rng: Random) -> list[Row]:
        """Return rows for these columns."""
        return make_rows(rng, "text_pair" in self.fields, "split" in self.fields, "--hash-ids" in self.options)

    def bad_values(self) -> dict[str, tuple[str, str, str]]:
        """Return the kinds of values that no row may have: the field, its value, and what a message about it says."""
        bad = {
            "text blank": ("text", " ", "text"),
            "text without width": ("text", "\u200b\u200b", "text"),
            "label blank": ("label", " ", "label"),
            "label of tab": ("label", "a\tb", r"a\\tb"),
            "label of line end": ("label", "a\u2028b", r"a\\u2028b"),
            "label too long": ("label", "y" * 257, "yyy"),
            "profile blank": ("profile", "", "profile"),
        }
        if "--hash-ids" not in self.options:
            bad |= {f"profile {name[:40]}": ("profile", name, re.escape(name[:40])) for name in BAD_IDS}
        return bad | ({"no such split": ("split", "later", "later")} if self.splits else {})


def make_columns(rng: Random) -> Table:
    """Return columns and options."""
    fields = [*FIELDS[:3], *(field for field in FIELDS[3:] if chance(rng, 4))]
    names = OTHER_NAMES if chance(rng, 4) else {field: field for field in FIELDS}
    # Without an option, columns named text_pair and split are read too.
    named = [field for field in fields if names[field] != field or (field in FIELDS[3:] and chance(rng, 2))]
    options = [part for field in named for part in (f"--{field.replace('_', '-')}", names[field])]
    if "split" in fields and "split" not in named and chance(rng, 2):
        options += ["--new-split"]
    if ("split" not in fields or "--new-split" in options) and chance(rng, 4):
        options += ["--group"]
    options += [option for option, of in (("--hash-ids", 5), ("--skip-bad", 3)) if chance(rng, of)]
    if chance(rng, 2):
        options += ["--test", rng.choice(["0", "0.5", "0.3"]), "--dev", rng.choice(["0", "0.1", "0.5"])]
    return Table(fields, names, options)


def make_file(
    rng: Random, table: Table, name: str, rows: list[Row], lines: Iterable[bytes], flawed: FlawedContent, blank: list[str],
    line_end: str, head: bytes = b""
) -> UglyTable:  # fmt: skip
    """Return the file of a table's lines, with blank lines and, in a third of all cases, one or two flawed lines.

    flawed: what these may be. head: what stands before the lines, with its line ends.
    """
    pieces: list[tuple[bytes, tuple[str, str] | None]] = [(line, None) for line in lines]
    for line in rng.choices(blank, k=rng.choice([0, 0, 1, 3])):
        pieces.insert(rng.randint(0, len(pieces)), (line.encode(), None))
    for kind in rng.sample(sorted(flawed), rng.choice([0, 0, 0, 0, 1, 2])):
        content, says = flawed[kind]
        pieces.insert(rng.randint(0, len(pieces)), (content, (kind, says)))
    whole, flaws = head, []
    counted = b"\r" if line_end == "\r" else b"\n"
    for content, flaw in pieces:
        flaws += [Flaw(*flaw, whole.count(counted) + 1)] if flaw else []
        whole += content + line_end.encode()
    return UglyTable(name, whole, tuple(table.options), tuple(rows), tuple(flaws), "text_pair" in table.fields, table.splits)


def packed(rng: Random, table: UglyTable, whole: FlawedContent) -> UglyTable:
    """Return the table packed as programs pack files. In some cases the whole file has a flaw of `whole` or of its bytes."""
    whole = whole | {
        "UTF-16": (table.content.decode(errors="replace").encode("utf-16"), "UTF-16"),
        "gzip cut": (gzip.compress(table.content)[:-9], "gzip|Compressed"),
        "empty": (b"", "no texts"),
    }
    name = table.name + (".gz" if chance(rng, 6) else "")
    if not table.flaws and chance(rng, 8):
        kind = rng.choice(sorted(whole))
        content, says = whole[kind]
        return replace(table, name=name, content=content, flaws=(Flaw(kind, says),))
    content = table.content.rstrip(b"\r\n") if chance(rng, 3) else table.content
    content = b"\xef\xbb\xbf" + content if chance(rng, 4) else content
    return replace(table, name=name, content=gzip.compress(content) if chance(rng, 4) else content)
