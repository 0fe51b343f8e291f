"""Files that cannot be written. The disk is really full."""

import json
import resource
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from tests.conftest import PAGE
from tests.fitted import Rows, fit
from tests.made_up_runs import folder_of, three
from tests.runs import QUICK, Command, written
from tests.tiny_data import tiny_lines
from xpeft import Task
from xpeft.atomic_files import atomic_file, write_text
from xpeft.checkpoint import CHECKPOINT, CheckpointClock
from xpeft.cli import app
from xpeft.errors import NotWritten
from xpeft.task_files import PROFILES_FILE, TASK_FILE


def leave_room(disk: Path, pages: int) -> Path:
    """Fill a disk except for some pages, and return the file that fills it."""
    filler = disk / "filler"
    filler.write_bytes(bytes((shutil.disk_usage(disk).free // PAGE - pages) * PAGE))
    assert shutil.disk_usage(disk).free == pages * PAGE
    return filler


@pytest.mark.parametrize(("file", "pages"), [(TASK_FILE, 0), (PROFILES_FILE, 1), ("report.json", 2)])
def test_a_full_disk_is_named_and_the_run_resumes_when_there_is_space(
    command: Command, trained: Path, checkpoint: Path, small_disk: Path, file: str, pages: int
) -> None:
    out = small_disk / "out"
    out.mkdir()
    shutil.copy(checkpoint, out)
    filler = leave_room(small_disk, pages)
    result = CliRunner().invoke(app, command(out, "--resume"))
    assert result.exit_code == 1
    assert f"error[not-written]: {out / file} cannot be written: No space left on device\nhint: Free space" in result.output
    assert f"Run again with --resume to resume from {out / CHECKPOINT}." in result.output
    assert {path.name for path in out.iterdir()} == {CHECKPOINT, *[TASK_FILE, PROFILES_FILE][:pages]}

    filler.unlink()
    assert CliRunner().invoke(app, command(out, "--resume")).exit_code == 0
    assert written(out) == written(trained)


def test_a_disk_full_at_a_checkpoint_keeps_the_previous_checkpoint(
    command: Command, trained: Path, checkpoint: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = small_disk / "out"
    monkeypatch.setattr(CheckpointClock, "due", lambda _, done: done % 7 == 0)
    filler = leave_room(small_disk, 1)
    result = CliRunner().invoke(app, command(out))
    assert result.exit_code == 1
    assert f"error[not-written]: {out / CHECKPOINT} cannot be written: No space left on device\nhint: Free space" in result.output
    assert "--resume" not in result.output
    assert not list(out.iterdir())

    filler.unlink()
    filler = leave_room(small_disk, -(-checkpoint.stat().st_size // PAGE) + 1)
    result = CliRunner().invoke(app, command(out))
    assert f"error[not-written]: {out / CHECKPOINT} cannot be written: No space left on device" in result.output
    assert f"Run again with --resume to resume from {out / CHECKPOINT}." in result.output
    assert [path.name for path in out.iterdir()] == [CHECKPOINT]

    filler.unlink()
    assert CliRunner().invoke(app, command(out, "--resume")).exit_code == 0
    assert written(out) == written(trained)


def test_a_file_size_limit_is_named(command: Command, checkpoint: Path, tmp_path: Path) -> None:
    def run_limited(out: Path, limit: int, *more: str) -> str:
        before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            result = CliRunner().invoke(app, command(out, *more))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)
        assert result.exit_code == 1, result.output
        return result.output

    said = run_limited(tmp_path / "new", 4000)
    assert f"error[not-written]: {tmp_path / 'new' / CHECKPOINT} cannot be written: File too large\nhint: " in said
    assert not list((tmp_path / "new").iterdir())

    out = tmp_path / "resumed"
    out.mkdir()
    shutil.copy(checkpoint, out)
    said = run_limited(out, 100, "--resume")
    assert f"error[not-written]: {out / TASK_FILE} cannot be written: File too large\nhint: " in said
    assert [path.name for path in out.iterdir()] == [CHECKPOINT]


def test_an_earlier_runs_profiles_do_not_stay_beside_a_new_task(
    command: Command, checkpoint: Path, small_disk: Path, trained: Path
) -> None:
    out = small_disk / "out"
    out.mkdir()
    (out / PROFILES_FILE).write_bytes(written(trained)[1])
    shutil.copy(checkpoint, out)
    leave_room(small_disk, 0)
    result = CliRunner().invoke(app, command(out, "--resume"))
    assert f"error[not-written]: {out / PROFILES_FILE} cannot be written" in result.output
    assert {path.name for path in out.iterdir()} == {CHECKPOINT, TASK_FILE}


def test_a_failed_write_leaves_no_file(tiny_plm: Path, small_disk: Path) -> None:
    out = small_disk / "bundle"
    result = CliRunner().invoke(app, ["bundle", "--out", str(out), "--plm", str(tiny_plm), "--pool-size", "12", "--chosen", "5"])
    assert (result.exit_code, f"error[not-written]: {out} cannot be written: No space left on device" in result.output) == (1, True)
    leave_room(small_disk, 1)
    with pytest.raises(NotWritten, match=r"predictions\.ndjson cannot be written: No space left on device"):
        write_text(small_disk / "predictions.ndjson", "x" * 2 * PAGE)
    # More than a file's buffer holds: torch.save itself meets the full disk.
    with (
        pytest.raises(NotWritten, match=r"big\.pt cannot be written: No space left on device"),
        atomic_file(small_disk / "big.pt") as file,
    ):
        torch.save(torch.zeros(100 * PAGE), file)
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_a_link_is_written_to_and_stays_one(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "file")
    for text in ("one", "two"):
        write_text(link, text)
        assert (link.is_symlink(), (tmp_path / "file").read_text(encoding="utf-8")) == (True, text)


@pytest.mark.parametrize("name", ["prepare", "add", "eval", "compare", "report"])
def test_every_command_names_a_full_disk(
    name: str, trained: Path, tiny_data: Path, sets_root: Path, tiny_bundle: Path, tiny_plm: Path, small_disk: Path, tmp_path: Path
) -> None:
    data, experiment = tmp_path / "new.jsonl", tmp_path / "majority.toml"
    data.write_text("\n".join(json.dumps({**line, "profile": "d"}) for line in tiny_lines()), encoding="utf-8")
    experiment.write_text('data = ["news"]\nmethods = ["majority"]\n', encoding="utf-8")
    plm = ["--bundle", str(tiny_bundle), "--plm", str(tiny_plm), "--device", "cpu"]
    task, out = ["--task", str(trained), *plm], ["--out", str(small_disk / "out")]
    folder_of(three("news", "head", 0.5), small_disk)
    leave_room(small_disk, 0)
    line = {
        "prepare": [str(data), *out],
        "add": ["--data", str(data), "--recipe", str(QUICK), "--quiet", *task, *out],
        "eval": ["--data", str(tiny_data), "--predictions", str(small_disk / "predictions"), *task],
        "compare": [str(experiment), "--root", str(sets_root), "--quiet", *plm, *out],
        "report": [str(small_disk)],
    }[name]
    result = CliRunner().invoke(app, [name, *line])
    assert (result.exit_code, f"error[not-written]: {small_disk}" in result.output) == (1, True), result.output
    assert "cannot be written: No space left on device\nhint: Free space on that disk" in result.output
    assert not list(small_disk.rglob("*.part"))


def test_a_disk_full_while_plots_are_drawn_keeps_the_plots_of_before(small_disk: Path) -> None:
    folder_of(three("news", "head", 0.5), small_disk)
    plot = small_disk / "plots" / "loss-profiles.svg"
    plot.parent.mkdir()
    plot.write_text("before", encoding="utf-8")
    leave_room(small_disk, 1)
    assert CliRunner().invoke(app, ["report", str(small_disk)]).exit_code == 1
    assert plot.read_text(encoding="utf-8") == "before"


def test_the_library_names_a_full_disk(
    task: Task, rows: Rows, tiny_bundle: Path, tiny_plm: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_room(small_disk, 0)
    with pytest.raises(NotWritten, match=f"{small_disk / 'out'}/task.json cannot be written: No space left"):
        task.save(small_disk / "out")
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    with pytest.raises(NotWritten, match=f"{small_disk}/.*data.jsonl cannot be written: No space left"):
        fit(rows, tiny_bundle, tiny_plm)
    with pytest.raises(NotWritten, match=f"{small_disk}/.* cannot be written: No space left"):
        task.add([{**row, "profile": "d"} for row in rows])
    assert task.profiles == ["a", "b", "c"]
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk / "none"))
    with pytest.raises(NotWritten, match="a temporary folder cannot be made: No such file or directory") as raised:
        fit(rows, tiny_bundle, tiny_plm)
    assert "TMPDIR" in raised.value.hint
