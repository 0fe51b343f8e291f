"""The runs of a folder as one table: a row for each file `runs/*.json`."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import JsonValue, ValidationError

from xpeft.comparison.experiment import read_experiment
from xpeft.comparison.records import DEFAULT_METHOD, METHOD_NAMES, RunRecord
from xpeft.comparison.setup import makes
from xpeft.errors import XpeftError

RUNS = "runs"
COMPARE = "python -m xpeft compare"
# A mean over seeds is of runs that share all of these, and one recipe.
ONE_RECIPE = ("data", "slice", "purpose", "method", "pool", "bytesPerProfile", "textsPerProfile")
# The order of summary.json, None first.
ORDER = ("data", "slice", "split", "purpose", "method", "pool", "bytesPerProfile", "textsPerProfile", "seed")
SUMMARY = (
    *("data", "split", "method", "pool", "seed", "micro", "macro", "metric", "value", "bytesPerProfile"),
    *("bytesPerTask", "trainedParameters", "settingsTried", "seconds", "device", "commit", "slice", "purpose"),
)
# Columns whose type cannot be seen where all runs have None or an empty list.
TYPES: dict[str, Any] = {
    **dict.fromkeys(("slice", "pool"), pl.String),
    **dict.fromkeys(("micro", "macro", "value", "crossEntropy", "seconds"), pl.Float64),
    "base": pl.Enum(METHOD_NAMES),
    "textsPerProfile": pl.Int64,
    "profiles": pl.Struct(
        {"ids": pl.List(pl.String), "texts": pl.List(pl.Int64), "right": pl.List(pl.Int64), "absoluteErrors": pl.List(pl.Float64)}
    ),
    "answers": pl.Struct({"truth": pl.List(pl.Float64), "predicted": pl.List(pl.Float64)}),
    "losses": pl.List(pl.Struct({"step": pl.Int64, "loss": pl.Float64})),
    "chosen": pl.List(pl.List(pl.List(pl.Float64))),
}


def read_runs(folder: Path) -> pl.DataFrame:
    """Return the table of a folder's runs. XpeftError names a file that is not of the schema, and two files of one run.

    A run's command is that of the experiment file in `folder`/../experiments that makes it; without one, that of its record.
    """
    paths = sorted((folder / RUNS).glob("*.json"))
    if not paths:
        raise XpeftError(f"{folder / RUNS} holds no runs", "Name a folder with runs/*.json, one file a run.")
    files = sorted((folder.resolve().parent / "experiments").glob("*.toml"))
    experiments = [(file.name, experiment) for file in files for experiment in read_experiment(file)]

    def command(run: RunRecord) -> str:
        made_by = (name for name, experiment in experiments if run.seed < experiment.seeds and makes(experiment, run))
        name = next(made_by, None)
        return f"{COMPARE} experiments/{name}" if name else run.command

    records = [read_run(path) for path in paths]
    runs = run_table((run.model_copy(update={"command": command(run)}), str(path)) for run, path in zip(records, paths, strict=True))
    # Searches try several recipes on one seed. Any other run is there once.
    settings = pl.when(pl.col("purpose") == "search").then("recipe").otherwise(None).alias("settings")
    for same in runs.with_columns(settings).partition_by(*ORDER, "settings", maintain_order=True):
        if len(same) > 1:
            first, second = same["file"][:2]
            raise XpeftError(f"{first} and {second} are of the same run", "A mean over seeds counts each seed once: keep one of the two.")
    for alike in runs.filter(pl.col("purpose") != "search", pl.col("base") != DEFAULT_METHOD).partition_by(ONE_RECIPE, maintain_order=True):
        first = alike.row(0, named=True)
        others = alike.filter(pl.col("recipe") != first["recipe"])
        if len(others):
            raise XpeftError(
                f"seeds {first['seed']} and {others['seed'][0]} of {first['method']} on {first['data']} have different recipes",
                "A mean over seeds is of one recipe: remove the runs of the other recipe.",
            )
    return runs


def read_run(path: Path) -> RunRecord:
    """Return one run. XpeftError names the file and the field that is not of the schema."""
    try:
        return RunRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        said = f"{'.'.join(map(str, first['loc'])) or 'record'}: {first['msg']}" if first else str(error)
        hint = "xpeft/comparison/records.py lists the fields. Make the run again, or remove the file."
        raise XpeftError(f"{path}: {said}", hint) from error


def run_table(runs: Iterable[tuple[RunRecord, str]]) -> pl.DataFrame:
    """Return a sorted row for each run and the name of its file. The recipe is JSON text without seeds."""
    rows = [
        run.model_dump(exclude={"texts", "metric", "epochs"})
        | {"file": file, "base": run.base, "head": run.head, "bytesBesideHead": run.bytesBesideHead}
        | {"metric": run.metric.name, "value": run.metric.value, "higherIsBetter": run.metric.higherIsBetter}
        | run.texts.model_dump()
        | {"recipe": json.dumps(without_seeds(run.recipe), sort_keys=True, allow_nan=False)}
        | {"losses": [{"step": step, "loss": loss} for step, loss in run.losses]}
        for run, file in runs
    ]
    # Seeds of the default may choose other masks and heads on dev. They are one method, and as large as the largest.
    default = pl.col("base") == DEFAULT_METHOD
    sizes = [
        pl.when(default).then(pl.max(name).over("data", "slice", "purpose", "method")).otherwise(name).alias(name)
        for name in ("bytesPerProfile", "bytesBesideHead")
    ]
    table = pl.DataFrame(rows, schema_overrides=TYPES, infer_schema_length=None)
    return table.with_columns(*sizes, pl.when(default).then(None).otherwise("pool").alias("pool")).sort(*ORDER, "recipe")


def without_seeds(recipe: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return what a recipe's runs share, whatever their seeds: a pool has the seed of its run."""
    return {
        name: without_seeds(value) if name == "pool" and isinstance(value, dict) else value
        for name, value in recipe.items()
        if name != "seed"
    }


def summary_json(runs: pl.DataFrame) -> str:
    """Return the text of summary.json: the figures of every run."""
    return json.dumps(runs.select(SUMMARY).rows(named=True), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
