"""Linear heads over features that do not change any more: how a task's own head is finished, and how the baselines' heads are learnt.

Learning rate and number of passes are searched on the dev split, alike for the task and for the baselines: a baseline that was not tuned
proves nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import torch
from tqdm import tqdm

from xpeft.batches import seeded_generator
from xpeft.data import DataSet, Split
from xpeft.features import Features
from xpeft.label_bias import stored_bias
from xpeft.profile_model import target_loss
from xpeft.scores import Indices, score

LEARNING_RATES = (1e-3, 3e-3, 1e-2, 3e-2)
PASSES = (4, 12, 40)
TEXTS_PER_STEP = 64
# Fewer texts make smaller steps, not fewer: with a step or two a pass, neither weights nor biases would leave their start.
LEAST_STEPS_A_PASS = 16

# Whose the head is: all profiles', the same with a bias for each label of each profile, or each profile's own.
HeadKind = Literal["shared", "bias", "own"]


@dataclass(frozen=True)
class Head:
    """weight [labels, d], or [profiles, labels, d] where profiles have heads; bias [labels]; profile_bias [profiles, labels]."""

    weight: torch.Tensor
    bias: torch.Tensor
    profile_bias: torch.Tensor

    def stored(self) -> "Head":
        """The head as it is stored: same logits, but for int8's steps and range, with the profiles' biases 0 in the mean.

        So the default profile, which has no bias, gives each label about as often as everybody does.
        """
        mean = self.profile_bias.mean(0)
        return replace(self, bias=self.bias + mean, profile_bias=stored_bias(self.profile_bias - mean))

    def logits(self, features: torch.Tensor, profiles: torch.Tensor) -> torch.Tensor:
        """Logits [texts, labels] of features [texts, d] of profiles [texts]."""
        if self.weight.dim() == 2:
            return features @ self.weight.T + self.bias + self.profile_bias[profiles]
        return torch.einsum("td,tld->tl", features, self.weight[profiles]) + self.bias + self.profile_bias[profiles]

    def split_logits(self, data: DataSet, features: Features, split: Split) -> torch.Tensor:
        """Logits [texts, labels] of a split."""
        return self.logits(features[split], torch.tensor([example.profile for example in data.splits[split]]))

    def predict(self, data: DataSet, features: Features, split: Split) -> Indices:
        """Label index of each text of a split; the lowest of equal ones."""
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
    """The head of a grid whose logits on the split `chosen_on` have the smallest `loss`."""
    grid = tqdm(list(product(LEARNING_RATES, PASSES)), desc=name, unit="setting", disable=quiet)
    heads = (fit_head(data, features["train"], kind, rate, passes, seed) for rate, passes in grid)
    return min(heads, key=lambda head: loss(head.split_logits(data, features, chosen_on)))


def label_loss(data: DataSet, split: Split) -> Callable[[torch.Tensor], float]:
    """How bad logits of a split are: mean absolute error where labels are numbers, else macro accuracy."""

    def loss(logits: torch.Tensor) -> float:
        scores = score(logits.argmax(1).numpy(), data.splits[split], data.labels)
        return scores.get("mae", -scores["macro"])

    return loss


def fit_head(data: DataSet, features: torch.Tensor, kind: HeadKind, rate: float, passes: int, seed: int) -> Head:
    """Train one head on the train split's features with AdamW, the rate falling linearly to 0."""
    examples = data.splits["train"]
    profiles = torch.tensor([example.profile for example in examples])
    labels = torch.tensor([example.label for example in examples])
    shares = torch.tensor([example.share for example in examples])
    source = seeded_generator(seed, passes)
    weight = torch.randn(len(data.labels), features.shape[1], generator=source) * 0.02
    if kind == "own":
        weight = weight.repeat(len(data.profiles), 1, 1)
    head = Head(weight, torch.zeros(len(data.labels)), data.label_set_bias())
    learnt = {
        "shared": [head.weight, head.bias],
        "bias": [head.weight, head.bias, head.profile_bias],
        "own": [head.weight, head.profile_bias],
    }[kind]
    for part in learnt:
        part.requires_grad_()
    optimizer = torch.optim.AdamW(learnt, lr=rate, weight_decay=0.0, fused=True)
    texts_a_step = -(-len(examples) // max(-(-len(examples) // TEXTS_PER_STEP), LEAST_STEPS_A_PASS))
    steps_a_pass = -(-len(examples) // texts_a_step)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / (passes * steps_a_pass))
    for _ in range(passes):
        for chunk in torch.randperm(len(examples), generator=source).split(texts_a_step):
            optimizer.zero_grad()
            target_loss(head.logits(features[chunk], profiles[chunk]), labels[chunk], shares[chunk]).backward()
            optimizer.step()
            scheduler.step()
    return Head(head.weight.detach(), head.bias.detach(), head.profile_bias.detach())
