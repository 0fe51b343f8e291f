"""Reads the numbered lines of UTF-8 text, plain or gzip (docs/formats.md, "Tables and lines")."""

import gzip
import io
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from xpeft.errors import BadLine, UnreadableFile

# Unicode's White_Space. str.strip() removes some control characters too, and JavaScript's trim() another set.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"

GZIP_HINT = "The gzip file is damaged or not whole. Make it again, or copy it again."
ARCHIVE_HINT = "Give the text itself. In Excel, save it as CSV UTF-8."
ENCODING_HINT = "Save it as UTF-8, or convert it: iconv -f {encoding} -t UTF-8 OLD > NEW"


def is_blank(text: str) -> bool:
    """Return whether a text has only white space."""
    return not text.strip(WHITE_SPACE)


def read_text_lines(path: Path, hint: str) -> Iterator[tuple[int, str]]:
    r"""Yield all lines with their numbers, from 1. A line ends with \n or \r\n; in a file without \n, with \r.

    A byte order mark is skipped at the start of each line, because a file may be joined from several.
    Raises BadLine if the text is not UTF-8, and UnreadableFile; `hint` is for a file that cannot be opened.
    """
    try:
        with path.open("rb") as file:
            is_gzip = file.peek(2)[:2] == b"\x1f\x8b"
            yield from decode_lines(path, io.BufferedReader(gzip.GzipFile(fileobj=file)) if is_gzip else file)
    # For a damaged file, gzip raises these three.
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableFile(f"{path} cannot be read: {error}", GZIP_HINT) from error
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}", hint) from error


def decode_lines(path: Path, content: io.BufferedReader) -> Iterator[tuple[int, str]]:
    """Yield the lines of UTF-8 bytes with their numbers. Raises BadLine if they are something else."""
    start = content.peek(4)[:4]
    if start == b"PK\x03\x04":
        raise BadLine(f"{path}, line 1: it is a ZIP archive, such as an Excel workbook, not UTF-8 text", ARCHIVE_HINT)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in start[:2]:
        raise BadLine(f"{path}, line 1: it is UTF-16, not UTF-8", ENCODING_HINT.format(encoding="UTF-16"))
    first = content.readline()
    lines = chain([first], content) if first.endswith(b"\n") else first.removesuffix(b"\r").split(b"\r") if first else ()
    for number, line in enumerate(lines, 1):
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            place = f"{path}, line {number}: it is not UTF-8 (byte {error.start + 1})"
            raise BadLine(place, ENCODING_HINT.format(encoding="WINDOWS-1252")) from error
        yield number, text.removesuffix("\n").removesuffix("\r").removeprefix("\ufeff")
