"""The base class of all methods: a frozen PLM, a head for the task, and a label bias for each profile.

A subclass says what a profile learns and which features a text has under it: masks in mask_model.py, other methods in peers/.
"""

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from xpeft.batches import Batch
from xpeft.encoder import AdapterEncoder, Adapters
from xpeft.head_change import HeadChange


@dataclass(frozen=True)
class StepSettings:
    """What a training step's forward pass needs beside the batch.

    noise: strength of the Gumbel noise. tau: temperature of the softmax. generator: source of the noise, of the model's device. bf16:
    whether the PLM multiplies in bfloat16.
    """

    noise: float
    tau: float
    generator: torch.Generator
    bf16: bool


class ProfileModel(nn.Module, ABC):
    """Computes logits of texts, each under what its own profile has learnt.

    A table [P + 1, numbers] has a row for each profile; the last row is the task's default profile. label_bias [P + 1, labels] is not
    trained with the tables; the default profile's stays 0. head_changes has the rows whose profiles change the head's weight; nothing here
    trains them. Nothing that a profile learns changes the encoder below the residual of layer `first_layer`.
    """

    label_bias: torch.Tensor
    first_layer = 0
    shares_features = False  # whether a text has the same features under all profiles

    def __init__(self, encoder: AdapterEncoder, profiles: int, labels: int, generator: torch.Generator) -> None:
        super().__init__()
        self.encoder = encoder
        self.profiles = profiles
        self.head = nn.Linear(encoder.hidden, labels)
        nn.init.normal_(self.head.weight, std=0.02, generator=generator)
        nn.init.zeros_(self.head.bias)
        self.register_buffer("label_bias", torch.zeros(profiles + 1, labels))
        self.head_changes: dict[int, HeadChange] = {}

    @property
    def device(self) -> torch.device:
        """The device of the model."""
        return self.label_bias.device

    @property
    def default_row(self) -> int:
        """The default profile's row in the tables."""
        return self.profiles

    @torch.no_grad()
    def set_head(self, weight: torch.Tensor, bias: torch.Tensor, label_bias: torch.Tensor) -> None:
        """Copy a head, weight [labels, d] and bias [labels], and the profiles' label biases [P, labels]."""
        self.head.weight.copy_(weight)
        self.head.bias.copy_(bias)
        self.label_bias[:-1] = label_bias

    @abstractmethod
    def tables(self) -> list[nn.Parameter]:
        """Return what profiles learn, each [P + 1, numbers]; trained at the rate `profile_lr`."""

    def shared(self) -> list[nn.Parameter]:
        """Return what all profiles share beside the head; trained at the rate `shared_lr`."""
        return []

    def task_parts(self) -> list[nn.Parameter]:
        """Return the head and whatever else is trained at the rate `head_lr`."""
        return list(self.head.parameters())

    def shared_bytes(self) -> int:
        """Return the stored bytes that all profiles share beside the head."""
        return 0

    def trained_parameters(self) -> dict[str, nn.Parameter]:
        """Return everything that training changes, by name."""
        trained = {id(parameter) for parameter in (*self.tables(), *self.shared(), *self.task_parts())}
        return {name: parameter for name, parameter in self.named_parameters() if id(parameter) in trained}

    @abstractmethod
    def bytes_a_profile(self) -> int:
        """Return the stored bytes of a profile without its label bias: four for each number, unless the method stores less."""

    def numbers_a_profile(self) -> int:
        """Return how many numbers a profile learns."""
        return sum(table.shape[1] for table in self.tables())

    @abstractmethod
    def features(self, batch: Batch, step: StepSettings | None = None) -> torch.Tensor:
        """Return pooled features [G*M, d] for inference, or for a training step if `step` is given."""

    def trunk_adapters(self) -> Adapters | None:
        """Return the adapters of the layers below `first_layer`, one group for all profiles, or None for the PLM alone."""
        return None

    def trunk_hash(self) -> str:
        """Return what identifies the residuals of layer `first_layer`, among models of one PLM."""
        adapters, digest = self.trunk_adapters(), hashlib.sha256(str(self.first_layer).encode())
        if adapters is not None and self.first_layer:
            for part in (adapters.down, adapters.up):
                digest.update(part[:, : self.first_layer].detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    @torch.no_grad()
    def residuals(self, batch: Batch, bf16: bool = False) -> torch.Tensor:
        """Return the residuals of layer `first_layer`, float32 [G*M, T, d]: cached ones, if the batch has them."""
        if batch.residuals is not None:
            return batch.residuals
        return self.encoder.trunk(batch.ids, batch.types, batch.lengths, self.trunk_adapters(), self.first_layer, bf16)

    def encode(self, batch: Batch, adapters: Adapters, step: StepSettings | None) -> torch.Tensor:
        """Return pooled features [G*M, d] under adapters of G groups, which cover the layers from `first_layer` on."""
        bf16 = step is not None and step.bf16
        return self.encoder.tail(self.residuals(batch, bf16), batch.lengths, adapters, self.first_layer, bf16)

    def scores(self, features: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return logits [G*M, labels] of features [G*M, d] that belong to table rows [G], M features each."""
        logits: torch.Tensor = self.head(features)
        texts = len(features) // len(rows)
        for group, row in enumerate(rows.tolist() if self.head_changes else ()):
            if change := self.head_changes.get(row):
                part = slice(group * texts, (group + 1) * texts)
                logits[part] = logits[part] + features[part] @ change.weight().to(features.device).T
        return logits + self.label_bias[rows].repeat_interleave(texts, dim=0)

    def logits(self, batch: Batch, step: StepSettings | None = None) -> torch.Tensor:
        """Return logits [G*M, labels] for inference, or for a training step if `step` is given."""
        return self.scores(self.features(batch, step), batch.rows)


def look_up(table: nn.Parameter, rows: torch.Tensor) -> torch.Tensor:
    """Return rows of a table; its gradient is sparse, for these rows alone."""
    return F.embedding(rows, table, sparse=True)


def target_loss(logits: torch.Tensor, labels: torch.Tensor, next_label_weights: torch.Tensor | None) -> torch.Tensor:
    """Return the mean cross entropy. A target with a weight for the next label is spread over both labels."""
    if next_label_weights is None:
        return F.cross_entropy(logits, labels)
    next_labels = (labels + 1).clamp(max=logits.shape[1] - 1)
    lower, upper = (F.cross_entropy(logits, targets, reduction="none") for targets in (labels, next_labels))
    return ((1 - next_label_weights) * lower + next_label_weights * upper).mean()
