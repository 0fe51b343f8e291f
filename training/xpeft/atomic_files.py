"""Files are written under another name first, so that a run that is broken off, or a full disk, leaves no half of one."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from xpeft.errors import NotWritten


@contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """A file to write; if all went well, it takes the place of `path` in one move. NotWritten where it cannot be written."""
    draft = path.with_name(f"{path.name}.part")
    with naming(path):
        try:
            with draft.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            if draft.is_file():
                draft.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a whole file in UTF-8."""
    # A link, a device or a pipe that the user names is written to, not replaced.
    if path.is_symlink() or (path.exists() and not path.is_file()):
        with naming(path):
            path.write_text(text, encoding="utf-8")
        return
    with written(path) as file:
        file.write(text.encode())


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, where they are not there."""
    with naming(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def written_folder(path: Path) -> Iterator[Path]:
    """A folder to fill; if all went well, it takes the place of `path`. NotWritten where it cannot be written."""
    draft = path.with_name(f"{path.name}.part")
    with naming(path):
        try:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            yield draft
            shutil.rmtree(path, ignore_errors=True)
            draft.rename(path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn what the operating system says while `path` is written into NotWritten."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        # torch.save ends with a RuntimeError of its own when a write failed.
        reason = error if isinstance(error, OSError) else error.__context__
        if not isinstance(reason, OSError):
            raise
        cure = "Make that folder" if isinstance(reason, FileNotFoundError) else "Make room on that disk"
        hint = f"{cure}, or name another, and run the same command again."
        raise NotWritten(f"{path} cannot be written: {reason.strerror or reason}", hint) from error
