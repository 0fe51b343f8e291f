"""Fits linear heads on frozen features: the task's final head and the heads of the baselines.

A fit minimizes the cross entropy of the train split plus two penalties: on the weights, and on what label biases differ from their start,
the log-ratio of label counts. The problem is convex, so a fit has no learning rate, no seed and no number of passes. The penalties are
chosen by the cross entropy of held-out texts, for the task and for the baselines alike. A baseline without tuning proves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch

from xpeft.data import DataSet, Example, group_by_profile
from xpeft.features import Features
from xpeft.label_bias import first_bias, stored_bias
from xpeft.linear_fit import CPU, LinearFit, Penalties, Targets, minimize
from xpeft.progress import progress
from xpeft.records import Split
from xpeft.scores import Indices

# From strong to weak: each fit starts at the one before, and its way is short.
WEIGHT_PENALTIES = (5000.0, 2000.0, 1000.0, 500.0, 200.0, 100.0, 50.0, 20.0)
BIAS_PENALTIES = (100.0, 30.0, 3.0, 1.0)
# Without a dev split, every fifth text of each profile is held out while penalties are chosen.
HELD_OUT_EVERY = 5
# Constant features, as of a single text, would have a scale of 0.
SMALLEST_SCALE = 1e-6

# Whose the head is: all profiles share it, share it with a label bias for each profile, or each profile has its own.
HeadKind = Literal["shared", "bias", "own"]


@dataclass(frozen=True)
class Head:
    """A linear head.

    weight: [labels, d], or [profiles, labels, d] if each profile has its own. bias: [labels]. profile_bias: [profiles, labels].
    """

    weight: torch.Tensor
    bias: torch.Tensor
    profile_bias: torch.Tensor

    def stored(self) -> "Head":
        """Return the head as it is stored: label biases in int8 steps, with mean 0 over the profiles.

        The default profile has no label bias. With mean 0, it gives each label about as often as all profiles together.
        """
        mean = self.profile_bias.mean(0)
        return replace(self, bias=self.bias + mean, profile_bias=stored_bias(self.profile_bias - mean))

    def logits(self, features: torch.Tensor, profiles: torch.Tensor) -> torch.Tensor:
        """Return logits [texts, labels] of features [texts, d] of profiles [texts]."""
        if self.weight.dim() == 2:
            return features @ self.weight.T + self.bias + self.profile_bias[profiles]
        return torch.einsum("td,tld->tl", features, self.weight[profiles]) + self.bias + self.profile_bias[profiles]

    def split_logits(self, data: DataSet, features: Features, split: Split) -> torch.Tensor:
        """Return logits [texts, labels] of a split."""
        return self.logits(features[split], torch.tensor([example.profile for example in data.splits[split]]))

    def predict(self, data: DataSet, features: Features, split: Split) -> Indices:
        """Return the label index of each text of a split; among equal logits, the lowest."""
        predicted: Indices = self.split_logits(data, features, split).argmax(1).numpy()
        return predicted

    def of_raw_features(self, mean: torch.Tensor, scale: torch.Tensor) -> "Head":
        """Return the head that gives features x the logits that this one gives (x - mean) / scale."""
        weight = self.weight / scale
        return Head(weight, *self._moved(-weight @ mean))

    def of_standardized_features(self, mean: torch.Tensor, scale: torch.Tensor) -> "Head":
        """Return the head that gives (x - mean) / scale the logits that this one gives features x."""
        return Head(self.weight * scale, *self._moved(self.weight @ mean))

    def _moved(self, by: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the biases, with `by` added to whichever has its shape: those of all profiles, or of each."""
        return (self.bias + by, self.profile_bias) if by.dim() == 1 else (self.bias, self.profile_bias + by)


@dataclass(frozen=True)
class Fit:
    """A head with its penalties, and the cross entropy of held-out texts under it."""

    penalties: Penalties
    head: Head
    loss: float


def settings_tried(kind: HeadKind) -> int:
    """Return how many settings `search_head` tries."""
    return len(WEIGHT_PENALTIES) + (len(BIAS_PENALTIES) if kind == "bias" else 0)


