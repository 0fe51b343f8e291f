"""What commands print beside their result: a bar on a terminal, a few lines in a log, nothing with --quiet."""

import io
import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.conftest import ROOT, quick_recipe
from tests.runs import arguments
from xpeft import progress as module
from xpeft.progress import progress

COMMAND = """
from xpeft.cli import app
app()
"""
ON_TERMINAL = """
from xpeft.progress import progress
list(progress(range(30), "work", "step", quiet=False))
"""


def test_quiet_prints_only_the_result_and_a_log_gets_few_lines(tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    def run(line: list[str]) -> tuple[int, str, str]:
        line = [sys.executable, "-c", COMMAND, *line]
        done = subprocess.run(line, cwd=ROOT / "training", capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    line = arguments(
        tiny_data,
        tiny_bundle,
        tiny_plm,
        tmp_path / "out",
        "--recipe",
        quick_recipe(tmp_path / "recipe.toml", masks__profiles_per_step=1, masks__texts_per_profile=1),
    )
    status, result, beside = run(line)
    assert (status, beside) == (0, ""), beside
    assert [text.split()[0] for text in result.splitlines()[:2]] == ["dev", "majority"]

    line.remove("--quiet")
    status, again, beside = run(line)
    assert (status, again) == (0, result), beside
    # The first and the last line of each bar. There are 216 steps.
    assert "\r" not in beside
    assert len(beside.splitlines()) <= 2 * 6 + 2, beside
    assert re.search(r"^train: 216 of 216 steps, \d\d:\d\d, loss=\d\.\d{3}$", beside, re.MULTILINE), beside


def test_a_terminal_gets_a_bar() -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    subprocess.run([sys.executable, "-c", ON_TERMINAL], cwd=ROOT / "training", stderr=theirs, check=True)
    said = os.read(ours, 65536).decode()
    os.close(ours)
    os.close(theirs)
    assert ("\rwork:   0%|" in said, "\rwork: 100%|" in said) == (True, True), said


def test_a_log_gets_a_line_each_20th_of_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    monkeypatch.setattr(module, "SECONDS_IN_LOG", 0.0)
    assert list(progress(range(1000), "work", "step", quiet=False, done=1000)) == list(range(1000))
    lines = log.getvalue().split("\n")
    assert [text.split(",")[0] for text in (*lines[:3], *lines[-2:])] == [
        "work: 1000 of 2000 steps", "work: 1100 of 2000 steps", "work: 1200 of 2000 steps", "work: 2000 of 2000 steps", "",
    ]  # fmt: skip
    assert len(lines) == 12
