"""Features and predictions of texts, each text computed under one row of a model's tables."""

from collections.abc import Callable, Sequence

import torch

from xpeft.batches import Batch, collate
from xpeft.data import DataSet, Example, group_by_profile
from xpeft.encoder import AdapterEncoder
from xpeft.finite import check_finite
from xpeft.profile_model import ProfileModel
from xpeft.progress import progress
from xpeft.records import Split
from xpeft.scores import Indices
from xpeft.trunk_cache import TrunkCache

# Features [texts, d] of each split that has texts.
Features = dict[Split, torch.Tensor]


@torch.no_grad()
def compute_groups(
    compute: Callable[[Batch], torch.Tensor],
    examples: Sequence[Example],
    groups: dict[int, list[int]],
    pad_id: int,
    device: torch.device,
    trunks: TrunkCache | None = None,
) -> torch.Tensor:
    """Return the results of `compute` for all examples, in order, [examples, …].

    groups: indices of the examples to compute under each row of the tables, 64 at a time. trunks: the cache that has their residuals.
    """
    out: torch.Tensor | None = None
    for row, indices in groups.items():
        ranked = sorted(indices, key=lambda index: len(examples[index].ids))
        for start in range(0, len(ranked), 64):
            chunk = ranked[start : start + 64]
            computed = compute(collate([row], [examples[index] for index in chunk], pad_id, device, trunks)).float().cpu()
            out = torch.empty((len(examples), *computed.shape[1:])) if out is None else out
            out[torch.tensor(chunk)] = computed
    if out is None:
        raise ValueError("there are no texts to compute")
    check_finite(out, "what the model computes for a text")
    return out


def single_group(examples: list[Example], row: int = 0) -> dict[int, list[int]]:
    """Return all examples as one group under one row."""
    return {row: list(range(len(examples)))}


def feature_groups(model: ProfileModel, examples: list[Example]) -> dict[int, list[int]]:
    """Return the indices of the examples whose features the model computes under each row of its tables."""
    return single_group(examples) if model.shares_features else group_by_profile(examples)


def predict(
    model: ProfileModel, examples: list[Example], groups: dict[int, list[int]], pad_id: int, trunks: TrunkCache | None = None
) -> Indices:
    """Return the label index of each example; among equal logits, the lowest, as at the edge."""
    predicted: Indices = compute_groups(model.logits, examples, groups, pad_id, model.device, trunks).argmax(1).numpy()
    return predicted


def profile_features(model: ProfileModel, data: DataSet, pad_id: int, quiet: bool, trunks: TrunkCache | None = None) -> Features:
    """Return the features of every text under what its profile has learnt."""
    return {
        split: compute_groups(model.features, examples, feature_groups(model, examples), pad_id, model.device, trunks)
        for split, examples in progress(list(data.splits.items()), "features", "split", quiet)
        if examples
    }


def plain_features(encoder: AdapterEncoder, data: DataSet, pad_id: int, device: torch.device, quiet: bool) -> Features:
    """Return the features of every text under the PLM alone."""

    def plain(batch: Batch) -> torch.Tensor:
        features: torch.Tensor = encoder(batch.ids, batch.types, batch.lengths, None)
        return features

    return {
        split: compute_groups(plain, examples, single_group(examples), pad_id, device)
        for split, examples in progress(list(data.splits.items()), "plain features", "split", quiet)
        if examples
    }
