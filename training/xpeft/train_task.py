"""Trains a task: from a data file to the files that the edge takes, with a report of their accuracy beside baselines."""

import hashlib
import json
import re
from pathlib import Path

import torch

from xpeft.atomic_files import make_folder, write_text
from xpeft.bundle.load import load_bundle_plm, pool_entries
from xpeft.bundle.manifest import Manifest, check_max_tokens, read_manifest
from xpeft.check import CheckedFile, check_file, count_tokens
from xpeft.checkpoint import finished_report, read_checkpoint, run_id
from xpeft.data import DataSet, count_one_label_profiles, load_data
from xpeft.errors import XpeftError
from xpeft.learn_task import CHECKPOINTS, TaskLearner
from xpeft.masks import mask_bytes
from xpeft.pool import PoolShape
from xpeft.profile_head import head_bytes_a_profile
from xpeft.progress import remark
from xpeft.recipe import TaskPoolRecipe, TaskRecipe
from xpeft.records import Record, read_lines
from xpeft.task_adapter import task_adapter_bytes
from xpeft.task_files import PROFILES_FILE, TASK_NAME, TrainedTask, check_row, fits_row, read_trained_task, write_trained_task
from xpeft.task_pair import REPORT
from xpeft.task_pool import task_pool_bytes
from xpeft.task_steps import Run
from xpeft.train import refuse_torchrun
from xpeft.verdict import key, measure_steps

# A length in tokens is chosen from these: more time and memory for fewer texts that are cut.
LENGTHS = (16, 32, 48, 64, 96, 128, 192, 256)
# Fraction of the training texts that a chosen length does not cut.
WHOLE_TEXTS = 0.99


def run_training(
    data_file: Path,
    task: str,
    bundle: Path,
    out: Path,
    plm_spec: str | None,
    max_tokens: int | None,
    pair: bool,
    recipe: TaskRecipe,
    seed: int,
    bf16: bool,
    device: torch.device,
    resume: bool,
    quiet: bool = False,
) -> dict[str, object]:
    """Train a task, write `task.json`, `profiles.ndjson` and `report.json` into `out`, and return the report.

    max_tokens: None to choose it from the lengths of the training texts. Raises XpeftError, or KeyboardInterrupt where it stops early.
    `resume` continues from the checkpoints; without one it starts, unless the run is finished.
    """
    refuse_torchrun()
    if not re.fullmatch(TASK_NAME, task):
        raise XpeftError(
            f"{task!r} cannot name a task", "Use at most 64 lower case letters, digits, - and _; start with a letter or a digit."
        )
    manifest, identity = read_manifest(bundle)
    tokenizer = bundle / manifest.file("tokenizer")
    if max_tokens is None:
        max_tokens = choose_max_tokens(data_file, tokenizer, pair, manifest)
    if not quiet:
        print_findings(check_file(data_file, pair, tokenizer, max_tokens))
    data = load_tokenized(data_file, bundle, manifest, max_tokens, pair)
    data = with_known_labels(data, recipe, quiet)
    check_row(data.labels, manifest.pool_shape, with_adapter=recipe.task_adapter.use is not False)
    check_pool(recipe.task_pool, data.labels, manifest.pool_shape)
    data_sha256 = hashlib.sha256(data_file.read_bytes()).hexdigest()
    settings = (recipe, seed, bf16, identity, task, data_sha256, max_tokens, pair)
    checkpoints = sorted(out.glob(CHECKPOINTS))
    if resume and not checkpoints:
        if finished := finished_report(out / REPORT, settings):
            return finished
        remark(f"{out} holds no checkpoint: training starts at its first step", quiet)
    for checkpoint in checkpoints if resume else ():
        # A later step's checkpoint of another run fails here, not after the steps before it.
        read_checkpoint(checkpoint, settings, torch.device("cpu"))
    plm = load_bundle_plm(manifest, plm_spec)
    pool = pool_entries(bundle, manifest)
    run = Run(plm, pool, manifest.pool_shape, device, out, settings, seed, bf16, resume, quiet)
    learner = TaskLearner(data, recipe, run)
    make_folder(out)
    # The report of an earlier run in this folder does not describe this one, and its checkpoints cannot be resumed by this one.
    for path in (out / REPORT, *(() if resume else checkpoints)):
        path.unlink(missing_ok=True)
    learnt = learner.learn()
    model = learnt.model
    model.set_head(learnt.head.weight, learnt.head.bias, learnt.head.profile_bias)
    has_label_bias = learnt.kind == "bias"
    write_trained_task(out, model, task, identity, data.labels, data.profiles, max_tokens, has_label_bias)

    report: dict[str, object] = {
        "run": run_id(settings),
        "task": task,
        "bundle": identity,
        "data": {"sha256": data_sha256, "texts": {split: len(examples) for split, examples in data.splits.items()}},
        "profiles": len(data.profiles),
        "one_label_profiles": count_one_label_profiles(data),
        "labels": len(data.labels),
        "known_labels": data.label_sets is not None,
        "maxTokens": max_tokens,
        "pair": pair,
        "seed": seed,
        "recipe": recipe.model_dump(),
        "kept": key(learnt.name),
        "chosen_on": "dev" if data.splits["dev"] else "train",
        "chosen_on_texts": len(learner.data.splits["dev"]),
        "adapter_epochs": [round(loss, 4) for loss in learner.adapter_epochs],
        "bytes": stored_bytes(manifest, read_trained_task(out, identity, manifest), out),
        **measure_steps(learner.steps, learner.data, learner.data is not data),
    }
    write_text(out / REPORT, json.dumps(report, indent=2, allow_nan=False) + "\n")
    # Last, so that a run that stops before can be resumed.
    for checkpoint in out.glob(CHECKPOINTS):
        checkpoint.unlink()
    return report


