"""Tasks of the library, trained on the tiny data."""

from pathlib import Path
from typing import Any

from tests.runs import QUICK
from xpeft import Task

Rows = list[dict[str, Any]]


def fit(data: object, bundle: Path, plm: Path, **more: Any) -> Task:
    """Train a quick task."""
    return Task.fit(bundle, data, **{"name": "things", "recipe": QUICK, "device": "cpu", "plm": str(plm), **more})


def saved(task: Task, folder: Path) -> dict[str, bytes]:
    """The files of a task, by name, after it was saved in a folder."""
    task.save(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}
