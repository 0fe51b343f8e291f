"""Batches for training: each step has groups of texts of many profiles, and all texts of a group have one profile.

Planning an epoch takes time in proportion to the texts: a million are planned in seconds.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from xpeft.data import Example

if TYPE_CHECKING:
    from xpeft.trunk_cache import TrunkCache

# Random tokens added to a length before sorting, so that a profile's texts meet other neighbours in each epoch.
JITTER_TOKENS = 6

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Step:
    """A step's groups: the row of the tables of each, [G], and the indices of its texts, [G, M]."""

    rows: Indices
    texts: Indices


@dataclass(frozen=True)
class Batch:
    """Texts of G groups, M a group, padded on the right; all tensors on one device."""

    rows: torch.Tensor  # [G] row of each group in the profiles' tables
    ids: torch.Tensor  # [G*M, T]
    types: torch.Tensor  # [G*M, T]
    lengths: torch.Tensor  # [G*M]
    labels: torch.Tensor  # [G*M]
    next_label_weights: torch.Tensor | None  # [G*M], how much of each target lies on the next label; None for nothing
    residuals: torch.Tensor | None = None  # [G*M, T, d] float32, of the first layer that profiles change, if they are cached


def collate(
    rows: Sequence[int] | Indices, examples: Sequence[Example], pad_id: int, device: torch.device, trunks: "TrunkCache | None" = None
) -> Batch:
    """Return a batch of examples, in order, with as many examples for each of `rows`. trunks: the cache that has their residuals."""
    longest = max(len(example.ids) for example in examples)
    weights = [example.next_label_weight for example in examples]
    return Batch(
        rows=torch.tensor(rows, device=device),
        ids=torch.tensor([example.ids + [pad_id] * (longest - len(example.ids)) for example in examples], device=device),
        types=torch.tensor([example.types + [0] * (longest - len(example.types)) for example in examples], device=device),
        lengths=torch.tensor([len(example.ids) for example in examples], device=device),
        labels=torch.tensor([example.label for example in examples], device=device),
        next_label_weights=torch.tensor(weights, device=device) if any(weights) else None,
        residuals=trunks.residuals(examples, longest).to(device) if trunks else None,
    )


def seeded_generator(*key: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a device's generator, seeded by the numbers alone, so that a resumed run draws what an uninterrupted run draws."""
    seed = 0
    for part in key:
        seed = (seed * 1_000_003 + part + 1) % (2**63 - 1)
    return torch.Generator(device).manual_seed(seed)


def steps_per_epoch(examples: Sequence[Example], groups_per_step: int, texts_per_group: int) -> int:
    """Return the number of steps of each epoch."""
    groups = sum(-(-count // texts_per_group) for count in Counter(example.profile for example in examples).values())
    return -(-groups // groups_per_step)


def epoch_steps(
    examples: Sequence[Example], groups_per_step: int, texts_per_group: int, default_row: int | None, generator: torch.Generator
) -> list[Step]:
    """Return the steps of one epoch, in random order.

    Every text occurs once under its own profile. A profile's last group is filled up with its first texts. If `default_row` names the
    default profile's row, each step has one more group with texts of any profile, none longer than the step's longest. Texts of similar
    length go together, because padding costs time too: it saves a third on headlines.
    """
    lengths = np.array([len(example.ids) for example in examples])
    profiles = np.array([example.profile for example in examples])
    places = lengths + torch.rand(len(examples), generator=generator).mul(JITTER_TOKENS).numpy()
    order = np.lexsort((places, profiles))
    rows, first, counts = np.unique(profiles[order], return_index=True, return_counts=True)
    groups = -(-counts // texts_per_group)
    # The number of each group among those of its profile.
    number = np.arange(groups.sum()) - np.repeat(groups.cumsum() - groups, groups)
    rows, first, counts = (np.repeat(of_profile, groups)[:, None] for of_profile in (rows, first, counts))
    texts = order[first + (number[:, None] * texts_per_group + np.arange(texts_per_group)) % counts]
    ranked = places[texts].max(1).argsort(kind="stable")
    starts = range(groups_per_step, len(ranked), groups_per_step)
    steps = [Step(rows[chosen, 0], texts[chosen]) for chosen in np.split(ranked, starts)]
    if default_row is not None:
        steps = with_default_groups(steps, lengths, default_row, generator)
    return [steps[index] for index in torch.randperm(len(steps), generator=generator).tolist()]


def with_default_groups(steps: list[Step], lengths: Indices, default_row: int, generator: torch.Generator) -> list[Step]:
    """Return the steps with one more group each, of any texts that are no longer than the step's longest, under `default_row`."""
    by_length = lengths.argsort(kind="stable")
    fitting = np.searchsorted(lengths[by_length], [lengths[step.texts].max() for step in steps], side="right")
    drawn = torch.rand(len(steps), steps[0].texts.shape[1], generator=generator, dtype=torch.float64).numpy() * fitting[:, None]
    added = by_length[drawn.astype(np.int64)]
    return [
        Step(np.append(step.rows, default_row), np.concatenate([step.texts, texts[None]])) for step, texts in zip(steps, added, strict=True)
    ]
