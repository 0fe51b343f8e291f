"""Adds new profiles to a finished task. Its pool, head and other profiles stay the same, bit for bit.

New profiles share nothing while they learn. So any number of them can be trained in rounds, and in shards on several machines or GPUs.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from xpeft.add_round import Round
from xpeft.atomic_files import atomic_file, make_folder, write_text
from xpeft.bundle.load import load_bundle_plm
from xpeft.bundle.manifest import read_manifest
from xpeft.check import check_file
from xpeft.checkpoint import finished_report, run_id
from xpeft.data import DataSet, Example, count_one_label_profiles
from xpeft.errors import NoProfiles, OtherRun, XpeftError
from xpeft.evaluate_task import restore
from xpeft.mask_model import new_model
from xpeft.masks import mask_bytes
from xpeft.profile_head import head_bytes_a_profile
from xpeft.progress import remark
from xpeft.recipe import AddRecipe
from xpeft.records import Split
from xpeft.scores import majority
from xpeft.task_files import PROFILES_FILE, TASK_FILE, TrainedTask, read_trained_task
from xpeft.task_pair import REPORT, reads_pair
from xpeft.task_steps import LABEL_BIAS, MAJORITY
from xpeft.train_task import load_tokenized, print_findings
from xpeft.verdict import Step, key, measure_steps

DEFAULT, STORED = "default profile", "new profiles"
STEPS = (DEFAULT, LABEL_BIAS, STORED)


@dataclass(frozen=True)
class Sharding:
    """How the profiles are divided: shard `shard` (from 1) of `shards`, in rounds of `round_size` profiles."""

    round_size: int
    shard: int = 1
    shards: int = 1

    @staticmethod
    def from_option(round_size: int, shard: str | None) -> "Sharding":
        """Return the sharding of the command line's I/N, or of torchrun's environment. Raises XpeftError if `shard` is not I/N."""
        if shard is None:
            return Sharding(round_size, int(os.environ.get("RANK", "0")) + 1, int(os.environ.get("WORLD_SIZE", "1")))
        match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", shard)
        if match is None or int(match[1]) > int(match[2]):
            raise XpeftError(f"{shard!r} names no shard", "Write 2/4 for the second of four shards.")
        return Sharding(round_size, int(match[1]), int(match[2]))

    def folder(self, out: Path) -> Path:
        """Return the folder of the shard's files."""
        return out if self.shards == 1 else out / f"shard-{self.shard}-of-{self.shards}"

    def rounds(self, profiles: int) -> list[list[int]]:
        """Return the indices of the shard's profiles, a list for each round."""
        indices = list(range(self.shard - 1, profiles, self.shards))
        return [indices[start : start + self.round_size] for start in range(0, len(indices), self.round_size)]


def add_profiles(
    folder: Path,
    data_file: Path,
    bundle: Path,
    out: Path,
    plm_spec: str | None,
    pair: bool | None,
    recipe: AddRecipe,
    seed: int,
    bf16: bool,
    device: torch.device,
    sharding: Sharding,
    resume: bool,
    quiet: bool = False,
) -> tuple[dict[str, object], Path]:
    """Train the profiles of a data file for the task in `folder`. Return the report and the folder of the new files.

    That folder, `out` or the shard's folder in it, gets `profiles.ndjson`, a copy of `task.json`, and the report. pair: None to read
    `text_pair` as the task's report says. Raises XpeftError, or KeyboardInterrupt where it stops early.
    """
    manifest, identity = read_manifest(bundle)
    task = read_trained_task(folder, identity, manifest)
    pair = reads_pair(folder, data_file, pair)
    if not quiet:
        tokenizer = bundle / manifest.file("tokenizer")
        print_findings(check_file(data_file, pair, tokenizer, task.task.maxTokens, task.task.labels))
    whole = load_tokenized(data_file, bundle, manifest, task.task.maxTokens, pair, task.task.labels)
    if task.has_known_labels if recipe.known_labels == "auto" else recipe.known_labels:
        whole = whole.with_label_sets()
    in_shard = [profile for profiles in sharding.rounds(len(whole.profiles)) for profile in profiles]
    if not in_shard:
        hint = f"Use fewer shards: {data_file} has {len(whole.profiles)} profiles."
        raise NoProfiles(f"no profile is left for shard {sharding.shard} of {sharding.shards}", hint)
    data, rounds, out = whole.subset(in_shard), Sharding(sharding.round_size).rounds(len(in_shard)), sharding.folder(out)
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in (data_file, folder / TASK_FILE, folder / PROFILES_FILE)]
    settings = ("add", recipe, seed, bf16, *digests, pair, sharding)
    if resume and (finished := finished_report(out / REPORT, settings)):
        # The run may have been killed while it deleted them.
        shutil.rmtree(drafts_path(out, settings), ignore_errors=True)
        return finished, out
    check_new(task, data, folder, out)
    plm = load_bundle_plm(manifest, plm_spec)
    drafts = drafts_folder(out, settings, resume, quiet)

    def new_round(profiles: list[int]) -> Round:
        model = new_model(bundle, manifest, plm, len(profiles), len(data.labels), seed, device, task.task_pool)
        return Round(model, task, data.subset(profiles), plm.pad_id, drafts, quiet)

    for number, profiles in enumerate(rounds):
        draft, checkpoint = drafts / f"{number:05}.ndjson", drafts / f"{number:05}.pt"
        if not draft.exists():
            part = new_round(profiles)
            part.learn(recipe, seed, bf16, checkpoint, (*settings, number))
            part.write(draft)
        for path in drafts.glob(f"{checkpoint.stem}*.pt"):
            path.unlink()

    with atomic_file(out / TASK_FILE) as file:
        file.write((folder / TASK_FILE).read_bytes())
    with atomic_file(out / PROFILES_FILE) as file:
        for number in range(len(rounds)):
            file.write((drafts / f"{number:05}.ndjson").read_bytes())
    trained = read_trained_task(out, identity, manifest)
    own = (trained.masks[:-1] != trained.masks[-1]).flatten(1).any(1)
    report: dict[str, object] = {
        "run": run_id(settings),
        "task": task.task.task,
        "bundle": identity,
        "data": {"sha256": digests[0], "texts": {split: len(examples) for split, examples in data.splits.items()}},
        "profiles": len(data.profiles),
        "profiles_with_own_masks": int(own.sum()),
        "one_label_profiles": count_one_label_profiles(data),
        "pair": pair,
        "seed": seed,
        "recipe": recipe.model_dump(),
        "kept": key(STORED),
        **measure_steps(measured_steps(trained, data, rounds, new_round), data),
    }
    write_text(out / REPORT, json.dumps(report, indent=2, allow_nan=False) + "\n")
    shutil.rmtree(drafts)
    return report, out


