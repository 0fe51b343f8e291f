"""One run of the comparison: a method learnt on a data set with one seed, and the record that it leaves."""

import hashlib
import json
import platform
import shlex
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import JsonValue
from tqdm import tqdm

from xpeft.batches import Batch
from xpeft.comparison.methods import METHODS, PoolSpec
from xpeft.comparison.metrics import WITHOUT_ACCURACY, better, metric_value
from xpeft.comparison.sets import SETS, Slice
from xpeft.data import DataSet, Example, Split
from xpeft.encoder import AdapterEncoder
from xpeft.evaluate import majority, profile_accuracies, run_groups, score
from xpeft.heads import Features, Own, search_head
from xpeft.label_bias import bias_from_counts
from xpeft.mask_model import MaskKind, MaskModel
from xpeft.masks import topk_ones
from xpeft.model import ProfileModel, target_loss
from xpeft.plm import PLM
from xpeft.report.records import BIAS, Metric, RunRecord, TextCounts
from xpeft.run import everyone, masked_features
from xpeft.train import Losses, Recipe, train


@dataclass(frozen=True)
class Comparison:
    """What is the same for all runs of one command. searched_on: how many profiles learning rates are searched on."""

    root: Path
    bundle: Path
    out: Path
    plm_spec: str | None
    device: torch.device
    recipe: Recipe
    part: Slice
    pool: PoolSpec
    kind: MaskKind
    searched_on: int
    quiet: bool


@dataclass(frozen=True)
class Run:
    """One method on one data set with one seed."""

    setup: Comparison
    name: str
    method: str
    recipe: Recipe
    purpose: Literal["result", "search"]

    @property
    def label(self) -> str:
        """The method as it is reported."""
        return self.method + (BIAS if self.recipe.label_bias and self.method != "majority" else "")

    @property
    def pool(self) -> PoolSpec | None:
        """The pool, if the method has one."""
        return self.setup.pool if self.method in METHODS and METHODS[self.method].masks else None

    @property
    def settings(self) -> dict[str, JsonValue]:
        """All that distinguishes the run from others on its data set."""
        own = {"pool": asdict(self.pool), **asdict(self.setup.kind)} if self.pool else {"bottleneck": self.setup.pool.bottleneck}
        return {**asdict(self.recipe), **own, "slice": self.setup.part.words(), "purpose": self.purpose}

    @property
    def stem(self) -> str:
        """Name of the run's files: short, and another for other settings."""
        digest = hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()[:8]
        return f"{self.name.replace('/', '-')}.{self.label}.{self.recipe.seed}.{digest}"

    @property
    def checkpoint(self) -> Path:
        """Where the run is saved while it is under way."""
        return self.setup.out / f"{self.stem}.pt"


@dataclass(frozen=True)
class Outcome:
    """Logits of each split's texts, the model (None for methods without one), and the course of its loss."""

    logits: dict[Split, torch.Tensor]
    model: ProfileModel | None
    losses: Losses


def cross_entropy(logits: torch.Tensor, examples: list[Example]) -> float:
    """Mean cross entropy of logits [texts, labels]."""
    labels, shares = torch.tensor([example.label for example in examples]), torch.tensor([example.share for example in examples])
    return target_loss(logits, labels, shares).item()


def learn(run: Run, plm: PLM, data: DataSet) -> Outcome:
    """Train, finish the head on dev, and label everything."""
    setup, recipe, metric = run.setup, run.recipe, SETS[run.name].metric
    if run.method == "majority":
        chosen = {split: torch.from_numpy(majority(data.splits["train"], examples)) for split, examples in data.splits.items()}
        return Outcome({split: F.one_hot(labels, len(data.labels)).float() for split, labels in chosen.items()}, None, [])
    model: ProfileModel | None = None
    losses: Losses = []
    texts = data.splits["train"]
    if run.method in METHODS:
        model = METHODS[run.method].build(plm, setup.pool, setup.kind, len(data.profiles), len(data.labels), recipe.seed).to(setup.device)
        model.label_bias[:-1] = data.closed().to(setup.device)
        if recipe.label_bias:
            model.label_bias[:-1] += bias_from_counts(texts, len(data.profiles), len(data.labels)).to(setup.device)
        resume = run.checkpoint.exists()
        losses = train(model, texts, recipe, plm.pad_id, run.checkpoint, run.settings, resume, setup.quiet, with_default=False)
        features = masked_features(model, data, plm.pad_id, setup.quiet)
    else:
        features = plain_features(AdapterEncoder(plm).to(setup.device), data, plm.pad_id, setup.device, setup.quiet)

    def badness(logits: torch.Tensor) -> float:
        if run.purpose == "search":
            return cross_entropy(logits, data.splits["dev"])
        scores = score(logits.argmax(1).numpy(), data.splits["dev"], data.labels)
        value = metric_value(metric, logits, data.splits["dev"], data.labels)
        return -scores["macro"] if metric == "accuracy" else -better(metric) * value

    own: Own = "head" if run.method == "head-own" else "bias" if recipe.label_bias else "nothing"
    head = search_head(data, features, own, "dev", recipe.seed, "head", setup.quiet, badness)
    head = head.stored() if recipe.label_bias else head
    return Outcome({split: head.split_logits(data, features, split) for split in features}, model, losses)


