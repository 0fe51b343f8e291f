"""Ugly files of JSON Lines: fields in any order, escaped or not, and lines and files that cannot be read."""

import json
import math
import re
from random import Random

from tests.ugly_files import FlawedContent, Table, make_columns, make_file, packed
from tests.ugly_tables import Row, UglyTable, chance


def flawed_lines(row: Row, table: Table) -> FlawedContent:
    """Return lines that cannot be read."""
    whole = {table.names[field]: row.value(field) for field in table.fields}
    label = table.names["label"]
    values: dict[str, tuple[str, object, str]] = {
        "text a number": ("text", 3, "text.*not 3"),
        "text null": ("text", None, "text.*not null"),
        "label null": ("label", None, "label.*not null"),
        "label a list": ("label", ["a"], r'label.*not \["a"\]'),
        "label true": ("label", True, "label.*not true"),
        "label NaN": ("label", math.nan, "label|JSON"),
        "profile an object": ("profile", {}, r"profile.*not \{\}"),
        "surrogate": ("text", "so \ud800 it", "text|JSON"),
        **table.bad_values(),
    }
    return {
        "not JSON": (b'{"profile": ', "JSON"),
        "two objects": (b"{}{}", "JSON"),
        "a number": (b"3", "object"),
        "label left out": (json.dumps({name: value for name, value in whole.items() if name != label}).encode(), label),
        **{kind: (json.dumps({**whole, table.names[field]: value}).encode(), says) for kind, (field, value, says) in values.items()},
    }


def ugly_json(rng: Random) -> UglyTable:
    """Return a file of JSON Lines."""
    table = make_columns(rng)
    rows = table.rows(rng)
    fields = [*table.fields, *["more"] * chance(rng, 2)]
    rng.shuffle(fields)
    ascii_only, numbers = chance(rng, 2), chance(rng, 2)

    def value(row: Row, field: str) -> object:
        said = row.value(field)
        return int(said) if numbers and field in ("profile", "label") and re.fullmatch("0|-?[1-9][0-9]{0,14}", said) else said

    objects = [{table.names.get(field, field): [7] if field == "more" else value(row, field) for field in fields} for row in rows]
    file = make_file(
        rng,
        table,
        name=rng.choice(["table.jsonl", "table.ndjson", "table.json"]),
        rows=rows,
        lines=[json.dumps(record, ensure_ascii=ascii_only).encode() for record in objects],
        flawed=flawed_lines(rows[0], table),
        blank=["", "  "],
        line_end=rng.choice(["\n", "\n", "\r\n", "\r"]),
    )
    whole = {
        "array": (json.dumps(objects).encode(), "array"),
        "array over lines": (json.dumps(objects, indent=2).encode(), "array"),
        "object over lines": (json.dumps(objects[0], indent=2).encode(), "JSON"),
    }
    return packed(rng, file, whole)