def search_head(
    data: DataSet, features: Features, kind: HeadKind, chosen_on: Split, name: str, quiet: bool, device: torch.device = CPU
) -> Head:
    """Return the head, fitted on the train split, whose penalties give the least cross entropy on the split `chosen_on`.

    If that is the train split itself, penalties are chosen on held-out texts of it, and the head is fitted again on all. device: where
    fits are computed.
    """
    if chosen_on != "train":
        return search_penalties(data, features, kind, chosen_on, name, quiet, device).head
    texts = data.splits["train"]
    fitted, held_out = hold_out(texts)
    parts = replace(data, splits={"train": [texts[index] for index in fitted], "dev": [texts[index] for index in held_out], "test": []})
    known: Features = {"train": features["train"][fitted], "dev": features["train"][held_out]}
    best = search_penalties(parts, known, kind, "dev", name, quiet, device)
    return fit_head(data, features["train"], kind, best.penalties, device=device)


def hold_out(examples: Sequence[Example]) -> tuple[list[int], list[int]]:
    """Return the indices of the texts to fit on, and of the held-out texts: every fifth of each profile, or the last of all."""
    held_out = {index for indices in group_by_profile(examples).values() for index in indices[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]}
    held_out = held_out or {len(examples) - 1}
    return [index for index in range(len(examples)) if index not in held_out] or [0], sorted(held_out)


def search_penalties(
    data: DataSet, features: Features, kind: HeadKind, chosen_on: Split, name: str, quiet: bool, device: torch.device = CPU
) -> Fit:
    """Return the fit with the least cross entropy on a split.

    The weights' penalty is chosen first, then the biases': the best of one hardly depends on the other.
    """
    held_out = Targets.of(data.splits[chosen_on])

    def tried(candidates: list[Penalties], start: Head | None, what: str) -> list[Fit]:
        fits = []
        for penalties in progress(candidates, f"{name}, {what}", "setting", quiet):
            start = fit_head(data, features["train"], kind, penalties, start, device)
            fits.append(Fit(penalties, start, held_out.loss(start.logits(features[chosen_on], held_out.profiles)).item()))
        return fits

    fits = tried([Penalties(weight) for weight in WEIGHT_PENALTIES], None, "weights")
    if kind == "bias":
        best = min(fits, key=lambda fit: fit.loss)
        fits += tried([replace(best.penalties, bias=bias) for bias in BIAS_PENALTIES], best.head, "label biases")
    return min(fits, key=lambda fit: fit.loss)


def fit_head(
    data: DataSet,
    features: torch.Tensor,
    kind: HeadKind,
    penalties: Penalties,
    start: Head | None = None,
    device: torch.device = CPU,
) -> Head:
    """Return the head that fits the train split's features [texts, d]. start: a head of the same kind, to begin the search at."""
    mean, scale = feature_scale(features)
    # In place: the features of millions of texts take gigabytes.
    standardized, targets = (features - mean).div_(scale), Targets.of(data.splits["train"])
    if kind == "own":
        return fit_own_heads(data, standardized, targets, penalties, device).of_raw_features(mean, scale)
    biases = first_bias(data, kind == "bias")
    before = start and start.of_standardized_features(mean, scale)
    first = LinearFit(before.weight, before.bias, before.profile_bias - biases) if before else LinearFit.zero(features.shape[1], biases)
    fit = minimize(standardized, targets, biases, kind == "bias", penalties, first, device)
    return Head(fit.weight, fit.bias, biases + fit.change).of_raw_features(mean, scale)


def feature_scale(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean [d] of features [texts, d], and one scale for all their numbers."""
    return features.mean(0), features.std(0, correction=0).mean().clamp(min=SMALLEST_SCALE)


def fit_own_heads(data: DataSet, features: torch.Tensor, targets: Targets, penalties: Penalties, device: torch.device) -> Head:
    """Return a head whose weights and biases each profile learns from its own texts alone."""
    allowed = data.label_set_bias()
    weights, biases = torch.zeros(*allowed.shape, features.shape[1]), allowed.clone()
    for profile, indices in group_by_profile(data.splits["train"]).items():
        rows = torch.tensor(indices)
        own = replace(targets.of_rows(rows), profiles=torch.zeros_like(rows))
        start = LinearFit.zero(features.shape[1], allowed[:1])
        fit = minimize(features[rows], own, allowed[profile : profile + 1], False, penalties, start, device)
        weights[profile], biases[profile] = fit.weight, allowed[profile] + fit.bias
    return Head(weights, torch.zeros(len(data.labels)), biases)