def measured_steps(trained: TrainedTask, data: DataSet, rounds: list[list[int]], new_round: Callable[[list[int]], Round]) -> list[Step]:
    """Return what new profiles predict by majority label, as the default profile, with a label bias alone, and as they are stored."""
    texts: dict[Split, list[Example]] = {split: examples for split, examples in data.splits.items() if examples and split != "train"}
    found = {name: {split: np.zeros(len(examples), dtype=np.int64) for split, examples in texts.items()} for name in STEPS}
    for profiles in rounds if texts else []:
        part = new_round(profiles)
        part.keep_default_masks(part.data)
        predicted = {DEFAULT: part.predict(biased=False), LABEL_BIAS: part.predict()}
        restore(trained.subset(profiles), part.model)
        predicted[STORED] = part.predict()
        for split, examples in texts.items():
            positions = np.isin([example.profile for example in examples], profiles)
            for name in STEPS:
                found[name][split][positions] = predicted[name][split]
    most = {split: majority(data.splits["train"], examples) for split, examples in texts.items()}
    bias = head_bytes_a_profile(len(data.labels), trained.has_label_bias, trained.has_known_labels)
    masks = mask_bytes(trained.shape) if trained.masks[:-1].any() else 0
    return [
        Step(MAJORITY, most, 1),
        Step(DEFAULT, found[DEFAULT], 0, MAJORITY),
        Step(LABEL_BIAS, found[LABEL_BIAS], bias, DEFAULT),
        Step(STORED, found[STORED], bias + masks, LABEL_BIAS),
    ]


def check_new(task: TrainedTask, data: DataSet, folder: Path, out: Path) -> None:
    """Raise XpeftError where a profile would be overwritten."""
    # Drafts are deleted last. Profiles beside drafts belong to the run that is resumed.
    if out.resolve() == folder.resolve() or ((out / PROFILES_FILE).exists() and not any(out.glob("drafts-*"))):
        raise XpeftError(f"{out} holds profiles already", "Name another folder with --out; add overwrites no profiles.")
    if known := sorted(set(task.profiles) & set(data.profiles)):
        hint = "Remove their lines, or rename the profiles."
        raise XpeftError(f"the task has {len(known)} of these profiles already, {known[0]!r} for one", hint)


def drafts_path(out: Path, settings: object) -> Path:
    """Return the path of a run's folder of finished rounds, named after its settings."""
    return out / f"drafts-{run_id(settings)}"


def drafts_folder(out: Path, settings: object, resume: bool, quiet: bool) -> Path:
    """Make and return the folder of a run's finished rounds and its checkpoint.

    Without `resume` the folder is new and empty. Raises OtherRun where another run is unfinished.
    """
    drafts = drafts_path(out, settings)
    others = [path for path in out.glob("drafts-*") if path != drafts]
    if resume and not drafts.exists():
        if others:
            raise OtherRun(f"{out} holds a run with other settings or data", "Repeat that run's settings, or leave --resume out.")
        remark(f"{out} holds no checkpoint: training starts at its first step", quiet)
    for path in others if resume else (*others, drafts):
        shutil.rmtree(path, ignore_errors=True)
    make_folder(drafts)
    return drafts
