"""One pass over some new profiles of a finished task."""

from pathlib import Path

import torch

from xpeft.data import DataSet, group_by_profile
from xpeft.features import compute_groups, single_group
from xpeft.label_bias import fit_bias, stored_bias
from xpeft.mask_model import MaskModel
from xpeft.task_files import TrainedTask, write_profiles
from xpeft.train import Recipe, train

# How far ahead the default profile's adapters start: about ten steps of the masks' learning rate, so that a few texts can turn a bit.
DEFAULT_MASK_LEAD = 0.3


def learn_round(
    model: MaskModel, known: TrainedTask, data: DataSet, recipe: Recipe, pad_id: int, draft: Path, settings: object, quiet: bool
) -> None:
    """Learn the profiles of `data` in place of the model's, and write their lines to `draft`; goes on from a checkpoint beside it."""
    begin(model, known)
    texts = data.splits["train"]
    spread = known.label_bias[:-1].std(0, correction=0).clamp(min=0.1)
    if known.has_label_bias:
        learn_bias(model, data, single_group(texts, model.default_row), spread, pad_id)
    checkpoint = draft.with_suffix(".pt")
    train(model, texts, recipe, pad_id, checkpoint, settings, checkpoint.exists(), quiet, with_default_profile=False)
    if known.has_label_bias:
        learn_bias(model, data, group_by_profile(texts), spread, pad_id)
    write_profiles(draft, model, known.task.task, data.profiles, known.has_label_bias)
    checkpoint.unlink()


def begin(model: MaskModel, known: TrainedTask) -> None:
    """Put the task's head into a model of new profiles, and start all of them near the default profile's masks."""
    with torch.no_grad():
        model.head.weight.copy_(known.weight)
        model.head.bias.copy_(known.bias)
        model.profile_masks.add_(DEFAULT_MASK_LEAD * known.masks[-1].flatten().to(model.device))


def learn_bias(model: MaskModel, data: DataSet, groups: dict[int, list[int]], spread: torch.Tensor, pad_id: int) -> None:
    """Set the label biases that suit the training texts, whose features are computed in `groups` of one mask table row each."""
    examples = data.splits["train"]
    features = compute_groups(model.features, examples, groups, pad_id, model.device)
    with torch.no_grad():
        logits = model.head(features.to(model.device)).cpu()
    model.label_bias[:-1] = stored_bias(fit_bias(logits, examples, len(data.profiles), spread)).to(model.device)
