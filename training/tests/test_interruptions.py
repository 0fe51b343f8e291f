"""Runs that the machine interrupts: a full disk, a kill, a damaged checkpoint. The disk is really full."""

import io
import resource
import shutil
import signal
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from tests.conftest import PAGE
from tests.kills import Moment, contents, kill_runs
from tests.test_train import arguments, written
from xpeft import learn_task
from xpeft import train as loop
from xpeft.atomic_files import atomic_file, write_text
from xpeft.checkpoint import CHECKPOINT, CheckpointClock
from xpeft.cli import app
from xpeft.errors import NotWritten
from xpeft.task_files import PROFILES_FILE, TASK_FILE

Command = Callable[..., list[str]]


@pytest.fixture(scope="module")
def command(tiny_data: Path, tiny_bundle: Path, tiny_plm: Path) -> Command:
    def of(out: Path, *more: str) -> list[str]:
        return arguments(tiny_data, tiny_bundle, tiny_plm, out, *more)

    return of


@pytest.fixture(scope="module")
def whole(command: Command, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    out = tmp_path_factory.mktemp("whole")
    assert CliRunner().invoke(app, command(out)).exit_code == 0
    return written(out)


@pytest.fixture(scope="module")
def checkpoint(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a run that was stopped after its last step."""
    out = tmp_path_factory.mktemp("stopped")

    def stop_after(*given: Any, **more: Any) -> None:
        loop.train(*given, **more)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(learn_task, "train", stop_after)
        result = CliRunner().invoke(app, command(out))
    assert (result.exit_code, "--resume" in result.output) == (130, True)
    return out / CHECKPOINT


def leave_room(disk: Path, pages: int) -> Path:
    """Fill a disk except for some pages, and return the file that fills it."""
    filler = disk / "filler"
    filler.write_bytes(bytes((shutil.disk_usage(disk).free // PAGE - pages) * PAGE))
    assert shutil.disk_usage(disk).free == pages * PAGE
    return filler


@pytest.mark.parametrize(("file", "pages"), [(TASK_FILE, 0), (PROFILES_FILE, 1), ("report.json", 2)])
def test_a_full_disk_is_named_and_the_run_resumes_when_there_is_space(
    command: Command, whole: tuple[bytes, bytes], checkpoint: Path, small_disk: Path, file: str, pages: int
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
    assert written(out) == whole


def test_a_disk_full_at_a_checkpoint_keeps_the_previous_checkpoint(
    command: Command, whole: tuple[bytes, bytes], checkpoint: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
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
    assert written(out) == whole


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
    command: Command, checkpoint: Path, small_disk: Path, whole: tuple[bytes, bytes]
) -> None:
    out = small_disk / "out"
    out.mkdir()
    (out / PROFILES_FILE).write_bytes(whole[1])
    shutil.copy(checkpoint, out)
    leave_room(small_disk, 0)
    result = CliRunner().invoke(app, command(out, "--resume"))
    assert f"error[not-written]: {out / PROFILES_FILE} cannot be written" in result.output
    assert {path.name for path in out.iterdir()} == {CHECKPOINT, TASK_FILE}


# 36 steps, 12 a pass, with a checkpoint after each 7.
MOMENTS = (
    Moment("call", "xpeft.train_task.load_bundle_plm"),
    Moment("call", "xpeft.train.collate", 1),
    Moment("call", "xpeft.train.collate", 5),
    Moment("half of", CHECKPOINT, 1),
    Moment("call", "xpeft.train.collate", 13),
    Moment("half of", CHECKPOINT, 3),
    Moment("call", "xpeft.learn_task.profile_features", 2),
    Moment("call", "xpeft.learn_task.search_head", 2),
    Moment("half of", TASK_FILE),
    Moment("half of", PROFILES_FILE),
    Moment("call", "xpeft.train_task.read_trained_task"),
    Moment("half of", "report.json"),
    Moment("unlink", CHECKPOINT),
    Moment("call", "xpeft.task_commands.print_report"),
)


def test_a_run_killed_at_any_moment_resumes_to_the_same_bytes(command: Command, tmp_path: Path) -> None:
    unbroken = CliRunner().invoke(app, command(tmp_path / "unbroken"))
    assert unbroken.exit_code == 0
    kill_runs([(moment, command(tmp_path / moment.name)) for moment in MOMENTS])
    for moment in MOMENTS:
        out = tmp_path / moment.name
        for _ in range(2):
            result = CliRunner().invoke(app, command(out, "--resume"))
            assert (moment, result.exit_code, result.output) == (moment, 0, unbroken.output.replace(str(tmp_path / "unbroken"), str(out)))
            assert (moment, contents(out)) == (moment, contents(tmp_path / "unbroken"))


def test_a_finished_run_of_other_settings_is_not_resumed(command: Command, tmp_path: Path) -> None:
    assert CliRunner().invoke(app, command(tmp_path)).exit_code == 0
    before = contents(tmp_path)
    result = CliRunner().invoke(app, command(tmp_path, "--resume", "--seed", "1"))
    assert (result.exit_code, f"error[other-run]: {tmp_path / 'report.json'} is the report of a run" in result.output) == (1, True)
    assert contents(tmp_path) == before


def test_a_new_run_in_a_used_folder_resumes_before_its_first_checkpoint(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_given: object, **_more: object) -> None:
        raise KeyboardInterrupt

    assert CliRunner().invoke(app, command(tmp_path, "--seed", "1")).exit_code == 0
    with monkeypatch.context() as stopped:
        stopped.setattr(learn_task, "train", stop)
        assert CliRunner().invoke(app, command(tmp_path)).exit_code == 130
    assert not (tmp_path / "report.json").exists()
    assert CliRunner().invoke(app, command(tmp_path, "--resume")).exit_code == 0


def flipped(content: bytes, part: zipfile.ZipInfo) -> bytes:
    """The bytes of a ZIP file with one bit flipped in the middle of a part's data."""
    name, extra = struct.unpack_from("<HH", content, part.header_offset + 26)
    place = part.header_offset + 30 + name + extra + part.file_size // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_a_damaged_checkpoint_is_named(command: Command, checkpoint: Path, tmp_path: Path) -> None:
    content = checkpoint.read_bytes()
    with zipfile.ZipFile(checkpoint) as archive:
        damaged = [flipped(content, part) for part in archive.infolist()]
    assert len(damaged) > 10
    something_else = io.BytesIO()
    torch.save([1, 2], something_else)
    for bad in (b"", b"hello", content[: len(content) // 2], content[:-1], something_else.getvalue(), *damaged):
        (tmp_path / CHECKPOINT).write_bytes(bad)
        result = CliRunner().invoke(app, command(tmp_path, "--resume"))
        assert result.exit_code == 1
        assert f"error[bad-checkpoint]: the checkpoint {tmp_path / CHECKPOINT} " in result.output
        assert "hint: Delete that file, and start the run again without --resume." in result.output


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


def test_a_run_stopped_before_its_first_checkpoint_says_so(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_given: object, **_more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(learn_task, "train", stop)
    result = CliRunner().invoke(app, command(tmp_path))
    assert (result.exit_code, "stopped; there is no checkpoint yet" in result.output) == (130, True)
