"""Reads JSON Lines, plain or gzip. Errors name the file, the line and the field."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from xpeft.errors import BadLine
from xpeft.text_lines import WHITE_SPACE, is_blank, read_text_lines

Model = TypeVar("Model", bound=BaseModel)


def numbered_lines(path: Path, hint: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank with their numbers, from 1.

    Raises BadLine if the file is not UTF-8 or is a JSON array, and UnreadableFile; `hint` is for a file that cannot be opened.
    """
    lines = ((number, line) for number, line in read_text_lines(path, hint) if not is_blank(line))
    for place, (number, line) in enumerate(lines):
        if place == 0 and line.lstrip(WHITE_SPACE).startswith("["):
            raise BadLine(f"{path}, line {number}: it is a JSON array", f"Write one object a line: jq -c '.[]' {path} > NEW.jsonl")
        yield number, line


def parse_line(model: type[Model], path: Path, number: int, line: str, hint: str, hints: Mapping[str, str] | None = None) -> Model:
    """Return the record of a line. Raises BadLine that names the field; `hints` has the hint for each field's values."""
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        if first["type"] == "json_invalid":
            # The parser sees a single line and calls it line 1.
            problem = f"not JSON: {first['ctx']['error'].replace('line 1 column', 'column')}"
        elif first["type"] == "missing":
            problem = f"the field {field!r} is missing"
        elif first["type"] == "string_pattern_mismatch":
            problem = f"{field}: {str(first['input'])[:40]!r} does not suit the field"
        else:
            # An error of our own names the value itself.
            value = f", not {json.dumps(first['input'], allow_nan=True)[:40]}" if first["msg"].startswith("Input should be") else ""
            problem = f"{field}: {first['msg']}{value}" if field else first["msg"]
        if first["type"] != "missing":
            hint = (hints or {}).get(field, hint)
        raise BadLine(f"{path}, line {number}: {problem}", hint) from error
