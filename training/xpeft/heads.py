"""Fits linear heads on frozen features: the task's final head and the heads of the baselines.

Learning rate and number of passes are chosen on the dev split, for the task and for the baselines alike. A baseline without tuning proves
nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import torch

from xpeft.batches import seeded_generator
from xpeft.data import DataSet
from xpeft.features import Features
from xpeft.label_bias import stored_bias
from xpeft.profile_model import target_loss
from xpeft.progress import progress
from xpeft.records import Split
from xpeft.scores import Indices, score

LEARNING_RATES = (1e-3, 3e-3, 1e-2, 3e-2)
PASSES = (4, 12, 40)
TEXTS_PER_STEP = 64
# Few texts give smaller steps, not fewer: with one or two steps a pass, weights and biases would stay at their start.
MIN_STEPS_PER_PASS = 16

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


def search_head(
    data: DataSet,
    features: Features,
    kind: HeadKind,
    chosen_on: Split,
    seed: int,
    name: str,
    quiet: bool,
    loss: Callable[[torch.Tensor], float],
) -> Head:
    """Return the head of a grid whose logits on the split `chosen_on` have the smallest `loss`."""
    grid = progress(list(product(LEARNING_RATES, PASSES)), name, "setting", quiet)
    heads = (fit_head(data, features["train"], kind, rate, passes, seed) for rate, passes in grid)
    return min(heads, key=lambda head: loss(head.split_logits(data, features, chosen_on)))


def label_loss(data: DataSet, split: Split) -> Callable[[torch.Tensor], float]:
    """Return a loss of a split's logits: the mean absolute error if labels are numbers, else the negative macro accuracy."""

    def loss(logits: torch.Tensor) -> float:
        scores = score(logits.argmax(1).numpy(), data.splits[split], data.labels)
        return scores.get("mae", -scores["macro"])

    return loss


def fit_head(data: DataSet, features: torch.Tensor, kind: HeadKind, rate: float, passes: int, seed: int) -> Head:
    """Return a head trained on the train split's features with AdamW; the rate falls linearly to 0."""
    examples = data.splits["train"]
    profiles = torch.tensor([example.profile for example in examples])
    labels = torch.tensor([example.label for example in examples])
    next_label_weights = torch.tensor([example.next_label_weight for example in examples])
    generator = seeded_generator(seed, passes)
    weight = torch.randn(len(data.labels), features.shape[1], generator=generator) * 0.02
    if kind == "own":
        weight = weight.repeat(len(data.profiles), 1, 1)
    head = Head(weight, torch.zeros(len(data.labels)), data.label_set_bias())
    parameters = {
        "shared": [head.weight, head.bias],
        "bias": [head.weight, head.bias, head.profile_bias],
        "own": [head.weight, head.profile_bias],
    }[kind]
    for parameter in parameters:
        parameter.requires_grad_()
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.0, fused=True)
    texts_per_step = -(-len(examples) // max(-(-len(examples) // TEXTS_PER_STEP), MIN_STEPS_PER_PASS))
    steps_per_pass = -(-len(examples) // texts_per_step)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / (passes * steps_per_pass))
    for _ in range(passes):
        for chunk in torch.randperm(len(examples), generator=generator).split(texts_per_step):
            optimizer.zero_grad()
            target_loss(head.logits(features[chunk], profiles[chunk]), labels[chunk], next_label_weights[chunk]).backward()
            optimizer.step()
            scheduler.step()
    return Head(head.weight.detach(), head.bias.detach(), head.profile_bias.detach())
