"""Stopping and going on: a checkpoint holds all that the next step depends on."""

import signal
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch
from torch.optim.lr_scheduler import LRScheduler

from xpeft.errors import BadCheckpoint, NoCheckpoint, OtherRun
from xpeft.model import ProfileModel
from xpeft.writing import written

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Training:
    """The parts of a run that change from step to step, and `setup`: what must be the same in the run that goes on."""

    model: ProfileModel
    optimizer: torch.optim.Optimizer
    scheduler: LRScheduler
    setup: object


def save_checkpoint(path: Path, training: Training, step: int) -> None:
    """Write the state after `step` steps; a checkpoint that is there already is replaced in one move."""
    state = {
        "step": step,
        "setup": repr(training.setup),
        "own": training.model.own.detach(),
        "shared": training.model.shared.detach(),
        "head": training.model.head.state_dict(),
        "optimizer": training.optimizer.state_dict(),
        "scheduler": training.scheduler.state_dict(),
    }
    with written(path) as file:
        torch.save(state, file)


def load_checkpoint(path: Path, training: Training) -> int:
    """Put the saved state back; answers the number of steps done. an error where there is none, it is damaged, or of another run."""
    if not path.exists():
        raise NoCheckpoint(f"there is no checkpoint {path}", "Start the run without --resume.")
    try:
        # torch.load does not look at the checksums, and would take a flipped bit for a learnt value.
        with zipfile.ZipFile(path) as archive:
            whole = archive.testzip() is None
        saved = torch.load(path, map_location=training.model.own.device, weights_only=True)
        setup, shape = saved["setup"], saved["own"].shape
    # Damaged bytes end in errors of many kinds.
    except Exception as error:
        raise BadCheckpoint(f"the checkpoint {path} cannot be read: {error}", "Start the run again without --resume.") from error
    if not whole:
        raise BadCheckpoint(f"the checkpoint {path} is damaged", "Start the run again without --resume.")
    if setup != repr(training.setup) or shape != training.model.own.shape:
        raise OtherRun(f"{path} is of a run with other settings or data", f"Give the settings of that run: {setup}")
    with torch.no_grad():
        training.model.own.copy_(saved["own"])
        training.model.shared.copy_(saved["shared"])
    training.model.head.load_state_dict(saved["head"])
    training.optimizer.load_state_dict(saved["optimizer"])
    training.scheduler.load_state_dict(saved["scheduler"])
    return int(saved["step"])


@contextmanager
def stop_requested() -> Iterator[Callable[[], bool]]:
    """Inside, Ctrl-C or SIGTERM does not break the step that is under way: the function handed out then answers True."""
    received: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
