"""Trains one method on one data set."""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from xpeft.comparison.methods import METHODS
from xpeft.comparison.records import Epoch
from xpeft.comparison.setup import Run
from xpeft.data import DataSet, Example
from xpeft.encoder import AdapterEncoder
from xpeft.features import Features, plain_features, profile_features
from xpeft.heads import Head, search_head
from xpeft.label_bias import bias_from_counts
from xpeft.linear_fit import Targets
from xpeft.plm import PLM
from xpeft.profile_model import ProfileModel
from xpeft.records import Split
from xpeft.scores import majority
from xpeft.train import Losses, train


@dataclass(frozen=True)
class Outcome:
    """Logits of each split's texts, the model (None for methods without one), its training losses, and the figures of its epochs."""

    logits: dict[Split, torch.Tensor]
    model: ProfileModel | None
    losses: Losses
    epochs: list[Epoch] = field(default_factory=list)


def cross_entropy(logits: torch.Tensor, examples: list[Example]) -> float:
    """Return the mean cross entropy of logits [texts, labels]."""
    return Targets.of(examples).loss(logits).item()


def train_method(run: Run, plm: PLM, data: DataSet) -> Outcome:
    """Train, finish the head on dev, and return the logits of all texts."""
    if run.method == "majority":
        chosen = {split: torch.from_numpy(majority(data.splits["train"], examples)) for split, examples in data.splits.items()}
        return Outcome({split: F.one_hot(labels, len(data.labels)).float() for split, labels in chosen.items()}, None, [])
    model: ProfileModel | None = None
    losses: Losses = []
    if run.method in METHODS:
        model = untrained_model(run, plm, data)
        resume = run.checkpoint.exists()
        texts, quiet = data.splits["train"], run.setup.quiet
        losses = train(model, texts, run.recipe, plm.pad_id, run.checkpoint, run.settings, resume, quiet, with_default_profile=False)
    features = split_features(run, plm, model, data)
    head = finish_head(run, data, features)
    return Outcome({split: head.split_logits(data, features, split) for split in features}, model, losses)


def untrained_model(run: Run, plm: PLM, data: DataSet) -> ProfileModel:
    """Return the method's untrained model. A label bias starts at the smoothed log-ratio of label counts."""
    setup, texts = run.setup, data.splits["train"]
    sizes = len(data.profiles), len(data.labels)
    model = METHODS[run.method].build(plm, run.adapters, run.kind, *sizes, run.recipe.seed).to(setup.device)
    bias = data.label_set_bias() + (bias_from_counts(texts, *sizes) if run.recipe.label_bias else 0.0)
    model.label_bias[:-1] = bias.to(setup.device)
    return model


def split_features(run: Run, plm: PLM, model: ProfileModel | None, data: DataSet) -> Features:
    """Return the features of every text under its profile; without a model, under the plain PLM."""
    setup = run.setup
    if model is not None:
        return profile_features(model, data, plm.pad_id, setup.quiet)
    return plain_features(AdapterEncoder(plm).to(setup.device), data, plm.pad_id, setup.device, setup.quiet)


def finish_head(run: Run, data: DataSet, features: Features) -> Head:
    """Return the head whose cross entropy on dev is the least, with label biases rounded as they are stored."""
    head = search_head(data, features, run.head, "dev", "head", run.setup.quiet)
    return head.stored() if run.recipe.label_bias else head
