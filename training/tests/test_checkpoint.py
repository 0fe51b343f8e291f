"""Runs that resume, or say why they cannot: stopped ones, finished ones, and damaged checkpoints."""

import io
import shutil
import struct
import zipfile
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from tests.kills import contents
from tests.runs import Command
from xpeft import learn_task
from xpeft.checkpoint import CHECKPOINT, read_checkpoint
from xpeft.cli import app
from xpeft.errors import BadCheckpoint


def test_a_finished_run_of_other_settings_is_not_resumed(command: Command, trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    before = contents(tmp_path)
    result = CliRunner().invoke(app, command(tmp_path, "--resume", "--seed", "1"))
    assert (result.exit_code, f"error[other-run]: {tmp_path / 'report.json'} is the report of a run" in result.output) == (1, True)
    assert contents(tmp_path) == before


def test_a_new_run_in_a_used_folder_resumes_before_its_first_checkpoint(
    command: Command, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_given: object, **_more: object) -> None:
        raise KeyboardInterrupt

    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    with monkeypatch.context() as stopped:
        stopped.setattr(learn_task, "train", stop)
        assert CliRunner().invoke(app, command(tmp_path, "--seed", "1")).exit_code == 130
    assert not (tmp_path / "report.json").exists()
    assert CliRunner().invoke(app, command(tmp_path, "--seed", "1", "--resume")).exit_code == 0


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
    path = tmp_path / CHECKPOINT
    for bad in (b"", b"hello", content[: len(content) // 2], content[:-1], something_else.getvalue(), *damaged):
        path.write_bytes(bad)
        with pytest.raises(BadCheckpoint, match=f"the checkpoint {path} "):
            read_checkpoint(path, None, torch.device("cpu"))
    result = CliRunner().invoke(app, command(tmp_path, "--resume"))
    assert result.exit_code == 1
    assert f"error[bad-checkpoint]: the checkpoint {path} " in result.output
    assert "hint: Delete that file, and start the run again without --resume." in result.output


def test_a_run_stopped_before_its_first_checkpoint_says_so(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_given: object, **_more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(learn_task, "train", stop)
    result = CliRunner().invoke(app, command(tmp_path))
    assert (result.exit_code, "stopped; there is no checkpoint yet" in result.output) == (130, True)
