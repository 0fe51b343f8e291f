"""Reads tables: paths as a JSON list on standard input. Answers each file's rows, or its error, as a JSON list."""

import json
import sys
from pathlib import Path

from xpeft.errors import XpeftError
from xpeft.tables import read_rows


def read(path: str) -> object:
    """Return the rows of a file, or the message of its error."""
    try:
        rows = read_rows(Path(path), {"text": "", "label": ""}, ["text_pair", "profile"])
        return [{"line": line, "fields": fields} for line, fields in rows]
    except XpeftError as error:
        return str(error)


print(json.dumps([read(path) for path in json.load(sys.stdin)]))
