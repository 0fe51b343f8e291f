"""One training run from a data file to the files that the edge takes, and a report that says how good they are."""

import hashlib
import json
import re
import sys
from dataclasses import asdict
from pathlib import Path

import torch
from tqdm import tqdm

from xpeft.batches import Batch
from xpeft.bundle.manifest import Manifest, ManifestSignPool, check_max_tokens, read_manifest
from xpeft.checkpoint import CHECKPOINT
from xpeft.data import DataSet, Example, Split, load_data, one_label_profiles
from xpeft.encoder import AdapterEncoder
from xpeft.errors import XpeftError
from xpeft.evaluate import Indices, Scores, by_profile, majority, profile_accuracies, run_groups, score
from xpeft.files import PROFILES_FILE, TASK_NAME, Learnt, read_learnt, write_learnt
from xpeft.heads import Features, Own, label_loss, search_head
from xpeft.label_bias import bias_from_counts
from xpeft.mask_model import MaskModel
from xpeft.masks import mask_bytes
from xpeft.model import ProfileModel
from xpeft.plm import PLM, load_plm
from xpeft.pool import sign_pool
from xpeft.stored_pool import StoredPool
from xpeft.train import Recipe, train
from xpeft.writing import make_folder, write_text

REPORT = "report.json"


def load_parts(bundle: Path, plm_spec: str | None) -> tuple[Manifest, str, PLM]:
    """The bundle's manifest and id, and the very PLM that it was built from."""
    manifest, identity = read_manifest(bundle)
    return manifest, identity, load_plm_of(manifest, plm_spec)


def load_plm_of(manifest: Manifest, plm_spec: str | None) -> PLM:
    """The very PLM that a bundle was built from; takes seconds, so files that may be missing or wrong are read before."""
    plm = load_plm(plm_spec or manifest.plm.name)
    if plm.weights_sha256() != manifest.plm.sha256:
        raise XpeftError(
            f"the weights in {plm.folder} are not those that bundle {manifest.name} was built from",
            f"Name the folder or hub id of {manifest.plm.name} with --plm.",
        )
    return plm


def pool_entries(bundle: Path, manifest: Manifest) -> torch.Tensor:
    """The bundle's pool, float32 [L, 2, N, d*b]: computed from its seed, or read from its files."""
    shape, pool = manifest.pool_shape, manifest.pool
    if isinstance(pool, ManifestSignPool):
        return sign_pool(pool.seed, shape, pool.scale)
    return StoredPool.unpack(b"".join((bundle / path).read_bytes() for path in manifest.with_role("pool")), shape).entries()


def new_model(bundle: Path, manifest: Manifest, plm: PLM, profiles: int, labels: int, seed: int, device: torch.device) -> MaskModel:
    """An untrained model of a bundle's PLM and pool."""
    shape, pool = manifest.pool_shape, pool_entries(bundle, manifest)
    return MaskModel(AdapterEncoder(plm), pool, shape, profiles, labels, seed).to(device)


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
    """Train, write `task.json`, `profiles.ndjson` and `report.json` into `out`, and answer the report."""
    if not re.fullmatch(TASK_NAME, task):
        raise XpeftError(f"{task!r} cannot name a task", "Take letters in lower case, digits, - and _, 64 at most.")
    manifest, identity = read_manifest(bundle)
    data = load_tokenized(data_file, bundle, manifest, max_tokens, pair)
    one_label = count_one_label(data)
    plm = load_plm_of(manifest, plm_spec)
    model = new_model(bundle, manifest, plm, len(data.profiles), len(data.labels), recipe.seed, device)
    make_folder(out)
    if recipe.label_bias:
        model.label_bias[:-1] = bias_from_counts(data.splits["train"], len(data.profiles), len(data.labels))
    settings = (recipe, identity, task, hashlib.sha256(data_file.read_bytes()).hexdigest(), max_tokens, pair)
    train(model, data.splits["train"], recipe, plm.pad_id, out / CHECKPOINT, settings, resume, quiet)

    chosen_on: Split = "dev" if data.splits["dev"] else "train"
    features = masked_features(model, data, plm.pad_id, quiet)
    # A head that was learnt while the masks still moved lags behind them, so it is learnt once more on the features that they settled on.
    own: Own = "bias" if recipe.label_bias else "shared"
    head = search_head(data, features, own, chosen_on, recipe.seed, "finish head", quiet, label_loss(data, chosen_on)).stored()
    with torch.no_grad():
        model.label_bias[:-1] = head.own
        model.head.weight.copy_(head.weight)
        model.head.bias.copy_(head.bias)
    write_learnt(out, model, task, identity, data.labels, data.profiles, max_tokens, recipe.label_bias)

    learnt = read_learnt(out, identity, manifest.pool_shape)
    baselines = fit_baselines(model, data, plm.pad_id, chosen_on, recipe.seed, quiet)
    splits: list[Split] = [split for split in ("dev", "test") if data.splits[split]]
    methods: dict[Split, dict[str, Indices]] = {
        split: {
            "masks": head.predict(data, features, split),
            "default": predict(model, data.splits[split], everyone(data.splits[split], model.default_row), plm.pad_id),
            **{name: predictions[split] for name, predictions in baselines.items()},
        }
        for split in splits
    }
    report: dict[str, object] = {
        "task": task,
        "bundle": identity,
        "data": {"sha256": settings[3], "texts": {split: len(examples) for split, examples in data.splits.items()}},
        "profiles": len(data.profiles),
        "one_label_profiles": one_label,
        "labels": len(data.labels),
        "maxTokens": max_tokens,
        "pair": pair,
        "recipe": asdict(recipe),
        "heads_chosen_on": chosen_on,
        "bytes": profile_bytes(manifest, learnt, out, recipe.label_bias),
        **{split: report_split(methods[split], data, split) for split in splits},
    }
    write_text(out / REPORT, json.dumps(report, indent=2) + "\n")
    # Last of all: a run that is broken off while it is measured goes on from here too.
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
    """The data file, tokenized by the bundle's tokenizer; `labels`, `profiles`: a finished task's, if it is for one."""
    check_max_tokens(max_tokens, manifest)
    return load_data(data_file, bundle / manifest.file("tokenizer"), max_tokens, pair, labels, profiles)


