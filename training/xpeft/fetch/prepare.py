"""Downloads a data set, converts it, and writes it with its notice and provenance."""

import csv
import gzip
import json
import shutil
import zlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zipfile import BadZipFile

from xpeft.atomic_files import atomic_file, make_folder, write_text
from xpeft.errors import UnexpectedSource, XpeftError
from xpeft.fetch.download import Downloaded, download
from xpeft.fetch.source import Line, Source

DOWNLOADS = ".downloads"
PROVENANCE = "provenance.json"


def is_fetched(source: Source, root: Path) -> bool:
    """Return whether `root` has a data set. Raises XpeftError if it has files of that name from elsewhere."""
    files = [path for name in source.outputs if (path := root / f"{name}.jsonl.gz").exists()]
    if source.beside(root, PROVENANCE).is_file():
        return len(files) == len(source.outputs)
    if files:
        raise XpeftError(f"{files[0]} exists, and this command has not written it", "Name another folder with --root, or move the file.")
    return False


def fetch_set(source: Source, root: Path, mirror: str | None, unverified: bool, quiet: bool) -> list[Path]:
    """Write a data set's files, NOTICE.txt and provenance.json into `root`, and return the paths of the data files.

    Downloads are resumed, and deleted at the end. Raises DownloadFailed, WrongChecksum, UnexpectedSource or NotWritten.
    """
    folder = root / DOWNLOADS / source.name.replace("/", "-")
    make_folder(folder)
    files = [download(file, folder / file.name, mirror, unverified, quiet) for file in source.files]
    try:
        prepared = source.convert(folder)
    except (KeyError, ValueError, TypeError, AttributeError, BadZipFile, EOFError, zlib.error, csv.Error) as error:
        what = f"the column or part {error} is missing" if isinstance(error, KeyError) else error
        hint = f"Is it the right file? To download it again, delete {folder}."
        raise UnexpectedSource(f"{source.name}: the source's files do not have the known format: {what}", hint) from error
    paths = [write_lines(root / f"{name}.jsonl.gz", lines) for name, lines in prepared.items()]
    write_text(source.beside(root, "NOTICE.txt"), source.notice)
    # The last file: a data set without it is not whole.
    write_text(source.beside(root, PROVENANCE), provenance(source, files, {name: len(lines) for name, lines in prepared.items()}))
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # Another data set's downloads may be there.
        folder.parent.rmdir()
    return paths


def write_lines(path: Path, lines: Sequence[Line]) -> Path:
    """Write a gzip file of JSON Lines, and return its path. The same lines give the same bytes."""
    make_folder(path.parent)
    with atomic_file(path) as file, gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as zipped:
        for line in lines:
            zipped.write(json.dumps(line, ensure_ascii=False, allow_nan=False).encode() + b"\n")
    return path


def provenance(source: Source, files: Sequence[Downloaded], records: dict[str, int]) -> str:
    """Return JSON that says what was downloaded from where, and how many records it gave."""
    content = {
        "name": source.name,
        "fetched": datetime.now(UTC).strftime("%Y-%m-%d"),
        "files": [
            {"url": remote.url, "address": file.address, "bytes": file.bytes, "sha256": file.sha256, "verified": file.verified}
            for remote, file in zip(source.files, files, strict=True)
        ],
        "records": records,
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"
