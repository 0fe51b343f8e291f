"""New profiles for a finished task: its pool, its head and its other profiles stay as they are, to the bit."""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import torch

from xpeft.checkpoint import CHECKPOINT
from xpeft.data import DataSet, Split
from xpeft.errors import XpeftError
from xpeft.evaluate import Indices, by_profile, majority, run_groups
from xpeft.files import PROFILES_FILE, TASK_FILE, Learnt, read_learnt, write_profiles
from xpeft.label_bias import fit_bias, stored_bias
from xpeft.mask_model import MaskModel
from xpeft.run import REPORT, count_one_label, everyone, load_parts, load_tokenized, new_model, predict, report_split
from xpeft.train import Recipe, train
from xpeft.writing import make_folder, write_text, written

# How far ahead the default profile's adapters start: about ten steps of the masks' learning rate, so that a few texts can turn a bit.
HEAD_START = 0.3


def add_profiles(
    folder: Path,
    data_file: Path,
    bundle: Path,
    out: Path,
    plm_spec: str | None,
    pair: bool,
    recipe: Recipe,
    device: torch.device,
    resume: bool,
    quiet: bool = False,
) -> dict[str, object]:
    """Learn the profiles of a data file for the task in `folder`; `out` gets them, a copy of the task, and the report answered.

    recipe: what it says of the task's parts (head_lr, shared_lr, label_bias) is not used: they are not learnt again.
    """
    manifest, identity, plm = load_parts(bundle, plm_spec)
    known = read_learnt(folder, identity, manifest.pool_shape)
    data = load_tokenized(data_file, bundle, manifest, known.task.maxTokens, pair, known.task.labels)
    check_new(known, data, folder, out)
    one_label = count_one_label(data)
    recipe = replace(recipe, head_lr=0.0, shared_lr=0.0, label_bias=known.with_bias)
    model = new_model(manifest, plm, len(data.profiles), len(data.labels), recipe.seed, device)
    begin(model, known)
    spread = known.label_bias[:-1].std(0, correction=0).clamp(min=0.1)
    texts = data.splits["train"]
    if known.with_bias:
        learn_bias(model, data, everyone(texts, model.default_row), spread, plm.pad_id)
    make_folder(out)
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in (data_file, folder / TASK_FILE, folder / PROFILES_FILE)]
    settings = ("add", recipe, *digests, pair)
    train(model, texts, recipe, plm.pad_id, out / CHECKPOINT, settings, resume, quiet, with_default=False)
    if known.with_bias:
        learn_bias(model, data, by_profile(texts), spread, plm.pad_id)

    with written(out / TASK_FILE) as file:
        file.write((folder / TASK_FILE).read_bytes())
    write_profiles(out, model, known.task.task, data.profiles, known.with_bias)
    splits: list[Split] = [split for split in ("dev", "test") if data.splits[split]]
    methods: dict[Split, dict[str, Indices]] = {
        split: {
            "masks": predict(model, data.splits[split], by_profile(data.splits[split]), plm.pad_id),
            "default": predict(model, data.splits[split], everyone(data.splits[split], model.default_row), plm.pad_id),
            "majority": majority(texts, data.splits[split]),
        }
        for split in splits
    }
    report: dict[str, object] = {
        "task": known.task.task,
        "bundle": identity,
        "data": {"sha256": digests[0], "texts": {split: len(examples) for split, examples in data.splits.items()}},
        "profiles": len(data.profiles),
        "one_label_profiles": one_label,
        "pair": pair,
        "recipe": asdict(recipe),
        **{split: report_split(methods[split], data, split) for split in splits},
    }
    write_text(out / REPORT, json.dumps(report, indent=2) + "\n")
    (out / CHECKPOINT).unlink()
    return report


def check_new(known: Learnt, data: DataSet, folder: Path, out: Path) -> None:
    """XpeftError where a profile would be written over."""
    # A checkpoint is taken away last, so beside one the profiles are those of the run that goes on.
    if out.resolve() == folder.resolve() or ((out / PROFILES_FILE).exists() and not (out / CHECKPOINT).exists()):
        raise XpeftError(f"{out} holds profiles already", "Give a folder of its own with --out: what was learnt before stays as it is.")
    if there := sorted(set(known.profiles) & set(data.profiles)):
        raise XpeftError(f"the task has {len(there)} of these profiles already, {there[0]!r} for one", "Leave them out, or rename them.")


def begin(model: MaskModel, known: Learnt) -> None:
    """Put the task's head into a model of new profiles, and start all of them near the default profile's masks."""
    with torch.no_grad():
        model.head.weight.copy_(known.weight)
        model.head.bias.copy_(known.bias)
        model.own.add_(HEAD_START * known.masks[-1].flatten().to(model.device))


def learn_bias(model: MaskModel, data: DataSet, groups: dict[int, list[int]], spread: torch.Tensor, pad_id: int) -> None:
    """Set the label biases that suit the training texts, whose features are computed in `groups` of one mask table row each."""
    examples = data.splits["train"]
    features = run_groups(model.features, examples, groups, pad_id, model.device)
    with torch.no_grad():
        logits = model.head(features.to(model.device)).cpu()
    model.label_bias[:-1] = stored_bias(fit_bias(logits, examples, len(data.profiles), spread)).to(model.device)
