"""Writes files and folders whole or not at all: an interrupted run or a full disk leaves no half-written file."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from xpeft.errors import NotWritten


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that replaces `path` in one move if the block succeeds. Raises NotWritten where it cannot be written."""
    draft = path.with_name(f"{path.name}.part")
    with write_errors(path):
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
    """Write a whole file in UTF-8. Raises NotWritten where it cannot be written."""
    # A link, device or pipe that the user names is written to, not replaced.
    if path.is_symlink() or (path.exists() and not path.is_file()):
        with write_errors(path):
            path.write_text(text, encoding="utf-8")
        return
    with atomic_file(path) as file:
        file.write(text.encode())


def make_folder(path: Path) -> None:
    """Create a folder and its missing parents. Raises NotWritten where it cannot be created."""
    with write_errors(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that lasts as long as the block. Raises NotWritten where it cannot be made."""
    try:
        folder = TemporaryDirectory()
    except OSError as error:
        hint = "Free space on its disk, or name another folder in the environment variable TMPDIR."
        raise NotWritten(f"a temporary folder cannot be made: {error.strerror}", hint) from error
    with folder as path:
        yield Path(path)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Make a folder to fill that replaces `path` in one move if the block succeeds. Raises NotWritten where it cannot be written."""
    draft = path.with_name(f"{path.name}.part")
    with write_errors(path):
        try:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            yield draft
            shutil.rmtree(path, ignore_errors=True)
            draft.rename(path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's errors inside the block into NotWritten, with `path` as the place."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        # torch.save raises a RuntimeError of its own when a write fails.
        reason = error if isinstance(error, OSError) else error.__context__
        if not isinstance(reason, OSError):
            raise
        fix = "Create that folder" if isinstance(reason, FileNotFoundError) else "Free space on that disk"
        hint = f"{fix}, or name another, and run the same command again."
        raise NotWritten(f"{path} cannot be written: {reason.strerror or reason}", hint) from error
