"""Ugly CSV files: each separator, line end, quoting and header style, and rows and files that cannot be read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.ugly_files import FlawedContent, Table, make_columns, make_file, packed
from tests.ugly_tables import Row, UglyTable, chance


@dataclass(frozen=True)
class Csv:
    """How a CSV writes rows. columns: for each column a field, or None if nobody needs it, and its name."""

    separator: str
    line_end: str
    quotes: str
    columns: list[tuple[str | None, str]]
    blank_columns: int

    def line(self, cells: Sequence[str]) -> bytes:
        """Return a row's line. Some programs add blank fields at its end."""
        return self.separator.join([*map(self.quoted, cells), *[""] * self.blank_columns]).encode()

    def quoted(self, cell: str) -> str:
        """Return a field in this dialect's quotes."""
        must = cell != cell.strip() or cell.startswith('"') or any(mark in cell for mark in (self.separator, "\n", "\r"))
        if not must and self.quotes == "needed":
            return cell
        return " " * (self.quotes == "spaced") + '"' + cell.replace('"', '""') + '"'

    def cells(self, row: Row, **changed: str) -> list[str]:
        """Return a row's fields, some of them changed."""
        return [changed.get(field, row.value(field)) if field else "7" for field, _ in self.columns]

    def header(self) -> bytes:
        """Return the header's line."""
        return self.line([name for _, name in self.columns])

    def fitted(self, text: str) -> str:
        r"""Return a text as its field is read: line ends become \n. Where a lone \r ends the file's lines, it holds none."""
        if self.line_end == "\r":
            return text.replace("\r", " ").replace("\n", " ")
        # A file that is joined from several has byte order marks within.
        return text.replace("\r\n", "\n").replace("\n\ufeff", "\n")


def make_csv(rng: Random, table: Table) -> Csv:
    """Return a dialect for a table."""
    styles: list[Callable[[str], str]] = [str, str, str.title, str.upper, " {} ".format]
    style = rng.choice(styles)
    columns: list[tuple[str | None, str]] = [(field, style(table.names[field])) for field in rng.sample(table.fields, len(table.fields))]
    if chance(rng, 2):
        columns.insert(rng.randint(0, len(columns)), (None, rng.choice(["", "id", "id, old", 'a "b"', "Été"])))
    return Csv(
        separator=rng.choice(",,,;\t"),
        line_end=rng.choice(["\n", "\n", "\r\n", "\r"]),
        quotes=rng.choice(["needed", "needed", "all", "spaced"]),
        columns=columns,
        blank_columns=rng.choice([0, 0, 0, 2]),
    )


def flawed_rows(csv: Csv, row: Row, table: Table) -> FlawedContent:
    """Return rows that cannot be read."""
    cells = csv.cells(row)
    return {
        "too few fields": (b"so", "fields"),
        "too many fields": (csv.line([*cells, "more"]) + f"{csv.separator}more".encode(), "fields"),
        "header again": (csv.header(), "header"),
        "text after quote": (csv.separator.join(['"so" it', *map(csv.quoted, cells[1:])]).encode(), "quote"),
        "not UTF-8": (csv.line(csv.cells(row, text="so", text_pair="")) + "é".encode("latin-1"), "UTF-8"),
        **{kind: (csv.line(csv.cells(row, **{field: value})), says) for kind, (field, value, says) in table.bad_values().items()},
    }


def flawed_files(csv: Csv, content: bytes) -> FlawedContent:
    """Return files that cannot be read."""
    twice = replace(csv, columns=[*csv.columns, *(column for column in csv.columns if column[0] == "text")])
    less = replace(csv, columns=[column for column in csv.columns if column[0] != "label"])
    return {
        "column missing": (less.header() + b"\n" + less.line(["a"] * len(less.columns)), '"(label|queue)"'),
        "column twice": (twice.header() + b"\n" + twice.line(["a"] * len(twice.columns)), "columns are named"),
        "no header": (content.replace(csv.header() + csv.line_end.encode(), b"", 1), "there is no column"),
        "header only": (csv.header(), "no texts"),
        "quote open": (content + b'"never closed', "quote"),
    }


def ugly_csv(rng: Random) -> UglyTable:
    """Return a CSV file of any dialect."""
    table = make_columns(rng)
    csv = make_csv(rng, table)
    rows = [replace(row, text=csv.fitted(row.text), text_pair=csv.fitted(row.text_pair)) for row in table.rows(rng)]
    separator_line = f"sep={csv.separator}{csv.line_end}" if chance(rng, 5) else ""
    file = make_file(
        rng,
        table,
        name="table.tsv" if csv.separator == "\t" and chance(rng, 2) else rng.choice(["table.csv", "table.txt", "table"]),
        rows=rows,
        lines=[csv.line(csv.cells(row)) for row in rows],
        flawed=flawed_rows(csv, rows[0], table),
        blank=["", "  ", csv.separator.join(" " * (len(csv.columns) + csv.blank_columns))],
        line_end=csv.line_end,
        head=separator_line.encode() + csv.header() + csv.line_end.encode(),
    )
    return packed(rng, file, flawed_files(csv, file.content))
