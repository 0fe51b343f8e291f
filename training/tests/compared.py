"""Tiny runs of `compare`."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from xpeft.cli import app
from xpeft.comparison.records import RunRecord

TINY = {"epochs": 2, "bottleneck": 5, "pool_size": 12, "chosen": 5, "head_lr": 0.03, "seeds": 1}


def compare(sets_root: Path, bundle: Path, plm: Path, out: Path, settings: dict[str, Any], *options: str) -> Result:
    """Run an experiment with these settings and those of TINY."""
    file = out / "experiment.toml"
    out.mkdir(exist_ok=True)
    # Numbers, strings, booleans and lists are the same in JSON and TOML.
    text = "\n".join(f"{key} = {json.dumps(value)}" for key, value in (TINY | settings).items())
    file.write_text(text, encoding="utf-8")
    paths = ["--root", str(sets_root), "--bundle", str(bundle), "--plm", str(plm), "--out", str(out)]
    return CliRunner().invoke(app, ["compare", str(file), *paths, "--device", "cpu", "--quiet", *options])


def run(sets_root: Path, bundle: Path, plm: Path, out: Path, settings: dict[str, Any], *options: str) -> list[RunRecord]:
    """The records of an experiment that runs, sorted by file."""
    result = compare(sets_root, bundle, plm, out, settings, *options)
    assert result.exit_code == 0, result.output
    return [RunRecord.model_validate_json(path.read_bytes()) for path in sorted((out / "runs").iterdir())]
