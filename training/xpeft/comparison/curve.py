"""Accuracy against labelled texts: new profiles join a finished task, whose head is fixed, with 1, 2, 5, … training texts each."""

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from xpeft.add_round import DEFAULT_MASK_LEAD
from xpeft.atomic_files import make_folder
from xpeft.bundle.load import load_bundle
from xpeft.comparison.describe import describe, write_record
from xpeft.comparison.learning import Outcome, finish_head, split_features, untrained_model
from xpeft.comparison.methods import METHODS
from xpeft.comparison.sets import SETS, SLICE_SEED, check_set, load_set
from xpeft.comparison.setup import Comparison, Run
from xpeft.data import DataSet, group_by_profile
from xpeft.errors import XpeftError
from xpeft.features import compute_groups, single_group
from xpeft.heads import Head
from xpeft.label_bias import fit_bias, stored_bias
from xpeft.mask_model import MaskModel
from xpeft.masks import topk_ones
from xpeft.plm import PLM
from xpeft.profile_model import ProfileModel
from xpeft.progress import remark
from xpeft.train import train

# A few texts make few steps, so newcomers need more passes than a whole task.
EPOCHS = 10
CURVED = ("head", *METHODS)


def curve(
    setup: Comparison, names: Sequence[str], methods: Sequence[str], seeds: Sequence[int], newcomers: int, counts: Sequence[int]
) -> list[Path]:
    """Make the runs of each data set, method and seed, and return their files: a task without some profiles, then these with few texts.

    counts: numbers of training texts of each newcomer. setup.recipe has the learning rates; nothing is searched. The method head trains
    the newcomer's label bias alone, beside a head on the plain PLM.
    """
    for method in methods:
        if method not in CURVED:
            raise XpeftError(f"there is no curve of {method!r}", f"Choose from {', '.join(CURVED)}.")
    joinable = [name for name, spec in SETS.items() if spec.measured == "test" and not spec.profile_labels]
    manifest, _, plm = load_bundle(setup.bundle, setup.plm_spec)
    make_folder(setup.out)
    files = []
    for name in names:
        check_set(name, setup.part, manifest, setup.recipe.label_bias)
        if name not in joinable:
            # A newcomer with its own labels would need its own head too.
            raise XpeftError(f"{name!r} has no profiles that could join a finished head", f"Choose from {', '.join(joinable)}.")
        data = load_set(setup.root, name, setup.bundle / manifest.file("tokenizer"), setup.part, SLICE_SEED)
        for method in methods:
            for seed in seeds:
                files += one_curve(setup, plm, data, name, method, seed, newcomers, counts)
    return files


def one_curve(
    setup: Comparison, plm: PLM, data: DataSet, name: str, method: str, seed: int, newcomers: int, counts: Sequence[int]
) -> list[Path]:
    """Make the runs of one curve and return their files, one for each number of texts."""
    recipe = replace(setup.recipe, seed=seed, label_bias=setup.recipe.label_bias or method == "head")
    runs = {count: Run(setup, name, method, recipe, "curve", count) for count in counts}
    files = {count: setup.out / "runs" / f"{run.stem}.json" for count, run in runs.items()}
    if all(file.exists() for file in files.values()):
        return list(files.values())
    known, new = split_profiles(data, newcomers, max(counts), seed)
    checkpoint = setup.out / f"{runs[max(counts)].stem}.base.pt"
    base, head = train_base(Run(setup, name, method, recipe, "result"), plm, known, checkpoint)
    for count, run in runs.items():
        if files[count].exists():
            continue
        remark(f"{run.stem}: {len(new.profiles)} new profiles with {count} text(s) each", setup.quiet)
        few = first_texts(new, count, seed)
        start = time.monotonic()
        outcome = add_newcomers(run, plm, base, head, few)
        write_record(describe(run, plm, few, outcome, "test", "test", time.monotonic() - start), files[count])
        run.checkpoint.unlink(missing_ok=True)
    checkpoint.unlink(missing_ok=True)
    return list(files.values())


