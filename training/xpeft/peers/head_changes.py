"""A shared head that each profile changes by a few numbers: user vectors, and a matrix of rank 1.

Head and changes are fitted together, with one penalty on both factors of the changes. The fit starts at the best head without changes,
and along the directions in which the loss of a profile's texts falls fastest there.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import torch
import torch.nn.functional as F

from xpeft.data import DataSet, group_by_profile
from xpeft.features import Features
from xpeft.heads import Fit, Head, HeadKind, search_penalties, settings_tried
from xpeft.label_bias import first_bias
from xpeft.linear_fit import Targets, descend
from xpeft.peers.feature_method import Fitted, Stored, choose, int8_steps, standardized
from xpeft.progress import progress

# As parts of the penalty above which no change is worth its size.
PENALTIES = (0.85, 0.7, 0.5, 0.35, 0.25)
USER_NUMBERS = (4, 8, 16)
# The first factors' size: the fit is not at rest, as at 0, and soon forgets it.
FIRST_SIZE = 0.5

# The first factors of a change, and the penalty above which both would shrink to 0.
Start = tuple[torch.Tensor, torch.Tensor, float]


class Change(ABC):
    """How a profile changes the head: the product of two factors, learnt together."""

    @abstractmethod
    def start(self, gradients: torch.Tensor) -> Start:
        """Return the first factors, and the penalty above which both would shrink to 0.

        gradients: [profiles, labels, d], by how much a change of the head lowers the loss of a profile's texts.
        """

    @abstractmethod
    def logits(self, factors: tuple[torch.Tensor, torch.Tensor], features: torch.Tensor, profiles: torch.Tensor) -> torch.Tensor:
        """Return what profiles [texts] add to the logits [texts, labels] of features [texts, d]."""

    @abstractmethod
    def rounded(self, factors: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the factors with what belongs to profiles rounded as it is stored, in int8."""

    @abstractmethod
    def stored(self, labels: int, d: int) -> Stored:
        """Return what the factors take."""


