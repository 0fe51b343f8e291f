"""Progress bars, and remarks beside the result. Both go to stderr."""

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")

# A log gets a line for each 20th of the work, and none sooner than after these seconds.
LINES_IN_LOG = 20
SECONDS_IN_LOG = 10.0


class LogLines(tqdm):  # type: ignore[type-arg]
    """A progress bar for a log: it writes lines where the bar of a terminal is drawn again."""

    @staticmethod
    def status_printer(file: Any) -> Callable[[str], None]:
        """Return the function that writes a line, if it is a new one. tqdm itself ends the last one."""
        lines: list[str] = []

        def write(line: str) -> None:
            if line not in lines[-1:]:
                file.write(("\n" if lines else "") + line)
                file.flush()
                lines.append(line)

        return write


def progress(items: Sequence[Item], name: str, unit: str, quiet: bool, done: int = 0) -> "tqdm[Item]":
    """Return a progress bar to iterate over `items`, which follow on `done` earlier ones. Where stderr is no terminal, it writes lines."""
    total = done + len(items)
    shared: dict[str, Any] = {"total": total, "initial": done, "desc": name, "unit": unit, "disable": quiet}
    if sys.stderr.isatty():
        return tqdm(items, **shared)
    form = "{desc}: {n_fmt} of {total_fmt} {unit}s, {elapsed}{postfix}"
    rarely = max(1, total // LINES_IN_LOG)
    lines: tqdm[Item] = LogLines(items, bar_format=form, miniters=rarely, mininterval=SECONDS_IN_LOG, maxinterval=float("inf"), **shared)
    return lines


def byte_progress(total: int | None, done: int, name: str, quiet: bool) -> "tqdm[None]":
    """Return a progress bar of a download, to update by hand. Where stderr is no terminal, it writes lines. total: None if unknown."""
    shared: dict[str, Any] = {"total": total, "initial": done, "desc": name, "unit": "B", "unit_scale": True, "disable": quiet}
    if sys.stderr.isatty():
        return tqdm(**shared)
    form = "{desc}: {n_fmt}B of {total_fmt}B, {elapsed}"
    lines: tqdm[None] = LogLines(bar_format=form, mininterval=SECONDS_IN_LOG, maxinterval=float("inf"), **shared)
    return lines


def remark(text: str, quiet: bool) -> None:
    """Print what a reader of the result should know, unless the command is to be quiet."""
    if not quiet:
        print(f"note: {text}", file=sys.stderr, flush=True)
