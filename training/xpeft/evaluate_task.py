"""Evaluates a trained task's files in fp32: the reference for the edge's answers."""

from pathlib import Path

import torch

from xpeft.agreement import Prediction, write_predictions
from xpeft.bundle.load import load_bundle
from xpeft.bundle.manifest import Manifest
from xpeft.data import group_by_profile
from xpeft.errors import NoTexts
from xpeft.features import predict
from xpeft.mask_model import MaskModel, new_model
from xpeft.plm import PLM
from xpeft.scores import score
from xpeft.task_files import TrainedTask, read_trained_task
from xpeft.task_pair import reads_pair
from xpeft.train_task import load_tokenized


def restored_model(trained: TrainedTask, bundle: Path, manifest: Manifest, plm: PLM, device: torch.device) -> MaskModel:
    """Return a model of a trained task, with its profiles."""
    sizes = len(trained.profiles), len(trained.task.labels)
    return restore(trained, new_model(bundle, manifest, plm, *sizes, 0, device, trained.task_pool))


def restore(trained: TrainedTask, model: MaskModel) -> MaskModel:
    """Copy a trained task's masks, label biases, head changes, head and adapter into a model of the same sizes, and return the model."""
    restore_shared(trained, model)
    with torch.no_grad():
        # The k ones of a mask are its k largest values, so stored masks serve as mask logits.
        model.profile_masks.copy_(trained.masks.flatten(1))
        model.shared_masks.zero_()
        model.has_masks.copy_(trained.masks.flatten(1).any(1))
        model.label_bias.copy_(trained.label_bias)
    model.head_changes = trained.head_changes
    return model


def restore_shared(trained: TrainedTask, model: MaskModel) -> None:
    """Copy what all profiles of a trained task share, its head and adapter, into a model of the same sizes."""
    with torch.no_grad():
        model.head.weight.copy_(trained.weight)
        model.head.bias.copy_(trained.bias)
    model.task_adapter = None if trained.task_adapter is None else trained.task_adapter.to(model.device)


def evaluate_files(
    folder: Path, data_file: Path, bundle: Path, plm_spec: str | None, pair: bool | None, device: torch.device, predictions: Path | None
) -> dict[str, str | int | float]:
    """Return the scores of a trained task's files on a data file's test split, and write every prediction to `predictions` if given.

    pair: None to read `text_pair` as the task's report says.
    """
    manifest, identity, plm = load_bundle(bundle, plm_spec)
    trained = read_trained_task(folder, identity, manifest)
    pair = reads_pair(folder, data_file, pair)
    data = load_tokenized(data_file, bundle, manifest, trained.task.maxTokens, pair, trained.task.labels, trained.profiles)
    examples = data.splits["test"]
    if not examples:
        raise NoTexts(f"{data_file} holds no text of the test split", 'Add lines with "split": "test".')
    model = restored_model(trained, bundle, manifest, plm, device)
    predicted = predict(model, examples, group_by_profile(examples), plm.pad_id)
    if predictions is not None:
        rows = [
            Prediction(index=index, profile=data.profiles[example.profile], label=data.labels[example.label], predicted=data.labels[label])
            for index, (example, label) in enumerate(zip(examples, predicted.tolist(), strict=True))
        ]
        write_predictions(predictions, rows)
    return {"task": trained.task.task, "n": len(examples), **score(predicted, examples, data.labels)}