def describe(
    run: Run,
    plm: PLM,
    data: DataSet,
    outcome: Outcome,
    split: Split,
    name: Literal["dev", "test"],
    seconds: float,
) -> RunRecord:
    """The record of a run on one split, which the report calls `name`."""
    examples, logits, metric = data.splits[split], outcome.logits[split], SETS[run.name].metric
    predicted = logits.argmax(1).numpy()
    value = metric_value(metric, logits, examples, data.labels)
    scores = score(predicted, examples, data.labels)
    if metric in WITHOUT_ACCURACY:
        scores["micro"] = scores["macro"] = value
    accuracies = profile_accuracies(predicted, examples)
    return RunRecord(
        data=run.name,
        slice=run.setup.part.words() or None,
        split=name,
        purpose="result" if split == "test" else "search",
        method=run.label,
        pool=run.pool.words() + run.setup.kind.words() if run.pool else None,
        seed=run.recipe.seed,
        micro=scores["micro"],
        macro=scores["macro"],
        metric=Metric(name=metric, value=value, higherIsBetter=better(metric) > 0),
        crossEntropy=None if run.method == "majority" else cross_entropy(logits, examples),
        **sizes(run, data, outcome.model, plm.hidden),
        seconds=round(seconds, 1),
        device=device_words(run.setup.device),
        commit=commit(),
        command="python -m xpeft " + shlex.join(sys.argv[1:]),
        texts=TextCounts(**{split: len(examples) for split, examples in data.splits.items()}),
        profileCount=len(data.profiles),
        textsPerProfile=None,
        recipe=run.settings,
        profiles={data.profiles[profile]: round(value, 4) for profile, value in accuracies.items()},
        losses=outcome.losses,
        chosen=chosen_shares(outcome.model),
    )


def sizes(run: Run, data: DataSet, model: ProfileModel | None, hidden: int) -> dict[str, int]:
    """bytesPerProfile, sharedBytes and trainedParameters. Numbers take four bytes, but for masks (bits) and label biases (a byte a label).

    Where profiles have labels of their own, so have they heads, and nothing is shared.
    """
    labels = len(data.labels)
    a_label = hidden + 1
    own = model.bytes_a_profile() if model else 0
    numbers = model.numbers_a_profile() if model else 0
    shared = 4 * labels * a_label + 4 * sum(parameter.numel() for parameter in (model.shared() if model and run.recipe.shared_lr else []))
    if run.method == "majority":
        return {"bytesPerProfile": 1, "sharedBytes": 0, "trainedParameters": 0}
    if run.method == "head-own" or data.own_labels:
        of_profile = int((data.closed() == 0).sum(1).max()) if data.own_labels else labels
        own, numbers, shared = own + 4 * of_profile * a_label, numbers + of_profile * a_label, shared - 4 * labels * a_label
    if run.recipe.label_bias:
        own, numbers = own + labels, numbers + labels
    return {"bytesPerProfile": own, "sharedBytes": shared, "trainedParameters": numbers}


def chosen_shares(model: ProfileModel | None) -> list[list[list[float]]] | None:
    """For hard masks: of each adapter of the pool, the share of profiles that choose it, [L][2][N]."""
    if not isinstance(model, MaskModel) or model.kind.soft:
        return None
    with torch.no_grad():
        ones = topk_ones(model.mask_logits(torch.arange(model.profiles, device=model.device)), model.shape.chosen)
    shares: list[list[list[float]]] = ones.mean(0).cpu().numpy().round(3).astype(float).tolist()
    return shares


def device_words(device: torch.device) -> str:
    """The device's name, and on a CPU the number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.processor() or platform.machine()} CPU, {torch.get_num_threads()} thread(s)"


def commit() -> str:
    """Commit of the code that runs, with a + where files differ from it; "unknown" outside a checkout."""
    folder = Path(__file__).parent
    try:
        head, changes = (
            subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True).stdout.strip()
            for arguments in (["rev-parse", "--short=12", "HEAD"], ["status", "--porcelain", "--", "."])
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+" if changes else "")


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