def split_profiles(data: DataSet, newcomers: int, texts: int, seed: int) -> tuple[DataSet, DataSet]:
    """Return the data of the known profiles and of the newcomers, who are drawn from the profiles with enough training texts."""
    enough = [profile for profile, indices in group_by_profile(data.splits["train"]).items() if len(indices) >= texts]
    if len(enough) < newcomers or newcomers >= len(data.profiles):
        raise XpeftError(
            f"{len(enough)} of {len(data.profiles)} profiles have {texts} training texts",
            f"{newcomers} newcomers need that many each. Ask for fewer newcomers or fewer texts.",
        )
    joining = sorted(random.Random(seed).sample(sorted(enough), newcomers))
    return data.subset([profile for profile in range(len(data.profiles)) if profile not in joining]), data.subset(joining)


def first_texts(data: DataSet, count: int, seed: int) -> DataSet:
    """Return the data with `count` training texts a profile. Those of a smaller count are among them."""
    texts = data.splits["train"]
    chosen = []
    for indices in group_by_profile(texts).values():
        random.Random(seed).shuffle(indices)
        chosen += indices[:count]
    return replace(data, splits={**data.splits, "train": [texts[index] for index in sorted(chosen)]})


def train_base(run: Run, plm: PLM, known: DataSet, checkpoint: Path) -> tuple[ProfileModel | None, Head]:
    """Train a task on the known profiles. Returns the model with a default profile (None for a head alone) and the finished head.

    checkpoint: stays until the curve is done, so that an interrupted curve does not train its base again.
    """
    model = None
    if run.method in METHODS:
        model = untrained_model(run, plm, known)
        settings = (run.settings, known.profiles)
        train(model, known.splits["train"], run.recipe, plm.pad_id, checkpoint, settings, checkpoint.exists(), run.setup.quiet)
    return model, finish_head(run, known, split_features(run, plm, model, known))


def add_newcomers(run: Run, plm: PLM, base: ProfileModel | None, head: Head, data: DataSet) -> Outcome:
    """Train the profiles of `data` beside a base's head, and return the logits of their texts."""
    spread = head.profile_bias.std(0, correction=0).clamp(min=0.1)
    if base is None:
        features = split_features(run, plm, None, data)
        head = fit_profile_biases(head, features["train"], data, spread)
        return Outcome({split: head.split_logits(data, features, split) for split in features}, None, [])
    model = untrained_model(run, plm, data)
    start_from_base(model, base, head)
    texts, device = data.splits["train"], run.setup.device
    if run.recipe.label_bias:
        plain = compute_groups(model.features, texts, single_group(texts, model.default_row), plm.pad_id, device)
        model.label_bias[:-1] = fit_profile_biases(head, plain, data, spread).profile_bias.to(device)
    recipe = replace(run.recipe, epochs=EPOCHS, head_lr=0.0, shared_lr=0.0)
    losses = train(
        model, texts, recipe, plm.pad_id, run.checkpoint, run.settings, run.checkpoint.exists(), run.setup.quiet, with_default_profile=False
    )
    features = split_features(run, plm, model, data)
    if run.recipe.label_bias:
        head = fit_profile_biases(head, features["train"], data, spread)
    else:
        head = replace(head, profile_bias=data.label_set_bias())
    return Outcome({split: head.split_logits(data, features, split) for split in features}, model, losses)


def start_from_base(model: ProfileModel, base: ProfileModel, head: Head) -> None:
    """Copy the base's head, shared parts and default profile into a model of new profiles, as `add` does."""
    with torch.no_grad():
        model.head.weight.copy_(head.weight)
        model.head.bias.copy_(head.bias)
        if isinstance(model, MaskModel) and isinstance(base, MaskModel) and not model.kind.soft:
            logits = base.mask_logits(torch.tensor([base.default_row], device=base.device))
            model.profile_masks.add_(DEFAULT_MASK_LEAD * topk_ones(logits, base.shape.chosen).flatten())
            return
        for table, base_table in zip(model.tables(), base.tables(), strict=True):
            table.copy_(base_table[base.default_row].expand_as(table))
        for part, base_part in zip(model.shared(), base.shared(), strict=True):
            part.copy_(base_part)


def fit_profile_biases(head: Head, features: torch.Tensor, data: DataSet, spread: torch.Tensor) -> Head:
    """Return the head with the likeliest label biases of the profiles of `data`. features: of their training texts, [texts, d]."""
    none = torch.zeros(len(data.profiles), len(data.labels))
    rows = torch.zeros(len(features), dtype=torch.long)
    with torch.no_grad():
        logits = replace(head, profile_bias=none).logits(features, rows)
    return replace(head, profile_bias=stored_bias(fit_bias(logits, data.splits["train"], len(data.profiles), spread)))
