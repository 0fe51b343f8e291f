"""What methods on the plain PLM's features have in common: their result, and the choice of a setting on dev."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch

from xpeft.data import DataSet
from xpeft.features import Features
from xpeft.heads import HeadKind, feature_scale, search_head, settings_tried
from xpeft.linear_fit import Targets
from xpeft.records import Split

# Logits [texts, labels] of each split.
Logits = dict[Split, torch.Tensor]


@dataclass(frozen=True)
class Stored:
    """What a method stores beside the task's head and label biases.

    profile, task: bytes of each profile, and of what all profiles share. numbers: how many numbers a profile learns. head: whether the
    method has the task's head too.
    """

    profile: int = 0
    task: int = 0
    numbers: int = 0
    head: bool = True


@dataclass(frozen=True)
class Fitted:
    """A method's logits, what it stores for them, and how many settings it tried."""

    logits: Logits
    stored: Stored
    settings_tried: int = 1


# data, features, kind: a shared head with or without a label bias for each profile, quiet.
FeatureMethod = Callable[[DataSet, Features, HeadKind, bool], Fitted]


def choose(data: DataSet, tried: Iterable[Fitted]) -> Fitted:
    """Return the fit with the least cross entropy on dev, and as its settings those of all."""
    fits = list(tried)
    dev = Targets.of(data.splits["dev"])
    best = min(fits, key=lambda fit: dev.loss(fit.logits["dev"]).item())
    return replace(best, settings_tried=sum(fit.settings_tried for fit in fits))


def shared_head(data: DataSet, features: Features, kind: HeadKind, quiet: bool) -> Fitted:
    """Return the fit of a head that all profiles share, with or without label biases, or of a head for each."""
    head = search_head(data, features, kind, "dev", "head", quiet)
    head = head.stored() if kind == "bias" else head
    return Fitted({split: head.split_logits(data, features, split) for split in features}, Stored(), settings_tried(kind))


def standardized(features: Features) -> tuple[Features, torch.Tensor, torch.Tensor]:
    """Return features with mean 0 and one scale for all their numbers, and the mean [d] and scale of the train split's."""
    mean, scale = feature_scale(features["train"])
    return {split: (values - mean) / scale for split, values in features.items()}, mean, scale


def int8_steps(values: torch.Tensor, dim: int) -> torch.Tensor:
    """Return values rounded to multiples of a 127th of the largest along `dim`: what an int8 for each number, and a scale, can store."""
    step = values.abs().amax(dim, keepdim=True).clamp(min=1e-12) / 127
    return (values / step).round() * step
