"""Runs of `train` on the tiny data."""

from collections.abc import Callable
from pathlib import Path

from xpeft.task_files import PROFILES_FILE, TASK_FILE

QUICK = Path(__file__).parent / "quick.toml"

# The command line of a quick training into a folder, with more options.
Command = Callable[..., list[str]]


def arguments(data: Path, bundle: Path, plm: Path, out: Path, *more: str) -> list[str]:
    """The command line of a quick training."""
    paths = ["--data", str(data), "--bundle", str(bundle), "--plm", str(plm), "--out", str(out)]
    return ["train", "--task", "things", *paths, "--recipe", str(QUICK), "--device", "cpu", "--quiet", *more]


def written(out: Path) -> tuple[bytes, bytes]:
    """The files that a training writes for the edge."""
    return (out / TASK_FILE).read_bytes(), (out / PROFILES_FILE).read_bytes()
