"""New profiles for a finished task: its pool, its head and its other profiles stay as they are, to the bit.

Nothing is shared while they are learnt, so a million of them may be learnt a round at a time, and in as many places as there are GPUs.
"""

import hashlib
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from xpeft.add_round import learn_round
from xpeft.atomic_files import make_folder, write_text, written
from xpeft.bundle.load import load_bundle_plm
from xpeft.bundle.manifest import Manifest, read_manifest
from xpeft.data import DataSet, Split, group_by_profile
from xpeft.errors import NoCheckpoint, NoProfiles, OtherRun, XpeftError
from xpeft.evaluate_task import restore
from xpeft.features import predict, single_group
from xpeft.mask_model import new_model
from xpeft.plm import PLM
from xpeft.scores import Indices, majority
from xpeft.task_files import PROFILES_FILE, TASK_FILE, TrainedTask, read_trained_task
from xpeft.train import Recipe
from xpeft.train_task import REPORT, load_tokenized, report_split, warn_one_label_profiles


@dataclass(frozen=True)
class Parts:
    """How the profiles are parted: `at_once` in one pass; of them all the shard `number` (from 1) of `shards`."""

    at_once: int
    number: int = 1
    shards: int = 1

    @staticmethod
    def of(at_once: int, shard: str | None) -> "Parts":
        """From the command line's I/N or, without one, from what torchrun tells each of its processes."""
        if shard is None:
            return Parts(at_once, int(os.environ.get("RANK", "0")) + 1, int(os.environ.get("WORLD_SIZE", "1")))
        told = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", shard)
        if told is None or int(told[1]) > int(told[2]):
            raise XpeftError(f"{shard!r} names no shard", "Say 2/4 for the second of four.")
        return Parts(at_once, int(told[1]), int(told[2]))

    def folder(self, out: Path) -> Path:
        """Where the shard's files go."""
        return out if self.shards == 1 else out / f"shard-{self.number}-of-{self.shards}"

    def rounds(self, profiles: int) -> list[list[int]]:
        """Indices of the shard's profiles, a list a pass."""
        own = list(range(self.number - 1, profiles, self.shards))
        return [own[start : start + self.at_once] for start in range(0, len(own), self.at_once)]


def add_profiles(
    folder: Path,
    data_file: Path,
    bundle: Path,
    out: Path,
    plm_spec: str | None,
    pair: bool,
    recipe: Recipe,
    device: torch.device,
    parts: Parts,
    resume: bool,
    quiet: bool = False,
) -> tuple[dict[str, object], Path]:
    """Learn the profiles of a data file for the task in `folder`; answers a report, and the folder, `out` or the shard's in it, that got
    `profiles.ndjson`, a copy of the task, and the report.

    recipe: what it says of the task's parts (head_lr, shared_lr, label_bias) is not used: they are not learnt again.
    """
    manifest, identity = read_manifest(bundle)
    known = read_trained_task(folder, identity, manifest.pool_shape)
    whole = load_tokenized(data_file, bundle, manifest, known.task.maxTokens, pair, known.task.labels)
    own = [profile for profiles in parts.rounds(len(whole.profiles)) for profile in profiles]
    if not own:
        raise NoProfiles(f"no profile is left for shard {parts.number} of {parts.shards}", f"{data_file} has {len(whole.profiles)}.")
    data, rounds, out = whole.subset(own), Parts(parts.at_once).rounds(len(own)), parts.folder(out)
    check_new(known, data, folder, out)
    one_label = warn_one_label_profiles(data)
    recipe = replace(recipe, head_lr=0.0, shared_lr=0.0, label_bias=known.has_label_bias)
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in (data_file, folder / TASK_FILE, folder / PROFILES_FILE)]
    settings = ("add", recipe, *digests, pair, parts)
    plm = load_bundle_plm(manifest, plm_spec)
    drafts = drafts_folder(out, settings, resume)
    for number, profiles in enumerate(rounds):
        draft = drafts / f"{number:05}.ndjson"
        if not draft.exists():
            model = new_model(bundle, manifest, plm, len(profiles), len(data.labels), recipe.seed, device)
            learn_round(model, known, data.subset(profiles), recipe, plm.pad_id, draft, (*settings, number), quiet)

    with written(out / TASK_FILE) as file:
        file.write((folder / TASK_FILE).read_bytes())
    with written(out / PROFILES_FILE) as file:
        for number in range(len(rounds)):
            file.write((drafts / f"{number:05}.ndjson").read_bytes())
    learnt = read_trained_task(out, identity, manifest.pool_shape)
    methods = measure(learnt, data, rounds, bundle, manifest, plm, device)
    report: dict[str, object] = {
        "task": known.task.task,
        "bundle": identity,
        "data": {"sha256": digests[0], "texts": {split: len(examples) for split, examples in data.splits.items()}},
        "profiles": len(data.profiles),
        "one_label_profiles": one_label,
        "pair": pair,
        "recipe": asdict(recipe),
        **{split: report_split(methods[split], data, split) for split in methods},
    }
    write_text(out / REPORT, json.dumps(report, indent=2) + "\n")
    shutil.rmtree(drafts)
    return report, out