def with_known_labels(data: DataSet, recipe: TaskRecipe, quiet: bool) -> DataSet:
    """Return the data set, with profiles that know only their own labels if the recipe says so, or leaves it to a data set like this."""
    own = data.with_label_sets()
    # Then the label of one profile is never right for another. A single profile knows all labels anyway.
    apart = len(data.profiles) > 1 and bool(((own.label_set_bias() == 0).sum(0) <= 1).all())
    if recipe.known_labels == "auto" and apart and recipe.label_bias is not True:
        remark("no two profiles share a label: each profile will know only its own labels (--no-known-labels: all labels)", quiet)
        return own
    return own if recipe.known_labels is True else data


def check_pool(plan: TaskPoolRecipe, labels: list[str], bundle: PoolShape) -> None:
    """Raise XpeftError if a pool that the recipe demands is larger than a row of the edge's database."""
    if plan.use is True and not fits_row(labels, plan.shape(bundle)):
        hint = "Lower size in [task_pool] of the recipe, or build the bundle with fewer personal layers or a smaller bottleneck."
        raise XpeftError(f"a pool of {plan.size} adapters is larger than a row of the database", hint)


def choose_max_tokens(data_file: Path, tokenizer_file: Path, pair: bool, manifest: Manifest) -> int:
    """Return the smallest of some lengths at which hardly a training text is cut, or the largest that the bundle reads.

    It skips bad lines: the check of the file says more about them.
    """
    lines = read_lines(data_file, canonical=True)
    train = {number: line for number, line in lines if isinstance(line, Record) and line.split == "train"}
    counts = sorted(count_tokens(train, tokenizer_file, pair).values())
    longest = counts[int(WHOLE_TEXTS * (len(counts) - 1))] if counts else 0
    fitting = [length for length in LENGTHS if longest <= length <= manifest.maxTokens]
    return fitting[0] if fitting else manifest.maxTokens


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


def stored_bytes(manifest: Manifest, trained: TrainedTask, out: Path) -> dict[str, float]:
    """Return the stored bytes of a profile and of the task, and for comparison of one fp32 adapter of the same size."""
    return {
        "masks": mask_bytes(trained.shape) if trained.masks.any() else 0,
        "label_bias": head_bytes_a_profile(len(trained.task.labels), trained.has_label_bias, trained.has_known_labels),
        "line_of_profiles_ndjson": round((out / PROFILES_FILE).stat().st_size / len(trained.profiles), 1),
        "head_of_the_task": len(trained.task.head),
        "adapter_of_the_task": 0 if trained.task_adapter is None else task_adapter_bytes(trained.shape),
        "pool_of_the_task": task_pool_bytes(trained.shape) if trained.task_pool else 0,
        "one_adapter": 4 * 2 * manifest.layers * manifest.hidden * manifest.bottleneck,
    }
