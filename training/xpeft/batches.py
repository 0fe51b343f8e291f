"""Batches for training: each step has groups of texts of many profiles, and all texts of a group have one profile."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from xpeft.data import Example

if TYPE_CHECKING:
    from xpeft.trunk_cache import TrunkCache

# Random tokens added to a length before sorting, so that a profile's texts meet other neighbours in each epoch.
JITTER_TOKENS = 6

# A step's groups: the row of the table of each, and the indices of its texts.
Step = list[tuple[int, list[int]]]


@dataclass(frozen=True)
class Batch:
    """Texts of G groups, M a group, padded on the right; all tensors on one device."""

    rows: torch.Tensor  # [G] row of each group in the profiles' tables
    ids: torch.Tensor  # [G*M, T]
    types: torch.Tensor  # [G*M, T]
    lengths: torch.Tensor  # [G*M]
    labels: torch.Tensor  # [G*M]
    next_label_weights: torch.Tensor  # [G*M], how much of each target lies on the next label
    residuals: torch.Tensor | None = None  # [G*M, T, d] float32, of the first layer that profiles change, if they are cached


def collate(
    rows: Sequence[int], examples: Sequence[Example], pad_id: int, device: torch.device, trunks: "TrunkCache | None" = None
) -> Batch:
    """Return a batch of examples, in order, with as many examples for each of `rows`. trunks: the cache that has their residuals."""
    longest = max(len(example.ids) for example in examples)
    return Batch(
        rows=torch.tensor(list(rows), device=device),
        ids=torch.tensor([example.ids + [pad_id] * (longest - len(example.ids)) for example in examples], device=device),
        types=torch.tensor([example.types + [0] * (longest - len(example.types)) for example in examples], device=device),
        lengths=torch.tensor([len(example.ids) for example in examples], device=device),
        labels=torch.tensor([example.label for example in examples], device=device),
        next_label_weights=torch.tensor([example.next_label_weight for example in examples], device=device),
        residuals=trunks.residuals(examples, longest).to(device) if trunks else None,
    )


def seeded_generator(*key: int) -> torch.Generator:
    """Return a generator seeded by the numbers alone, so that a resumed run draws what an uninterrupted run draws."""
    seed = 0
    for part in key:
        seed = (seed * 1_000_003 + part + 1) % (2**63 - 1)
    return torch.Generator().manual_seed(seed)


def epoch_steps(
    examples: Sequence[Example], groups_per_step: int, texts_per_group: int, default_row: int | None, generator: torch.Generator
) -> list[Step]:
    """Return the steps of one epoch, in random order.

    Every text occurs once under its own profile. A profile's last group is filled up with its first texts. If `default_row` names the
    default profile's row, each step has one more group with texts of any profile. Texts of similar length go together, because
    padding costs time too: it saves a third on headlines.
    """
    jitter = torch.rand(len(examples), generator=generator).mul(JITTER_TOKENS).tolist()
    texts: dict[int, list[int]] = defaultdict(list)
    for index in sorted(range(len(examples)), key=lambda index: len(examples[index].ids) + jitter[index]):
        texts[examples[index].profile].append(index)
    groups = []
    for profile, indices in texts.items():
        for start in range(0, len(indices), texts_per_group):
            group = indices[start : start + texts_per_group]
            while len(group) < texts_per_group:
                group.append(indices[len(group) % len(indices)])
            groups.append((profile, group))
    groups.sort(key=lambda group: max(len(examples[index].ids) + jitter[index] for index in group[1]))
    steps = [groups[start : start + groups_per_step] for start in range(0, len(groups), groups_per_step)]
    if default_row is not None:
        add_default_groups(steps, examples, texts_per_group, default_row, generator)
    return [steps[index] for index in torch.randperm(len(steps), generator=generator).tolist()]


def add_default_groups(
    steps: list[Step], examples: Sequence[Example], texts_per_group: int, default_row: int, generator: torch.Generator
) -> None:
    """Add to each step a group of any texts, none longer than the step's longest, under `default_row`."""
    longest = [max(len(examples[index].ids) for _, group in step for index in group) for step in steps]
    for step, tokens in zip(steps, longest, strict=True):
        shuffled = torch.randperm(len(examples), generator=generator).tolist()
        fitting = [index for index in shuffled if len(examples[index].ids) <= tokens]
        step.append((default_row, [fitting[position % len(fitting)] for position in range(texts_per_group)]))