@dataclass(frozen=True)
class UserVector(Change):
    """r numbers of a profile, times r changes of the head that all profiles share: [profiles, r] and [r * labels, d]."""

    r: int

    def start(self, gradients: torch.Tensor) -> Start:
        """Return the r changes that explain most of the gradients of all profiles."""
        left, sizes, right = torch.linalg.svd(gradients.flatten(1), full_matrices=False)
        scale = FIRST_SIZE * (sizes[: self.r] / sizes[0].clamp(min=1e-12)).sqrt()
        changes = (right[: self.r] * scale[:, None]).reshape(-1, gradients.shape[2])
        return (left[:, : self.r] * scale).contiguous(), changes.contiguous(), sizes[0].item()

    def logits(self, factors: tuple[torch.Tensor, torch.Tensor], features: torch.Tensor, profiles: torch.Tensor) -> torch.Tensor:
        """Return the mix of the r changes' logits."""
        users, changes = factors
        return torch.einsum("nrc,nr->nc", (features @ changes.T).view(len(features), users.shape[1], -1), users[profiles])

    def rounded(self, factors: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return users' numbers in steps; all profiles share the scales, which the changes may hold."""
        return int8_steps(factors[0], 0), factors[1]

    def stored(self, labels: int, d: int) -> Stored:
        """Return a byte for each of the r numbers."""
        return Stored(profile=self.r, task=4 * self.r * labels * d, numbers=self.r)


class RankOne(Change):
    """A change of rank 1 for each profile: its outputs [profiles, labels] times its inputs [profiles, d]."""

    def start(self, gradients: torch.Tensor) -> Start:
        """Return the change of rank 1 that explains most of each profile's own gradient."""
        left, sizes, right = torch.linalg.svd(gradients, full_matrices=False)
        scale = FIRST_SIZE * (sizes[:, :1] / sizes.max().clamp(min=1e-12)).sqrt()
        return (left[:, :, 0] * scale).contiguous(), (right[:, 0] * scale).contiguous(), sizes.max().item()

    def logits(self, factors: tuple[torch.Tensor, torch.Tensor], features: torch.Tensor, profiles: torch.Tensor) -> torch.Tensor:
        """Return the outputs, each as large as the features point along the inputs."""
        outputs, inputs = factors
        return (features * inputs[profiles]).sum(1, keepdim=True) * outputs[profiles]

    def rounded(self, factors: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return both factors in steps."""
        return int8_steps(factors[0], 1), int8_steps(factors[1], 1)

    def stored(self, labels: int, d: int) -> Stored:
        """Return a byte for each number, and two scales."""
        return Stored(profile=labels + d + 2 * 4, numbers=labels + d)


def user_vector(data: DataSet, features: Features, kind: HeadKind, quiet: bool) -> Fitted:
    """Fit user vectors; dev chooses how many numbers a profile has."""
    return fit_changes(data, features, kind, [UserVector(r) for r in USER_NUMBERS], "user vectors", quiet)


def rank_one(data: DataSet, features: Features, kind: HeadKind, quiet: bool) -> Fitted:
    """Fit a change of rank 1 for each profile."""
    return fit_changes(data, features, kind, [RankOne()], "rank-1 changes", quiet)


def fit_changes(data: DataSet, features: Features, kind: HeadKind, changes: list[Change], name: str, quiet: bool) -> Fitted:
    """Return the fit whose change and penalty dev prefers."""
    alone = search_penalties(data, features, kind, "dev", name, quiet)
    inputs, mean, scale = standardized(features)
    alone = replace(alone, head=alone.head.of_standardized_features(mean, scale))
    gradients = profile_gradients(data, inputs["train"], alone.head)

    def tried() -> Iterator[Fitted]:
        without = alone.head.stored() if kind == "bias" else alone.head
        yield Fitted({split: without.split_logits(data, inputs, split) for split in inputs}, Stored(), settings_tried(kind))
        starts = [(change, change.start(gradients)) for change in changes]
        for (change, start), part in progress(list(product(starts, PENALTIES)), name, "setting", quiet):
            yield fit_change(data, inputs, kind, alone, change, start, part)

    return choose(data, tried())


def profile_gradients(data: DataSet, features: torch.Tensor, head: Head) -> torch.Tensor:
    """Return by how much a change of the head lowers the loss of each profile's training texts, [profiles, labels, d]."""
    targets = Targets.of(data.splits["train"])
    labels, weights = len(data.labels), targets.next_label_weights[:, None]
    next_labels = (targets.labels + 1).clamp(max=labels - 1)
    wanted = (1 - weights) * F.one_hot(targets.labels, labels) + weights * F.one_hot(next_labels, labels)
    missing = wanted - head.logits(features, targets.profiles).softmax(1)
    gradients = torch.zeros(len(data.profiles), labels, features.shape[1])
    for profile, indices in group_by_profile(data.splits["train"]).items():
        gradients[profile] = missing[indices].T @ features[indices]
    return gradients


def fit_change(data: DataSet, features: Features, kind: HeadKind, alone: Fit, change: Change, start: Start, part: float) -> Fitted:
    """Return the fit of head and changes under one penalty.

    features: standardized. alone: the best head without changes, for these features. part: of the penalty that would leave no change.
    """
    biases = first_bias(data, kind == "bias")
    first, second, largest = start[0].clone(), start[1].clone(), start[2]
    head = Head(alone.head.weight.clone(), alone.head.bias.clone(), alone.head.profile_bias.clone())
    learnt = [head.weight, head.bias, first, second, *([head.profile_bias] if kind == "bias" else [])]
    targets = Targets.of(data.splits["train"])

    def loss() -> torch.Tensor:
        logits = head.logits(features["train"], targets.profiles) + change.logits((first, second), features["train"], targets.profiles)
        penalty = (
            alone.penalties.weight * head.weight.square().sum()
            + alone.penalties.bias * (head.profile_bias - biases).square().sum()
            + part * largest * (first.square().sum() + second.square().sum())
        )
        return targets.loss(logits) + penalty / (2 * len(targets.labels))

    descend(learnt, loss)
    stored_head = head.stored() if kind == "bias" else head
    factors = change.rounded((first, second))
    logits = {}
    for split, values in features.items():
        profiles = Targets.of(data.splits[split]).profiles
        logits[split] = stored_head.logits(values, profiles) + change.logits(factors, values, profiles)
    return Fitted(logits, change.stored(len(data.labels), values.shape[1]))
