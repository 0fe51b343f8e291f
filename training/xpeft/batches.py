"""Which texts go into which training step: groups of texts of one profile, many profiles a step."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from xpeft.data import Example

# Enough that a profile's texts meet other companions in each epoch.
JITTER_TOKENS = 6


@dataclass(frozen=True)
class Batch:
    """Texts of G groups, M a group, padded on the right; all on one device."""

    rows: torch.Tensor  # [G] row of each group in the mask table
    ids: torch.Tensor  # [G*M, T]
    types: torch.Tensor  # [G*M, T]
    lengths: torch.Tensor  # [G*M]
    labels: torch.Tensor  # [G*M]
    shares: torch.Tensor  # [G*M], how much of each target lies on the next label


def collate(rows: Sequence[int], examples: Sequence[Example], pad_id: int, device: torch.device) -> Batch:
    """Batch of examples, the same number for each of `rows`, in order."""
    longest = max(len(example.ids) for example in examples)
    ids = torch.full((len(examples), longest), pad_id)
    types = torch.zeros_like(ids)
    for index, example in enumerate(examples):
        ids[index, : len(example.ids)] = torch.tensor(example.ids)
        types[index, : len(example.ids)] = torch.tensor(example.types)
    return Batch(
        rows=torch.tensor(list(rows), device=device),
        ids=ids.to(device),
        types=types.to(device),
        lengths=torch.tensor([len(example.ids) for example in examples], device=device),
        labels=torch.tensor([example.label for example in examples], device=device),
        shares=torch.tensor([example.share for example in examples], device=device),
    )


def seeded_generator(*key: int) -> torch.Generator:
    """A generator that depends on the numbers given and nothing else: a resumed run draws what the unbroken one would have drawn."""
    seed = 0
    for part in key:
        seed = (seed * 1_000_003 + part + 1) % (2**63 - 1)
    return torch.Generator().manual_seed(seed)


def epoch_steps(
    examples: Sequence[Example], groups_per_step: int, texts_per_group: int, default_row: int | None, source: torch.Generator
) -> list[list[tuple[int, list[int]]]]:
    """One epoch: for each step its groups, as (row of the mask table, indices into `examples`).

    Every text comes once for its own profile; a profile's last group is filled up from its first texts. Each step has one group
    more, of any texts, for the task's default profile, if `default_row` names it. Texts of like length go together, as every padded
    token is computed: a third less work on headlines.
    """
    jitter = torch.rand(len(examples), generator=source).mul(JITTER_TOKENS).tolist()
    texts: dict[int, list[int]] = defaultdict(list)
    for index in sorted(range(len(examples)), key=lambda index: len(examples[index].ids) + jitter[index]):
        texts[examples[index].profile].append(index)
    groups = []
    for profile, own in texts.items():
        for start in range(0, len(own), texts_per_group):
            group = own[start : start + texts_per_group]
            while len(group) < texts_per_group:
                group.append(own[len(group) % len(own)])
            groups.append((profile, group))
    groups.sort(key=lambda group: max(len(examples[index].ids) + jitter[index] for index in group[1]))
    steps = [groups[start : start + groups_per_step] for start in range(0, len(groups), groups_per_step)]
    if default_row is not None:
        add_default_groups(steps, examples, texts_per_group, default_row, source)
    return [steps[index] for index in torch.randperm(len(steps), generator=source).tolist()]


def add_default_groups(
    steps: list[list[tuple[int, list[int]]]], examples: Sequence[Example], texts_per_group: int, default_row: int, source: torch.Generator
) -> None:
    """Give each step a group of any texts, none longer than the step's longest, under `default_row`."""
    longest = [max(len(examples[index].ids) for _, group in step for index in group) for step in steps]
    for step, tokens in zip(steps, longest, strict=True):
        fitting = torch.randperm(len(examples), generator=source).tolist()
        short = [index for index in fitting if len(examples[index].ids) <= tokens]
        step.append((default_row, [short[place % len(short)] for place in range(texts_per_group)]))
