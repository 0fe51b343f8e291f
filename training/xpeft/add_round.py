"""Trains one round of new profiles for a finished task."""

from pathlib import Path

import torch

from xpeft.data import DataSet, group_by_profile
from xpeft.evaluate_task import restore_shared
from xpeft.features import compute_groups, single_group
from xpeft.label_bias import fit_bias, stored_bias
from xpeft.mask_model import MaskModel
from xpeft.task_files import TrainedTask, write_profiles
from xpeft.train import Recipe, train

# Start of the mask logits of the default profile's adapters: about ten steps of the learning rate, so that a few texts can flip a bit.
DEFAULT_MASK_LEAD = 0.3


def learn_round(
    model: MaskModel, task: TrainedTask, data: DataSet, recipe: Recipe, pad_id: int, draft: Path, settings: object, quiet: bool
) -> None:
    """Train the profiles of `data` in place of the model's and write their lines to `draft`. Resumes from a checkpoint beside `draft`."""
    start_from_default(model, task)
    texts = data.splits["train"]
    prior_std = task.label_bias[:-1].std(0, correction=0).clamp(min=0.1)
    if task.has_label_bias:
        set_label_bias(model, data, single_group(texts, model.default_row), prior_std, pad_id)
    checkpoint = draft.with_suffix(".pt")
    train(model, texts, recipe, pad_id, checkpoint, settings, checkpoint.exists(), quiet, with_default_profile=False)
    if task.has_label_bias:
        set_label_bias(model, data, group_by_profile(texts), prior_std, pad_id)
    write_profiles(draft, model, task.task, data.profiles, task.has_label_bias)
    checkpoint.unlink()


def start_from_default(model: MaskModel, task: TrainedTask) -> None:
    """Copy the task's head and adapter into a model of new profiles, and start their masks near the default profile's."""
    restore_shared(task, model)
    with torch.no_grad():
        model.profile_masks.add_(DEFAULT_MASK_LEAD * task.masks[-1].flatten().to(model.device))


def set_label_bias(model: MaskModel, data: DataSet, groups: dict[int, list[int]], prior_std: torch.Tensor, pad_id: int) -> None:
    """Set the label biases that fit the training texts. Each of `groups` has the indices of texts to compute under one table row."""
    examples = data.splits["train"]
    features = compute_groups(model.features, examples, groups, pad_id, model.device)
    with torch.no_grad():
        logits = model.head(features.to(model.device)).cpu()
    model.label_bias[:-1] = stored_bias(fit_bias(logits, examples, len(data.profiles), prior_std)).to(model.device)
