"""Trains a task: from a data file to the files that the edge takes, with a report of their accuracy beside baselines."""

import hashlib
import json
import re
from dataclasses import asdict
from pathlib import Path

import torch

from xpeft.atomic_files import make_folder, write_text
from xpeft.bundle.load import load_bundle_plm
from xpeft.bundle.manifest import Manifest, check_max_tokens, read_manifest
from xpeft.check import CheckedFile, check_file
from xpeft.checkpoint import CHECKPOINT, finished_report, run_id
from xpeft.data import DataSet, count_one_label_profiles, load_data
from xpeft.errors import XpeftError
from xpeft.features import plain_features, predict, profile_features, single_group
from xpeft.heads import HeadKind, search_head
from xpeft.label_bias import bias_from_counts
from xpeft.mask_model import new_model
from xpeft.masks import mask_bytes
from xpeft.profile_model import ProfileModel
from xpeft.progress import remark
from xpeft.records import Split
from xpeft.scores import Indices, Scores, majority, profile_accuracies, score
from xpeft.task_files import PROFILES_FILE, TASK_NAME, TrainedTask, check_row, read_trained_task, write_trained_task
from xpeft.task_pair import REPORT
from xpeft.train import Recipe, refuse_torchrun, train


def run_training(
    data_file: Path,
    task: str,
    bundle: Path,
    out: Path,
    plm_spec: str | None,
    max_tokens: int,
    pair: bool,
    recipe: Recipe,
    device: torch.device,
    resume: bool,
    quiet: bool = False,
) -> dict[str, object]:
    """Train a task, write `task.json`, `profiles.ndjson` and `report.json` into `out`, and return the report.

    Raises XpeftError, or KeyboardInterrupt where it stops early. `resume` continues from the checkpoint; without one it starts, unless
    the run is finished.
    """
    if not re.fullmatch(TASK_NAME, task):
        raise XpeftError(
            f"{task!r} cannot name a task", "Use at most 64 lower case letters, digits, - and _; start with a letter or a digit."
        )
    refuse_torchrun()
    manifest, identity = read_manifest(bundle)
    if not quiet:
        print_findings(check_file(data_file, pair, bundle / manifest.file("tokenizer"), max_tokens))
    data = load_tokenized(data_file, bundle, manifest, max_tokens, pair)
    check_measurable(data)
    check_row(data.labels, manifest.pool_shape)
    data_sha256 = hashlib.sha256(data_file.read_bytes()).hexdigest()
    settings = (recipe, identity, task, data_sha256, max_tokens, pair)
    if resume and not (out / CHECKPOINT).exists():
        if finished := finished_report(out / REPORT, settings):
            return finished
        remark(f"{out} holds no checkpoint: training starts at its first step", quiet)
    plm = load_bundle_plm(manifest, plm_spec)
    model = new_model(bundle, manifest, plm, len(data.profiles), len(data.labels), recipe.seed, device)
    make_folder(out)
    # The report of an earlier run in this folder does not describe this one.
    (out / REPORT).unlink(missing_ok=True)
    if recipe.label_bias:
        model.label_bias[:-1] = bias_from_counts(data.splits["train"], len(data.profiles), len(data.labels))
    train(model, data.splits["train"], recipe, plm.pad_id, out / CHECKPOINT, settings, resume, quiet)

    chosen_on: Split = "dev" if data.splits["dev"] else "train"
    features = profile_features(model, data, plm.pad_id, quiet)
    # During mask training the head lags behind the masks, so it is fitted again on the final features.
    kind: HeadKind = "bias" if recipe.label_bias else "shared"
    head = search_head(data, features, kind, chosen_on, "finish head", quiet).stored()
    with torch.no_grad():
        model.label_bias[:-1] = head.profile_bias
        model.head.weight.copy_(head.weight)
        model.head.bias.copy_(head.bias)
    write_trained_task(out, model, task, identity, data.labels, data.profiles, max_tokens, recipe.label_bias)

    baselines = fit_baselines(model, data, plm.pad_id, chosen_on, quiet)
    splits = measured_splits(data)
    methods: dict[Split, dict[str, Indices]] = {
        split: {
            "masks": head.predict(data, features, split),
            "default": predict(model, data.splits[split], single_group(data.splits[split], model.default_row), plm.pad_id),
            **{name: predictions[split] for name, predictions in baselines.items()},
        }
        for split in splits
    }
    report: dict[str, object] = {
        "run": run_id(settings),
        "task": task,
        "bundle": identity,
        "data": {"sha256": data_sha256, "texts": {split: len(examples) for split, examples in data.splits.items()}},
        "profiles": len(data.profiles),
        "one_label_profiles": count_one_label_profiles(data),
        "labels": len(data.labels),
        "maxTokens": max_tokens,
        "pair": pair,
        "recipe": asdict(recipe),
        "heads_chosen_on": chosen_on,
        "bytes": profile_bytes(manifest, read_trained_task(out, identity, manifest.pool_shape), out),
        **{split: report_split(methods[split], data, split) for split in splits},
    }
    write_text(out / REPORT, json.dumps(report, indent=2, allow_nan=False) + "\n")
    # Last, so that a run that stops during the evaluation can be resumed too.
    (out / CHECKPOINT).unlink()
    return report


