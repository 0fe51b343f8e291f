"""Stopping and going on: a checkpoint holds all that the next step depends on."""

import signal
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch
from torch.optim.lr_scheduler import LRScheduler

from xpeft.atomic_files import written
from xpeft.errors import BadCheckpoint, NoCheckpoint, OtherRun
from xpeft.profile_model import ProfileModel

CHECKPOINT = "checkpoint.pt"
DAMAGED_HINT = "Start the run again without --resume, or take that file away."


@dataclass(frozen=True)
class TrainingState:
    """The parts of a run that change from step to step, and `setup`: what must be the same in the run that goes on."""

    model: ProfileModel
    optimizers: Sequence[torch.optim.Optimizer]
    schedulers: Sequence[LRScheduler]
    setup: object

    @property
    def learnt(self) -> dict[str, torch.nn.Parameter]:
        """All parameters that training changes, by name."""
        wanted = {id(parameter) for parameter in (*self.model.tables(), *self.model.shared(), *self.model.task_parts())}
        return {name: parameter for name, parameter in self.model.named_parameters() if id(parameter) in wanted}


def save_checkpoint(path: Path, training: TrainingState, step: int, losses: list[tuple[int, float]]) -> None:
    """Write the state after `step` steps and the losses until then; a checkpoint that is there already is replaced in one move."""
    state = {
        "step": step,
        "setup": repr(training.setup),
        "losses": losses,
        "learnt": {name: parameter.detach() for name, parameter in training.learnt.items()},
        "optimizers": [optimizer.state_dict() for optimizer in training.optimizers],
        "schedulers": [scheduler.state_dict() for scheduler in training.schedulers],
    }
    with written(path) as file:
        torch.save(state, file)


def load_checkpoint(path: Path, training: TrainingState) -> tuple[int, list[tuple[int, float]]]:
    """Put the saved state back; answers the steps done and the losses. An error where there is none, it is damaged, or of another run."""
    if not path.exists():
        hint = "A run that has ended has none any more; otherwise start it without --resume."
        raise NoCheckpoint(f"there is no checkpoint {path}", hint)
    learnt = training.learnt
    try:
        # torch.load does not look at the checksums, and would take a flipped bit for a learnt value.
        with zipfile.ZipFile(path) as archive:
            whole = archive.testzip() is None
        saved = torch.load(path, map_location=training.model.device, weights_only=True)
        setup, shapes = saved["setup"], {name: value.shape for name, value in saved["learnt"].items()}
    # Damaged bytes end in errors of many kinds.
    except Exception as error:
        raise BadCheckpoint(f"the checkpoint {path} cannot be read: {error}", DAMAGED_HINT) from error
    if not whole:
        raise BadCheckpoint(f"the checkpoint {path} is damaged", DAMAGED_HINT)
    if setup != repr(training.setup) or shapes != {name: parameter.shape for name, parameter in learnt.items()}:
        raise OtherRun(f"{path} is of a run with other settings or data", f"Give the settings of that run: {setup}")
    with torch.no_grad():
        for name, parameter in learnt.items():
            parameter.copy_(saved["learnt"][name])
    for optimizer, state in zip(training.optimizers, saved["optimizers"], strict=True):
        optimizer.load_state_dict(state)
    for scheduler, state in zip(training.schedulers, saved["schedulers"], strict=True):
        scheduler.load_state_dict(state)
    return int(saved["step"]), [(step, loss) for step, loss in saved["losses"]]


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
