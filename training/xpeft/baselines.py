"""What masks are measured against, on the same frozen PLM: the majority label, a shared head, a shared head with a label bias per profile.

Both heads learn from features computed once. Their learning rate and number of passes are searched for each task, which the masks' are not:
a baseline that was not tuned proves nothing.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from xpeft.batches import random_source
from xpeft.data import DataSet, Example
from xpeft.evaluate import Indices, by_profile, score

LEARNING_RATES = (1e-3, 3e-3, 1e-2, 3e-2)
PASSES = (4, 12, 40)
TEXTS_PER_STEP = 64


def majority(train: Sequence[Example], asked: Sequence[Example]) -> Indices:
    """For each example, the label that its profile has most often in training; the smallest index of several."""
    most = {profile: int(np.bincount([train[index].label for index in own]).argmax()) for profile, own in by_profile(train).items()}
    return np.array([most[example.profile] for example in asked])


def shared_head(data: DataSet, features: dict[str, torch.Tensor], bias: bool, chosen_on: str, seed: int, quiet: bool) -> dict[str, Indices]:
    """Predictions of every split by a head over frozen features, with a bias per profile and label if `bias`; the best on `chosen_on`."""
    best: dict[str, Indices] = {}
    best_macro = -1.0
    grid = list(product(LEARNING_RATES, PASSES))
    name = "head + label bias" if bias else "head alone"
    for rate, passes in tqdm(grid, desc=name, unit="setting", disable=quiet):
        predicted = fit_head(data, features, bias, rate, passes, seed)
        macro = score(predicted[chosen_on], data.splits[chosen_on], data.labels)["macro"]  # type: ignore[index]
        if macro > best_macro:
            best, best_macro = predicted, macro
    return best


def fit_head(data: DataSet, features: dict[str, torch.Tensor], bias: bool, rate: float, passes: int, seed: int) -> dict[str, Indices]:
    """Train one head with AdamW, the rate falling linearly to 0; predictions of every split."""
    examples = data.splits["train"]
    profiles = torch.tensor([example.profile for example in examples])
    labels = torch.tensor([example.label for example in examples])
    source = random_source(seed, passes)
    weight = (torch.randn(len(data.labels), features["train"].shape[1], generator=source) * 0.02).requires_grad_()
    shared = torch.zeros(len(data.labels), requires_grad=True)
    own = torch.zeros(len(data.profiles), len(data.labels), requires_grad=bias)
    optimizer = torch.optim.AdamW([weight, shared, *([own] if bias else [])], lr=rate, weight_decay=0.0)
    steps = passes * -(-len(examples) // TEXTS_PER_STEP)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    for _ in range(passes):
        for chunk in torch.chunk(torch.randperm(len(examples), generator=source), steps // passes):
            logits = features["train"][chunk] @ weight.T + shared + own[profiles[chunk]]
            optimizer.zero_grad()
            F.cross_entropy(logits, labels[chunk]).backward()
            optimizer.step()
            scheduler.step()
    with torch.no_grad():
        return {
            split: (features[split] @ weight.T + shared + own[[example.profile for example in asked]]).argmax(1).numpy()
            for split, asked in data.splits.items()
            if asked
        }
