"""Trains one method on one data set."""

import shutil
from dataclasses import dataclass, field, replace
from typing import Self

import torch
import torch.nn.functional as F

from xpeft.atomic_files import make_folder
from xpeft.best_epoch import BestEpoch
from xpeft.comparison.methods import FEATURE_METHODS, METHODS
from xpeft.comparison.records import DEFAULT_METHOD
from xpeft.comparison.setup import Run
from xpeft.data import DataSet, Example
from xpeft.encoder import AdapterEncoder
from xpeft.features import Features, plain_features, profile_features
from xpeft.heads import Head, search_head
from xpeft.label_bias import first_bias
from xpeft.learn_task import TaskLearner
from xpeft.linear_fit import Targets
from xpeft.peers.feature_method import Fitted, Stored
from xpeft.plm import PLM
from xpeft.profile_head import head_bytes_a_profile
from xpeft.profile_model import ProfileModel
from xpeft.recipe import TaskRecipe
from xpeft.records import Split
from xpeft.scores import majority
from xpeft.shared_adapter import SharedAdapterModel
from xpeft.task_files import pack_adapters
from xpeft.task_steps import Run as TaskRun
from xpeft.train import Losses, train


@dataclass(frozen=True)
class Outcome:
    """Logits of each split's texts, the model (None for methods without one) and its training losses.

    epochs: cross entropy on dev after each epoch; empty without early stopping. stored: what a method without a model stores beside head
    and label biases. settings_tried: those that it chose from.
    """

    logits: dict[Split, torch.Tensor]
    model: ProfileModel | None
    losses: Losses
    epochs: list[float] = field(default_factory=list)
    stored: Stored = field(default_factory=Stored)
    settings_tried: int = 1

    @classmethod
    def of(cls, fitted: Fitted) -> Self:
        """Return the outcome of a method on the plain PLM's features."""
        return cls(fitted.logits, None, [], stored=fitted.stored, settings_tried=fitted.settings_tried)


def cross_entropy(logits: torch.Tensor, examples: list[Example]) -> float:
    """Return the mean cross entropy of logits [texts, labels]."""
    return Targets.of(examples).loss(logits).item()


def train_method(run: Run, plm: PLM, data: DataSet) -> Outcome:
    """Train, finish the head on dev, and return the logits of all texts."""
    if run.method == "majority":
        chosen = {split: torch.from_numpy(majority(data.splits["train"], examples)) for split, examples in data.splits.items()}
        logits = {split: F.one_hot(labels, len(data.labels)).float() for split, labels in chosen.items()}
        return Outcome.of(Fitted(logits, Stored(profile=1, head=False)))
    if run.method == DEFAULT_METHOD:
        return learn_default(run, plm, data)
    if run.method in FEATURE_METHODS:
        return Outcome.of(fit_features(run, plm, data))
    method, model = METHODS[run.method], untrained_model(run, plm, data)
    starts = [table.detach()[:1].clone() for table in model.tables()]
    recipe = run.recipe
    if isinstance(model, SharedAdapterModel) and not recipe.label_bias:
        # Its profiles learn nothing but label biases.
        recipe = replace(recipe, profile_lr=0.0)
    plan = run.plan
    best = BestEpoch(model, data.splits["dev"], plm.pad_id, plan.patience, decay=plan.averaging)
    losses = train(
        model,
        data.splits["train"],
        recipe,
        plm.pad_id,
        run.checkpoint,
        run.settings,
        run.checkpoint.exists(),
        run.setup.quiet,
        with_default_profile=False,
        best=best,
        weight_decay=plan.weight_decay,
    )
    method.round_as_stored(model, starts)
    features = split_features(run, plm, model, data)
    head = finish_head(run, data, features)
    return Outcome({split: head.split_logits(data, features, split) for split in features}, model, losses, best.losses)


def learn_default(run: Run, plm: PLM, data: DataSet) -> Outcome:
    """Learn as `python -m xpeft train` does by default, with the run's pool."""
    setup, spec, folder = run.setup, run.adapters, run.checkpoint.with_suffix("")
    make_folder(folder)
    shape, seed = spec.shape(plm), run.recipe.seed
    surroundings = TaskRun(plm, spec.entries(plm), shape, setup.device, folder, run.settings, seed, run.recipe.bf16, True, setup.quiet)
    learner = TaskLearner(data, TaskRecipe(), surroundings)
    learnt = learner.learn()
    features = profile_features(learnt.model, data, plm.pad_id, setup.quiet, learnt.trunks)
    logits = {split: learnt.head.split_logits(data, features, split) for split in features}
    model = learnt.model
    # The report counts a head of each tenant's own labels; it needs no known labels beside it.
    known = head_bytes_a_profile(len(data.labels), False, data.label_sets is not None)
    has_masks, masks = bool(model.has_masks.any()), model.shape
    stored = Stored(
        profile=next(step.bytes_a_profile for step in learner.steps if step.name == learnt.name) - known,
        task=len(pack_adapters(model) or b""),
        numbers=2 * masks.layers * masks.size * has_masks + len(data.labels) * (learnt.kind == "bias"),
    )
    shutil.rmtree(folder)
    return Outcome(logits, None, [], stored=stored, settings_tried=len(learner.steps) - 1)


def fit_features(run: Run, plm: PLM, data: DataSet) -> Fitted:
    """Return the fit of a method on the plain PLM's features. `data` is the run's whole slice."""
    setup, place = run.setup, (run.name, run.setup.part.description)
    if place not in setup.plain:
        setup.plain[place] = split_features(run, plm, None, data)
    key = (*place, run.reported_method)
    if key not in setup.fitted:
        setup.fitted[key] = FEATURE_METHODS[run.method](data, setup.plain[place], run.head, setup.quiet)
    return setup.fitted[key]


def untrained_model(run: Run, plm: PLM, data: DataSet) -> ProfileModel:
    """Return the method's untrained model. A label bias starts at the smoothed log-ratio of label counts."""
    setup = run.setup
    sizes = len(data.profiles), len(data.labels)
    model = METHODS[run.method].build(plm, run.adapters, run.kind, *sizes, run.recipe.seed).to(setup.device)
    model.label_bias[:-1] = first_bias(data, run.recipe.label_bias).to(setup.device)
    return model


def split_features(run: Run, plm: PLM, model: ProfileModel | None, data: DataSet) -> Features:
    """Return the features of every text under its profile; without a model, under the plain PLM."""
    setup = run.setup
    if model is not None:
        return profile_features(model, data, plm.pad_id, setup.quiet)
    return plain_features(AdapterEncoder(plm).to(setup.device), data, plm.pad_id, setup.device, setup.quiet)


def finish_head(run: Run, data: DataSet, features: Features) -> Head:
    """Return the head whose cross entropy on dev is the least, with label biases rounded as they are stored."""
    head = search_head(data, features, run.head, "dev", "head", run.setup.quiet, run.setup.device)
    return head.stored() if run.recipe.label_bias else head
