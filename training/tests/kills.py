"""Runs of the command line that the kernel ends, by SIGKILL, at a chosen moment.

One process imports everything, then forks for each run.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tests.conftest import ROOT
from xpeft import heads

SCRIPT = """
import importlib, json, os, signal, sys
from pathlib import Path
import transformers.models.bert.modeling_bert  # for all runs at once
import xpeft.add
from tests.kills import few_fits
from xpeft.checkpoint import CheckpointClock
from xpeft.cli import app

few_fits()
CheckpointClock.due = lambda clock, done: done % 7 == 0

def arm(when, target, number):
    left = [number]
    def die_if_due():
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    if when == "half of":
        sync = os.fsync
        def half(file):
            if Path(os.readlink(f"/proc/self/fd/{file}")).name == f"{target}.part":
                if left[0] == 1:
                    os.ftruncate(file, os.fstat(file).st_size // 2)
                die_if_due()
            sync(file)
        os.fsync = half
    elif when == "unlink":
        unlink = Path.unlink
        def watched(path, missing_ok=False):
            if path.name == target:
                die_if_due()
            unlink(path, missing_ok)
        Path.unlink = watched
    else:
        name, _, attribute = target.rpartition(".")
        module = importlib.import_module(name)
        function = getattr(module, attribute)
        def called(*arguments, **more):
            die_if_due()
            return function(*arguments, **more)
        setattr(module, attribute, called)

ends = []
for run in json.load(sys.stdin):
    if os.fork() == 0:
        arm(**run["moment"])
        app(run["line"])
    ends.append(os.waitstatus_to_exitcode(os.wait()[1]))
print(json.dumps(ends))
"""


@dataclass(frozen=True)
class Moment:
    """The moment of a kill: before the `number`-th call of a function or deletion of a file, or in its `number`-th write, at half of it."""

    when: Literal["call", "half of", "unlink"]
    target: str
    number: int = 1

    @property
    def name(self) -> str:
        """Its name, also for a folder."""
        return f"{self.when} {self.target} {self.number}"


def few_fits() -> None:
    """Fit each head with one setting: to fit with all takes longer than the rest of a tiny run."""
    vars(heads).update(WEIGHT_PENALTIES=(100.0,), BIAS_PENALTIES=(3.0,))


def kill_runs(runs: Sequence[tuple[Moment, list[str]]]) -> None:
    """Run command lines, each killed at its moment. Raises AssertionError with the moments of those that end otherwise."""
    sent = json.dumps([{"moment": asdict(moment), "line": line} for moment, line in runs])
    done = subprocess.run([sys.executable, "-c", SCRIPT], input=sent, cwd=ROOT / "training", capture_output=True, text=True, check=False)
    ends = json.loads(done.stdout.splitlines()[-1])
    assert [moment.name for (moment, _), end in zip(runs, ends, strict=True) if end != -signal.SIGKILL] == [], done.stderr


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file in a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
