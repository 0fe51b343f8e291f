"""Reading a folder of runs, and `summary.json`: one line of figures a run."""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from xpeft.errors import XpeftError
from xpeft.report.records import RunRecord

RUNS = "runs"


def read_runs(folder: Path) -> list[RunRecord]:
    """All runs of a folder, sorted; XpeftError naming the file that is not of the schema, or two files of the same run."""
    paths = sorted((folder / RUNS).glob("*.json"))
    if not paths:
        raise XpeftError(f"{folder / RUNS} holds no runs", "Name a folder with runs/*.json, one file a run.")
    runs: dict[tuple[object, ...], tuple[RunRecord, Path]] = {}
    for path in paths:
        run = read_run(path)
        # Searches try settings on the same seed, so only the others can be there twice by mistake.
        settings = json.dumps(run.recipe, sort_keys=True) if run.purpose == "search" else ""
        key = (*order(run), settings)
        if key in runs:
            raise XpeftError(f"{runs[key][1]} and {path} are of the same run", "A mean over seeds counts each once: keep one of the two.")
        runs[key] = run, path
    check_recipes([run for run, _ in runs.values() if run.purpose != "search"])
    return [runs[key][0] for key in sorted(runs)]


def check_recipes(runs: Sequence[RunRecord]) -> None:
    """XpeftError where runs that a mean would be taken of were learnt in different ways."""
    found: dict[tuple[object, ...], tuple[str, RunRecord]] = {}
    for run in runs:
        recipe = json.dumps({name: value for name, value in run.recipe.items() if name != "seed"}, sort_keys=True)
        key = (run.data, run.slice, run.purpose, run.method, run.pool, run.bytesPerProfile, run.textsPerProfile)
        other, first = found.setdefault(key, (recipe, run))
        if other != recipe:
            raise XpeftError(
                f"seeds {first.seed} and {run.seed} of {run.method} on {run.data} were learnt with different recipes",
                "A mean over seeds is of one recipe: take the runs of the other away.",
            )


def read_run(path: Path) -> RunRecord:
    """One run; XpeftError naming file and field where it is not of the schema."""
    try:
        return RunRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        said = str(error)
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            said = f"{'.'.join(str(part) for part in first['loc']) or 'record'}: {first['msg']}"
        raise XpeftError(f"{path}: {said}", "Its fields are those of xpeft/report/records.py; make it again, or take it away.") from error


def order(run: RunRecord) -> tuple[object, ...]:
    """What tells a run from all others, as a sort key; searches differ in their recipes too."""
    where = (run.data, run.slice or "", run.split, run.purpose, run.method, run.pool or "", run.bytesPerProfile)
    return (*where, run.textsPerProfile or 0, run.seed)


def summary_json(runs: Sequence[RunRecord]) -> str:
    """The text of summary.json."""
    lines = [
        {
            "data": run.data,
            "split": run.split,
            "method": run.method,
            "pool": run.pool,
            "seed": run.seed,
            "micro": run.micro,
            "macro": run.macro,
            "metric": run.metric.name,
            "value": run.metric.value,
            "bytesPerProfile": run.bytesPerProfile,
            "trainedParameters": run.trainedParameters,
            "seconds": run.seconds,
            "device": run.device,
            "commit": run.commit,
            "slice": run.slice,
            "purpose": run.purpose,
        }
        for run in runs
    ]
    return json.dumps(lines, indent=2, ensure_ascii=False) + "\n"
