"""Reads JSON Lines, plain or gzip. Errors name the file, the line and the field."""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from xpeft.errors import BadLine, UnreadableFile

Model = TypeVar("Model", bound=BaseModel)


def numbered_lines(path: Path, hint: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank with their numbers, from 1. Byte order marks are skipped.

    Raises UnreadableFile or BadLine, with `hint`, where the file cannot be read to its end.
    """
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                text = line.decode("utf-8-sig").rstrip()
                if text:
                    yield number, text
    except UnicodeDecodeError as error:
        raise BadLine(f"{path}, line {number}: it is not UTF-8 ({error.reason}, byte {error.start + 1})", hint) from error
    # For a damaged file, gzip also raises EOFError and zlib.error.
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFile(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}", hint) from error


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
            problem = f"{field}: {first['msg']}" if field else first["msg"]
        if first["type"] != "missing":
            hint = (hints or {}).get(field, hint)
        raise BadLine(f"{path}, line {number}: {problem}", hint) from error