def measure(
    learnt: TrainedTask, data: DataSet, rounds: list[list[int]], bundle: Path, manifest: Manifest, plm: PLM, device: torch.device
) -> dict[Split, dict[str, Indices]]:
    """Label indices for the texts of dev and test, read back from the files: under each profile, the default profile, and its majority."""
    measured: tuple[Split, ...] = ("dev", "test")
    texts = {split: data.splits[split] for split in measured if data.splits[split]}
    names = ("masks", "default")
    answers: dict[Split, dict[str, Indices]] = {
        split: {name: np.zeros(len(examples), dtype=np.int64) for name in names} | {"majority": majority(data.splits["train"], examples)}
        for split, examples in texts.items()
    }
    for profiles in rounds:
        model = restore(learnt.subset(profiles), new_model(bundle, manifest, plm, len(profiles), len(data.labels), 0, device))
        part, members = data.subset(profiles), set(profiles)
        for split, examples in texts.items():
            places = [index for index, example in enumerate(examples) if example.profile in members]
            own = part.splits[split]
            if own:
                answers[split]["masks"][places] = predict(model, own, group_by_profile(own), plm.pad_id)
                answers[split]["default"][places] = predict(model, own, single_group(own, model.default_row), plm.pad_id)
    return answers


def check_new(known: TrainedTask, data: DataSet, folder: Path, out: Path) -> None:
    """XpeftError where a profile would be written over."""
    # Drafts are taken away last, so beside them the profiles are those of the run that goes on.
    if out.resolve() == folder.resolve() or ((out / PROFILES_FILE).exists() and not any(out.glob("drafts-*"))):
        raise XpeftError(f"{out} holds profiles already", "Give a folder of its own with --out: what was learnt before stays as it is.")
    if there := sorted(set(known.profiles) & set(data.profiles)):
        raise XpeftError(f"the task has {len(there)} of these profiles already, {there[0]!r} for one", "Leave them out, or rename them.")


def drafts_folder(out: Path, settings: object, resume: bool) -> Path:
    """Folder of a run's finished rounds and its checkpoint, named by its settings; there already if, and only if, the run goes on."""
    drafts = out / f"drafts-{hashlib.sha256(repr(settings).encode()).hexdigest()[:8]}"
    others = [path for path in out.glob("drafts-*") if path != drafts]
    if resume and not drafts.exists():
        if others:
            raise OtherRun(f"{out} holds a run with other settings or data", "Give the settings of that run, or leave --resume out.")
        raise NoCheckpoint(f"there is no run to go on with in {out}", "Start the run without --resume.")
    for path in others if resume else (*others, drafts):
        shutil.rmtree(path, ignore_errors=True)
    make_folder(drafts)
    return drafts
