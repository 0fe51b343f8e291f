"""Checkpoints: everything that the next training step depends on."""

import hashlib
import json
import signal
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch.optim.lr_scheduler import LRScheduler

from xpeft.atomic_files import atomic_file
from xpeft.best_epoch import BestEpoch
from xpeft.errors import BadCheckpoint, OtherRun
from xpeft.profile_model import ProfileModel

CHECKPOINT = "checkpoint.pt"
# A kill loses no more than this, unless saving takes more than a share of the time, as it does for very many profiles.
CHECKPOINT_SECONDS = 60
CHECKPOINT_SHARE = 0.05
DAMAGED_HINT = "Delete that file, and start the run again without --resume."
OTHER_HINT = "Repeat that run's settings, or delete its checkpoints to start anew."


@dataclass(frozen=True)
class TrainingState:
    """The parts of a run that change from step to step, and `settings`, which must be equal in the resumed run.

    best: the best epoch so far, where the run keeps it.
    """

    model: ProfileModel
    optimizers: Sequence[torch.optim.Optimizer]
    schedulers: Sequence[LRScheduler]
    settings: object
    best: BestEpoch | None = None

    @property
    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """The parameters that training changes, by name."""
        return self.model.trained_parameters()


def save_checkpoint(path: Path, training: TrainingState, step: int, losses: torch.Tensor) -> None:
    """Write the state and the losses of the `step` steps so far. It replaces an earlier checkpoint in one move."""
    state = {
        "step": step,
        "setup": repr(training.settings),
        "losses": losses,
        "learnt": {name: parameter.detach() for name, parameter in training.parameters.items()},
        "optimizers": [optimizer.state_dict() for optimizer in training.optimizers],
        "schedulers": [scheduler.state_dict() for scheduler in training.schedulers],
        "best": training.best.state() if training.best else None,
    }
    with atomic_file(path) as file:
        torch.save(state, file)


def read_checkpoint(path: Path, settings: object, device: torch.device) -> dict[str, Any]:
    """Return what `save_checkpoint` wrote for a run with these settings. Raises BadCheckpoint or OtherRun."""
    try:
        # torch.load does not check the checksums.
        with zipfile.ZipFile(path) as archive:
            whole = archive.testzip() is None
        saved: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        same = saved["setup"] == repr(settings)
    # Damaged bytes cause errors of many kinds.
    except Exception as error:
        raise BadCheckpoint(f"the checkpoint {path} cannot be read: {error}", DAMAGED_HINT) from error
    if not whole:
        raise BadCheckpoint(f"the checkpoint {path} is damaged", DAMAGED_HINT)
    if not same:
        raise OtherRun(f"{path} belongs to a run with other settings or data", OTHER_HINT)
    return saved


def load_checkpoint(path: Path, training: TrainingState) -> tuple[int, torch.Tensor]:
    """Restore the saved state, and return the steps done and the loss of each. Raises BadCheckpoint or OtherRun."""
    parameters = training.parameters
    saved = read_checkpoint(path, training.settings, training.model.device)
    if {name: value.shape for name, value in saved["learnt"].items()} != {name: value.shape for name, value in parameters.items()}:
        raise OtherRun(f"{path} belongs to a run with parameters of other sizes", OTHER_HINT)
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(saved["learnt"][name])
    for optimizer, state in zip(training.optimizers, saved["optimizers"], strict=True):
        optimizer.load_state_dict(state)
    for scheduler, state in zip(training.schedulers, saved["schedulers"], strict=True):
        scheduler.load_state_dict(state)
    if training.best:
        training.best.load(saved["best"])
    return int(saved["step"]), saved["losses"]


class CheckpointClock:
    """Says when to save a checkpoint. saved: whether the run has one."""

    def __init__(self, saved: bool) -> None:
        self.saved = saved
        self.seconds = 0.0  # that the last save took
        self.since = time.monotonic()

    def due(self, _done: int) -> bool:
        """Return whether it is time to save the state after `_done` steps."""
        return time.monotonic() - self.since >= max(CHECKPOINT_SECONDS, self.seconds / CHECKPOINT_SHARE)

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Measure the save inside the block."""
        start = time.monotonic()
        yield
        self.saved, self.since = True, time.monotonic()
        self.seconds = self.since - start


def run_id(settings: object) -> str:
    """Return the name of the run with these settings: the same in the report, and in the folder of an unfinished `add`."""
    return hashlib.sha256(repr(settings).encode()).hexdigest()[:8]


def finished_report(path: Path, settings: object) -> dict[str, object] | None:
    """Return the report of a finished run of these settings, or None if there is no report. Raises OtherRun if it is another run's."""
    if not path.exists():
        return None
    try:
        report: dict[str, object] = json.loads(path.read_bytes())
        same = report.get("run") == run_id(settings)
    except (ValueError, AttributeError):
        same = False
    if not same:
        raise OtherRun(f"{path} is the report of a run with other settings or data", "Name another folder, or leave --resume out.")
    return report


@contextmanager
def stop_requested() -> Iterator[Callable[[], bool]]:
    """Delay Ctrl-C and SIGTERM to the end of a step. The function that it yields returns True after one of them.

    Python delivers signals to the main thread alone. In any other thread the function returns False.
    """
    received: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, remember) for number in numbers}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
