"""Nearest neighbours among a profile's own training texts: a profile is its texts' features, in int8."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import torch
import torch.nn.functional as F

from xpeft.data import DataSet, group_by_profile
from xpeft.features import Features
from xpeft.heads import HeadKind
from xpeft.linear_fit import Targets
from xpeft.peers.feature_method import Fitted, Logits, Stored, choose, int8_steps
from xpeft.progress import progress
from xpeft.records import Split

# Neighbours that vote, how much faster a nearer one's weight grows than its cosine, and texts of all profiles' label distribution.
NEIGHBOURS = (3, 10, 30, 100)
SHARPNESS = (0.0, 5.0, 10.0, 20.0)
PRIOR_TEXTS = (1.0, 3.0, 10.0)


@dataclass(frozen=True)
class Neighbours:
    """The nearest training texts of each text's profile, the nearest first: cosines and indices, [texts, most]. Of none, -inf."""

    cosines: torch.Tensor
    indices: torch.Tensor


def neighbours(data: DataSet, features: Features, _kind: HeadKind, quiet: bool) -> Fitted:
    """Return the best vote of a profile's own texts. It has no head, and no label bias: votes tell how often a profile gives a label."""
    mean = features["train"].mean(0)
    unit: Features = {split: F.normalize(int8_steps(values - mean, 1), dim=1) for split, values in features.items()}
    found: dict[Split, Neighbours] = {split: nearest(data, unit, split) for split in unit if split != "train"}
    a_profile = len(data.splits["train"]) / len(data.profiles) * (features["train"].shape[1] + 1)

    def tried() -> Iterator[Fitted]:
        grid = list(product(NEIGHBOURS, SHARPNESS, PRIOR_TEXTS))
        for count, sharpness, prior in progress(grid, "neighbours", "setting", quiet):
            logits: Logits = {split: votes(data, split, texts, count, sharpness, prior) for split, texts in found.items()}
            yield Fitted(logits, Stored(profile=round(a_profile), head=False))

    return choose(data, tried())


def nearest(data: DataSet, unit: Features, split: Split) -> Neighbours:
    """Return the neighbours of a split's texts. unit: features of length 1."""
    most, own = max(NEIGHBOURS), group_by_profile(data.splits["train"])
    cosines = torch.full((len(unit[split]), most), -torch.inf)
    indices = torch.zeros(cosines.shape, dtype=torch.long)
    for profile, asking in group_by_profile(data.splits[split]).items():
        texts = torch.tensor(own[profile], dtype=torch.long)
        best = (unit[split][asking] @ unit["train"][texts].T).topk(min(most, len(texts)), dim=1)
        cosines[asking, : len(best.values[0])] = best.values
        indices[asking, : len(best.values[0])] = texts[best.indices]
    return Neighbours(cosines, indices)


def votes(data: DataSet, split: Split, found: Neighbours, count: int, sharpness: float, prior: float) -> torch.Tensor:
    """Return the logarithm of the votes for each label, [texts, labels]."""
    train, labels = Targets.of(data.splits["train"]), len(data.labels)
    overall = torch.bincount(train.labels, minlength=labels) + 1.0
    said = (prior * overall / overall.sum()).repeat(len(found.cosines), 1)
    indices, between = found.indices[:, :count], train.next_label_weights[found.indices[:, :count]]
    weights = (found.cosines[:, :count] * sharpness).exp() if sharpness else found.cosines[:, :count].isfinite().float()
    weights = weights / weights.amax(1, keepdim=True).clamp(min=1e-12)
    said.scatter_add_(1, train.labels[indices], weights * (1 - between))
    said.scatter_add_(1, (train.labels[indices] + 1).clamp(max=labels - 1), weights * between)
    return said.log() + data.label_set_bias()[Targets.of(data.splits[split]).profiles]
