"""What all ways of giving a profile a classifier of its own have in common: the frozen PLM, a head for the task, a label bias a profile.

A way (masks.py's in mask_model.py, the peers under peers/) says what a profile learns and what features a text has under it.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from xpeft.batches import Batch
from xpeft.encoder import AdapterEncoder


@dataclass(frozen=True)
class StepSettings:
    """How a training step's features are computed: noise strength, softmax temperature, randomness, precision of the PLM's products."""

    noise: float
    tau: float
    source: torch.Generator
    bf16: bool


class ProfileModel(nn.Module, ABC):
    """Logits of texts, each under what its own profile has learnt.

    Tables, [P + 1, numbers of a profile], have a row for each profile, and one more, the last, for the task's default profile.
    label_bias [P + 1, labels] is set, not learnt with the rest; the default profile's stays 0.
    """

    label_bias: torch.Tensor

    def __init__(self, encoder: AdapterEncoder, profiles: int, labels: int, source: torch.Generator) -> None:
        super().__init__()
        self.encoder = encoder
        self.profiles = profiles
        self.head = nn.Linear(encoder.hidden, labels)
        nn.init.normal_(self.head.weight, std=0.02, generator=source)
        nn.init.zeros_(self.head.bias)
        self.register_buffer("label_bias", torch.zeros(profiles + 1, labels))

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.label_bias.device

    @property
    def default_row(self) -> int:
        """Row of the default profile in the tables."""
        return self.profiles

    @abstractmethod
    def tables(self) -> list[nn.Parameter]:
        """What profiles learn, each [P + 1, numbers]."""

    def shared(self) -> list[nn.Parameter]:
        """What all profiles learn together, at a rate of its own."""
        return []

    def task_parts(self) -> list[nn.Parameter]:
        """What the task learns at the head's rate: the head."""
        return list(self.head.parameters())

    def shared_bytes(self) -> int:
        """What all profiles need together in use, beside the head: four bytes a number."""
        return 0

    @abstractmethod
    def bytes_a_profile(self) -> int:
        """What a profile is stored as, beside a label bias: four bytes a number, where the method has nothing better."""

    def numbers_a_profile(self) -> int:
        """How many numbers a profile learns."""
        return sum(table.shape[1] for table in self.tables())

    @abstractmethod
    def features(self, batch: Batch, step: StepSettings | None = None) -> torch.Tensor:
        """Pooled features [G*M, d]: as they are in use, or, with a `draw`, for a training step."""

    def scores(self, features: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Logits [G*M, labels] of features [G*M, d] that belong to table rows [G], M each."""
        logits: torch.Tensor = self.head(features)
        return logits + self.label_bias[rows].repeat_interleave(len(features) // len(rows), dim=0)

    def logits(self, batch: Batch, step: StepSettings | None = None) -> torch.Tensor:
        """Logits [G*M, labels]."""
        return self.scores(self.features(batch, step), batch.rows)


def look_up(table: nn.Parameter, rows: torch.Tensor) -> torch.Tensor:
    """Rows of a table, with a gradient for these rows alone."""
    return F.embedding(rows, table, sparse=True)


def target_loss(logits: torch.Tensor, labels: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Mean cross entropy; a target with a share lies between its label and the next."""
    if not shares.any():
        return F.cross_entropy(logits, labels)
    following = (labels + 1).clamp(max=logits.shape[1] - 1)
    own, other = (F.cross_entropy(logits, targets, reduction="none") for targets in (labels, following))
    return ((1 - shares) * own + shares * other).mean()
