"""The steps that a task's training tries: their names, what they run with, and what they learn."""

from dataclasses import dataclass
from pathlib import Path

import torch

from xpeft.bootstrap import Array
from xpeft.heads import Head, HeadKind
from xpeft.mask_model import MaskModel
from xpeft.plm import PLM
from xpeft.pool import PoolShape
from xpeft.recipe import Choice
from xpeft.trunk_cache import TrunkCache
from xpeft.verdict import LEAST_GAIN, LEAST_POOL_GAIN, worth_keeping

MAJORITY, HEAD, LABEL_BIAS = "majority label", "shared head", "label bias"
ADAPTER, SHARED_MASKS, PROFILE_MASKS, TASK_POOL = "task adapter", "shared masks", "profile masks", "task pool"


@dataclass(frozen=True)
class Run:
    """Where and how a training runs.

    pool: the adapters that masks choose from, [K, 2, N, d*b]. out: folder of the checkpoints. settings: everything that must be equal in
    a resumed run.
    """

    plm: PLM
    pool: torch.Tensor
    shape: PoolShape
    device: torch.device
    out: Path
    settings: object
    seed: int
    bf16: bool
    resume: bool
    quiet: bool


@dataclass(frozen=True)
class Learnt:
    """What a step has learnt: a model, the head on its features, and what these give the texts to choose on.

    trunks: the residuals below the layers that masks change. loss: cross entropy under the best scale of the logits. figures: of
    each profile, higher is better, [profiles].
    """

    name: str
    model: MaskModel
    trunks: TrunkCache
    head: Head
    kind: HeadKind
    loss: float
    figures: Array

    def better_than(self, other: "Learnt") -> bool:
        """Return whether the texts to choose on prefer this step."""
        least = LEAST_POOL_GAIN if self.name == TASK_POOL else LEAST_GAIN
        return worth_keeping(self.loss, self.figures, other.loss, other.figures, least)


def kept(use: Choice, found: Learnt, best: Learnt) -> Learnt:
    """Return the better of a new step and the best one before it, or what the recipe demands."""
    return found if use is True or (use == "auto" and found.better_than(best)) else best