def load_tokenized(
    data_file: Path,
    bundle: Path,
    manifest: Manifest,
    max_tokens: int,
    pair: bool,
    labels: list[str] | None = None,
    profiles: list[str] | None = None,
) -> DataSet:
    """Return the examples of a data file, tokenized by the bundle's tokenizer. labels, profiles: a finished task's, if there is one."""
    check_max_tokens(max_tokens, manifest)
    return load_data(data_file, bundle / manifest.file("tokenizer"), max_tokens, pair, labels, profiles)


def print_findings(checked: CheckedFile) -> None:
    """Print a check's findings on stderr, a line for each. The first that is refused is left to the error that training raises."""
    refused = [finding for finding in checked.findings if finding.refused]
    for finding in checked.findings:
        if finding not in refused[:1]:
            remark(finding.message, quiet=False)
    if checked.findings:
        remark(f"`python -m xpeft check {checked.file}` says more", quiet=False)


def check_measurable(data: DataSet) -> None:
    """Score the majority baseline, so that what can fail in the report fails before the training."""
    for split in measured_splits(data):
        report_split({"masks": majority(data.splits["train"], data.splits[split])}, data, split)


def measured_splits(data: DataSet) -> list[Split]:
    """Return the splits that a report has scores of: dev and test, if they have texts."""
    measured: tuple[Split, ...] = ("dev", "test")
    return [split for split in measured if data.splits[split]]


def fit_baselines(model: ProfileModel, data: DataSet, pad_id: int, chosen_on: Split, quiet: bool) -> dict[str, dict[Split, Indices]]:
    """Return the predictions of three baselines for every split that has texts.

    The baselines are each profile's majority label, a shared head on the plain PLM's features, and that head with label biases.
    """
    splits = {split: examples for split, examples in data.splits.items() if examples}
    features = plain_features(model.encoder, data, pad_id, model.device, quiet)
    alone = search_head(data, features, "shared", chosen_on, "head alone", quiet)
    biased = search_head(data, features, "bias", chosen_on, "head + label bias", quiet)
    return {
        "majority": {split: majority(data.splits["train"], examples) for split, examples in splits.items()},
        "shared_head": {split: alone.predict(data, features, split) for split in splits},
        "shared_head_label_bias": {split: biased.predict(data, features, split) for split in splits},
    }


def report_split(methods: dict[str, Indices], data: DataSet, split: Split) -> dict[str, object]:
    """Return every method's scores on a split, and each profile's accuracy under every method."""
    examples = data.splits[split]
    scores: dict[str, Scores] = {name: score(predicted, examples, data.labels) for name, predicted in methods.items()}
    accuracies = {name: profile_accuracies(predicted, examples) for name, predicted in methods.items()}
    profiles = {
        data.profiles[profile]: {name: round(values[profile], 4) for name, values in accuracies.items()}
        for profile in sorted(accuracies["masks"])
    }
    return {"methods": scores, "profiles": profiles}


def profile_bytes(manifest: Manifest, trained: TrainedTask, out: Path) -> dict[str, float]:
    """Return the stored bytes of a profile, and for comparison of one fp32 adapter of the same size, without what the task shares."""
    return {
        "masks": mask_bytes(manifest.pool_shape),
        "label_bias": len(trained.task.labels) if trained.has_label_bias else 0,
        "line_of_profiles_ndjson": round((out / PROFILES_FILE).stat().st_size / len(trained.profiles), 1),
        "head_shared_by_the_task": len(trained.task.head),
        "adapter_shared_by_the_task": len(trained.task.adapter or b""),
        "one_adapter": 4 * 2 * manifest.layers * manifest.hidden * manifest.bottleneck,
    }
