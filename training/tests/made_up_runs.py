"""Small made-up runs for the tests of the report."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from xpeft.comparison.records import RunRecord
from xpeft.report.runs import run_table

POOL = "sign N=4 k=2"
BYTES = {"profile": 64, "majority": 1, "head": 0, "hard": 156, "soft": 4800, "adapter": 442368}


def record(data: str, method: str, seed: int, macro: float, **changes: Any) -> RunRecord:
    """A run in which everything but the arguments is made up."""
    base = method.removesuffix("+bias")
    right = [max(0, round(1000 * (macro - 0.1))), round(2000 * (macro + 0.1))]
    fields: dict[str, Any] = {
        "data": data,
        "slice": None,
        "split": "test",
        "purpose": "result",
        "method": method,
        "pool": POOL if base in ("hard", "soft") else None,
        "seed": seed,
        "micro": macro - 0.1,
        "macro": macro,
        "metric": {"name": "accuracy", "value": macro, "higherIsBetter": True},
        "crossEntropy": 1.0,
        "bytesPerProfile": BYTES.get(base, 9000),
        "bytesPerTask": 100,
        "trainedParameters": 10,
        "seconds": 2.5,
        "device": "a CPU",
        "commit": "0123456789",
        "command": f"python -m xpeft compare {data} {method} --seed {seed}",
        "texts": {"train": 9, "dev": 3, "test": 3},
        "profileCount": 2,
        "textsPerProfile": None,
        "recipe": {"lr": 0.01},
        "settingsTried": 1,
        "profiles": {"ids": ["a", "b"], "texts": [1000, 2000], "right": right, "absoluteErrors": None},
        "answers": None,
        "losses": [(1, 2.0), (2, 1.0 + seed / 10)],
        "epochs": [],
        "chosen": [[[0.5, 1.0, 0.5, 0.0], [1.0, 0.0, 0.5, 0.5]]] * 2 if base == "hard" else None,
    }
    return RunRecord.model_validate(fields | changes)


def figures(right: NDArray[np.int64], texts: int) -> dict[str, Any]:
    """The figures of profiles with as many texts each. right: [profiles]."""
    ids = [f"profile-{number}" for number in range(len(right))]
    return {"ids": ids, "texts": [texts] * len(right), "right": right.tolist(), "absoluteErrors": None}


def three(data: str, method: str, macro: float, **changes: Any) -> list[RunRecord]:
    """The same run with three seeds."""
    return [record(data, method, seed, macro + 0.01 * (seed - 1), **changes) for seed in range(3)]


def table(runs: list[RunRecord]) -> pl.DataFrame:
    """The runs as the report reads them."""
    return run_table((run, f"{number}.json") for number, run in enumerate(runs))


def folder_of(runs: list[RunRecord], folder: Path) -> Path:
    """A folder that holds the runs."""
    (folder / "runs").mkdir(parents=True)
    for number, run in enumerate(runs):
        (folder / "runs" / f"{number}.json").write_text(run.model_dump_json(), encoding="utf-8")
    return folder