def count_one_label(data: DataSet) -> int:
    """How many profiles have one label in all their training texts; says so if there are any."""
    if count := one_label_profiles(data):
        print(f"{count} of {len(data.profiles)} profiles learn one label: all their training texts have it", file=sys.stderr, flush=True)
    return count


def masked_features(model: ProfileModel, data: DataSet, pad_id: int, quiet: bool) -> Features:
    """Features of every text under its own profile's hard masks."""
    return {
        split: run_groups(model.features, examples, by_profile(examples), pad_id, model.device)
        for split, examples in tqdm(data.splits.items(), desc="features", unit="split", disable=quiet)
        if examples
    }


def plain_features(encoder: AdapterEncoder, data: DataSet, pad_id: int, device: torch.device, quiet: bool) -> Features:
    """Features of every text under the plain PLM."""

    def plain(batch: Batch) -> torch.Tensor:
        features: torch.Tensor = encoder(batch.ids, batch.types, batch.lengths, None)
        return features

    return {
        split: run_groups(plain, examples, everyone(examples), pad_id, device)
        for split, examples in tqdm(data.splits.items(), desc="plain features", unit="split", disable=quiet)
        if examples
    }


def fit_baselines(
    model: ProfileModel, data: DataSet, pad_id: int, chosen_on: Split, seed: int, quiet: bool
) -> dict[str, dict[Split, Indices]]:
    """Predictions, for every split that has texts, of the majority label of each profile and of heads over the plain PLM's features."""
    splits = {split: examples for split, examples in data.splits.items() if examples}
    features = plain_features(model.encoder, data, pad_id, model.device, quiet)
    alone = search_head(data, features, "shared", chosen_on, seed, "head alone", quiet, label_loss(data, chosen_on))
    biased = search_head(data, features, "bias", chosen_on, seed, "head + label bias", quiet, label_loss(data, chosen_on))
    return {
        "majority": {split: majority(data.splits["train"], examples) for split, examples in splits.items()},
        "shared_head": {split: alone.predict(data, features, split) for split in splits},
        "shared_head_label_bias": {split: biased.predict(data, features, split) for split in splits},
    }


def everyone(examples: list[Example], row: int = 0) -> dict[int, list[int]]:
    """All examples as one group under one row."""
    return {row: list(range(len(examples)))}


def predict(model: ProfileModel, examples: list[Example], groups: dict[int, list[int]], pad_id: int) -> Indices:
    """Label index of each example; the lowest of equal ones, as at the edge."""
    predicted: Indices = run_groups(model.logits, examples, groups, pad_id, model.device).argmax(1).numpy()
    return predicted


def report_split(methods: dict[str, Indices], data: DataSet, split: Split) -> dict[str, object]:
    """Scores of every method, and the accuracy of each profile under each."""
    examples = data.splits[split]
    scores: dict[str, Scores] = {name: score(predicted, examples, data.labels) for name, predicted in methods.items()}
    accuracies = {name: profile_accuracies(predicted, examples) for name, predicted in methods.items()}
    profiles = {
        data.profiles[profile]: {name: round(values[profile], 4) for name, values in accuracies.items()}
        for profile in sorted(accuracies["masks"])
    }
    return {"methods": scores, "profiles": profiles}


def profile_bytes(manifest: Manifest, learnt: Learnt, out: Path, with_bias: bool) -> dict[str, float]:
    """What a profile costs, beside one adapter of the same size in fp32 (both projections, without the head that profiles share)."""
    return {
        "masks": mask_bytes(manifest.pool_shape),
        "label_bias": len(learnt.task.labels) if with_bias else 0,
        "line_of_profiles_ndjson": round((out / PROFILES_FILE).stat().st_size / len(learnt.profiles), 1),
        "head_shared_by_the_task": len(learnt.task.head),
        "one_adapter": 4 * 2 * manifest.layers * manifest.hidden * manifest.bottleneck,
    }
