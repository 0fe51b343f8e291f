"""Linear heads over features that do not change any more: how a task's own head is finished, and how the baselines' heads are learnt.

Learning rate and number of passes are searched on the dev split, alike for the task and for the baselines: a baseline that was not tuned
proves nothing.
"""

from dataclasses import dataclass, replace
from itertools import product

import torch
import torch.nn.functional as F
from tqdm import tqdm

from xpeft.batches import random_source
from xpeft.data import DataSet, Split
from xpeft.evaluate import Indices, score
from xpeft.label_bias import stored_bias

LEARNING_RATES = (1e-3, 3e-3, 1e-2, 3e-2)
PASSES = (4, 12, 40)
TEXTS_PER_STEP = 64
# Fewer texts make smaller steps, not fewer: with a step or two a pass, neither weights nor biases would leave their start.
LEAST_STEPS_A_PASS = 16

# Features [texts, d] of each split that has texts.
Features = dict[Split, torch.Tensor]


@dataclass(frozen=True)
class Head:
    """weight [labels, d], bias [labels] and a bias for each profile, [profiles, labels], all zero unless it was asked for."""

    weight: torch.Tensor
    bias: torch.Tensor
    own: torch.Tensor

    def stored(self) -> "Head":
        """The head as it is stored: same logits, but for int8's steps and range, with the profiles' biases 0 in the mean.

        So the default profile, which has no bias, gives each label about as often as everybody does.
        """
        mean = self.own.mean(0)
        return replace(self, bias=self.bias + mean, own=stored_bias(self.own - mean))

    def predict(self, data: DataSet, features: Features, split: Split) -> Indices:
        """Label index of each text of a split; the lowest of equal ones."""
        profiles = [example.profile for example in data.splits[split]]
        predicted: Indices = (features[split] @ self.weight.T + self.bias + self.own[profiles]).argmax(1).numpy()
        return predicted


def search_head(data: DataSet, features: Features, own_bias: bool, chosen_on: Split, seed: int, name: str, quiet: bool) -> Head:
    """The best head of a grid on the split `chosen_on`: by mean absolute error where labels are numbers, else by macro accuracy."""

    def loss(head: Head) -> float:
        scores = score(head.predict(data, features, chosen_on), data.splits[chosen_on], data.labels)
        return scores.get("mae", -scores["macro"])

    grid = tqdm(list(product(LEARNING_RATES, PASSES)), desc=name, unit="setting", disable=quiet)
    return min((fit_head(data, features["train"], own_bias, rate, passes, seed) for rate, passes in grid), key=loss)


def fit_head(data: DataSet, features: torch.Tensor, own_bias: bool, rate: float, passes: int, seed: int) -> Head:
    """Train one head on the train split's features with AdamW, the rate falling linearly to 0."""
    examples = data.splits["train"]
    profiles = torch.tensor([example.profile for example in examples])
    labels = torch.tensor([example.label for example in examples])
    source = random_source(seed, passes)
    weight = (torch.randn(len(data.labels), features.shape[1], generator=source) * 0.02).requires_grad_()
    bias = torch.zeros(len(data.labels), requires_grad=True)
    own = torch.zeros(len(data.profiles), len(data.labels), requires_grad=own_bias)
    optimizer = torch.optim.AdamW([weight, bias, *([own] if own_bias else [])], lr=rate, weight_decay=0.0, fused=True)
    texts_a_step = -(-len(examples) // max(-(-len(examples) // TEXTS_PER_STEP), LEAST_STEPS_A_PASS))
    steps_a_pass = -(-len(examples) // texts_a_step)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / (passes * steps_a_pass))
    for _ in range(passes):
        for chunk in torch.randperm(len(examples), generator=source).split(texts_a_step):
            logits = features[chunk] @ weight.T + bias + own[profiles[chunk]]
            optimizer.zero_grad()
            F.cross_entropy(logits, labels[chunk]).backward()
            optimizer.step()
            scheduler.step()
    return Head(weight.detach(), bias.detach(), own.detach())
