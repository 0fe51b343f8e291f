"""Splits the text of a table into records of fields.

The module `csv` cannot do it: it limits the length of a field, takes a lone carriage return for a line's end, drops the spaces before all
fields if it drops those before quotes, and does not say on which line an open quote begins.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

UNCLOSED = "the quote that opens here is never closed"


@dataclass(frozen=True)
class CsvRecord:
    """A record of a table.

    line: the number of its first line, from 1, or of its problem. problem: why it cannot be read; it then has the fields before that.
    """

    line: int
    fields: list[str]
    problem: str | None = None


def read_csv_records(text: str, separator: str, line: int = 1) -> Iterator[CsvRecord]:
    r"""Yield the records of a text whose lines end with \n. Its first line has the number `line`.

    After a quote that is never closed nothing can be read, so that record is the last one.
    """
    # A quoted field and its closing quote, or a plain field, which may be empty.
    field = re.compile(rf' *"((?:[^"]++|"")*+)("?)|([^{re.escape(separator)}\n]*)')
    at, first_line, fields = 0, line, list[str]()
    while at < len(text) or fields:
        match = cast(re.Match[str], field.match(text, at))
        quoted, closing, plain = match.groups()
        if closing == "":
            yield CsvRecord(line, fields, UNCLOSED)
            return
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        line += (quoted or "").count("\n")
        following = text[match.end() : match.end() + 1]
        at = match.end() + 1
        if following == separator:
            continue
        if following in ("\n", ""):
            yield CsvRecord(first_line, fields)
        else:
            yield CsvRecord(line, fields, f'after the closing quote comes "{following}", not a separator or the end of the line')
            at = (text.find("\n", at) + 1) or len(text)
        line += 1
        first_line, fields = line, []
