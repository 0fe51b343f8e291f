"""A trained task, read back from its files and run in fp32: what the edge's answers are compared with."""

from pathlib import Path

import torch

from xpeft.agreement import Prediction, write_predictions
from xpeft.bundle.load import load_bundle
from xpeft.data import group_by_profile
from xpeft.errors import NoTexts
from xpeft.features import predict
from xpeft.mask_model import MaskModel, new_model
from xpeft.scores import score
from xpeft.task_files import TrainedTask, read_trained_task
from xpeft.train_task import load_tokenized


def restore(learnt: TrainedTask, model: MaskModel) -> MaskModel:
    """Put a trained task's masks, label biases and head into a model of the same sizes."""
    with torch.no_grad():
        # The k ones are the k largest of themselves, so the stored masks serve as their own logits.
        model.profile_masks.copy_(learnt.masks.flatten(1))
        model.shared_masks.zero_()
        model.label_bias.copy_(learnt.label_bias)
        model.head.weight.copy_(learnt.weight)
        model.head.bias.copy_(learnt.bias)
    return model


def evaluate_files(
    folder: Path, data_file: Path, bundle: Path, plm_spec: str | None, pair: bool, device: torch.device, predictions: Path | None
) -> dict[str, str | int | float]:
    """Scores of a trained task's files on the test split of a data file; every prediction is written to `predictions` if given."""
    manifest, identity, plm = load_bundle(bundle, plm_spec)
    learnt = read_trained_task(folder, identity, manifest.pool_shape)
    data = load_tokenized(data_file, bundle, manifest, learnt.task.maxTokens, pair, learnt.task.labels, learnt.profiles)
    examples = data.splits["test"]
    if not examples:
        raise NoTexts(f"{data_file} holds no text of the test split", 'Give it lines with "split": "test".')
    model = restore(learnt, new_model(bundle, manifest, plm, len(learnt.profiles), len(learnt.task.labels), 0, device))
    predicted = predict(model, examples, group_by_profile(examples), plm.pad_id)
    if predictions is not None:
        rows = [
            Prediction(index=index, profile=data.profiles[example.profile], label=data.labels[example.label], predicted=data.labels[label])
            for index, (example, label) in enumerate(zip(examples, predicted.tolist(), strict=True))
        ]
        write_predictions(predictions, rows)
    return {"task": learnt.task.task, "n": len(examples), **score(predicted, examples, data.labels)}
