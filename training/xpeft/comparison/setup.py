"""The settings of a comparison's runs, and the names of their files."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal, Self

import torch
from pydantic import JsonValue

from xpeft.comparison.experiment import Experiment
from xpeft.comparison.methods import HEADLESS, METHODS, PoolSpec, Rates
from xpeft.comparison.records import DEFAULT_METHOD, RunRecord
from xpeft.comparison.sets import SETS, Slice
from xpeft.features import Features
from xpeft.heads import HeadKind
from xpeft.mask_model import Affine, MaskKind
from xpeft.peers.feature_method import Fitted
from xpeft.recipe import TaskRecipe
from xpeft.shared_adapter import Regularization
from xpeft.train import Recipe

Purpose = Literal["result", "search", "curve"]
# A run's seed and learning rates are not the experiment's alone: the shell gives seeds, and dev may choose the rates.
VARIED = ("seed", "profile_lr", "shared_lr")


@dataclass(frozen=True)
class Comparison:
    """What is the same for all runs of one experiment: where things are, and settings.

    patience, averaging: of early stopping; None for the method's own. searched_on: number of profiles that learning rates are searched on.
    """

    recipe: Recipe
    part: Slice
    pool: PoolSpec
    affine: Affine = "none"
    patience: int | None = None
    averaging: float | None = None
    head: HeadKind = "shared"
    searched_on: int = 20
    root: Path = Path()
    bundle: Path = Path()
    out: Path = Path()
    plm_spec: str | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    quiet: bool = True
    # Plain features, and what methods make of them, do not depend on the seed: once for a data set is enough.
    plain: dict[tuple[str, str], Features] = field(default_factory=dict, compare=False, repr=False)
    fitted: dict[tuple[str, str, str], Fitted] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, one: Experiment) -> Self:
        """Return the settings of an experiment, without paths."""
        recipe = Recipe(one.epochs, one.profiles_per_step, one.texts_per_profile)
        recipe = replace(recipe, label_bias=one.label_bias, head_lr=one.head_lr, noise=one.noise, tau=one.tau, bf16=one.bf16)
        pool = PoolSpec(one.pool, one.pool_size, one.chosen, one.bottleneck, one.pool_scale, 0, one.pool_file, one.personal_layers)
        part = Slice(one.profiles, one.texts, one.max_tokens)
        head: HeadKind = "own" if one.own_head else "shared"
        return cls(recipe, part, pool, one.affine, one.patience, one.averaging, head, one.searched_on)

    def for_search(self, name: str) -> Self:
        """Return the comparison that a search on a data set uses: fewer profiles, where the set has several."""
        several = SETS[name].measured == "test" and self.part.profiles is None
        return replace(self, part=replace(self.part, profiles=self.searched_on)) if several else self


@dataclass(frozen=True)
class Run:
    """One method on one data set with one seed."""

    setup: Comparison
    name: str
    method: str
    recipe: Recipe
    purpose: Purpose
    texts_per_profile: int | None = None  # of newly added profiles, for a curve
    settings_tried: int = 1  # the search on dev chose the recipe from so many

    @property
    def head(self) -> HeadKind:
        """Whether profiles share the head, have a label bias each, or a head each."""
        return "bias" if self.recipe.label_bias else self.setup.head

    @property
    def reported_method(self) -> str:
        """The method's name in reports."""
        return self.method if self.method in HEADLESS or self.head == "shared" else f"{self.method}+{self.head}"

    @property
    def adapters(self) -> PoolSpec:
        """The pool, or the sizes of adapters without one. Each seed draws a pool of its own."""
        return replace(self.setup.pool, seed=self.recipe.seed)

    @property
    def pool(self) -> PoolSpec | None:
        """The pool, if the method has one."""
        has_masks = self.method == DEFAULT_METHOD or (self.method in METHODS and METHODS[self.method].masks)
        return self.adapters if has_masks else None

    @property
    def kind(self) -> MaskKind:
        """The method's kind of masks."""
        return MaskKind(soft=self.method == "soft", affine=self.setup.affine)

    @property
    def plan(self) -> Regularization:
        """How training is kept from overfitting."""
        own = METHODS[self.method].plan
        patience, averaging = self.setup.patience, self.setup.averaging
        return replace(
            own,
            patience=own.patience if patience is None else patience,
            averaging=own.averaging if averaging is None else averaging,
        )

    @property
    def settings(self) -> dict[str, JsonValue]:
        """All that tells the run from others on its data set."""
        model: dict[str, JsonValue] = {"bottleneck": self.setup.pool.bottleneck}
        if self.pool:
            content = self.pool.content()
            model = {"pool": without_none(self.pool) | ({"file": content} if content else {}), **without_none(self.kind)}
        head: dict[str, JsonValue] = {"head": "own"} if self.head == "own" else {}
        recipe: dict[str, JsonValue] = without_none(self.recipe)
        if self.method == DEFAULT_METHOD:
            # Of the loop's recipe, only this holds for it. Which labels profiles know is a property of the data set.
            plan = TaskRecipe().model_dump(mode="json", exclude={"known_labels": True, "add": {"known_labels"}})
            recipe = {name: recipe[name] for name in (*VARIED, "bf16")} | plan
        texts: dict[str, JsonValue] = {"texts": self.texts_per_profile} if self.texts_per_profile else {}
        stopping = {"patience": self.setup.patience, "averaging": self.setup.averaging} if self.method in METHODS else {}
        stopped: dict[str, JsonValue] = {name: value for name, value in stopping.items() if value is not None}
        return {**recipe, **model, **stopped, **head, **texts, "slice": self.setup.part.description, "purpose": self.purpose}

    @property
    def stem(self) -> str:
        """Name of the run's files: data set, method, seed and a digest of the settings."""
        digest = hashlib.sha256(json.dumps(self.settings, sort_keys=True, allow_nan=False).encode()).hexdigest()[:8]
        return f"{self.name.replace('/', '-')}.{self.reported_method}.{self.recipe.seed}.{digest}"

    @property
    def checkpoint(self) -> Path:
        """Where the run is saved until it is done."""
        return self.setup.out / f"{self.stem}.pt"


def without_none(settings: Recipe | PoolSpec | MaskKind) -> dict[str, JsonValue]:
    """Return the settings that have a value."""
    return {name: value for name, value in asdict(settings).items() if value is not None}


def candidates(experiment: Experiment, method: str) -> tuple[Rates, ...]:
    """Return the learning rates that an experiment tries for a method; (0,) for a method that trains nothing but a head."""
    if method not in METHODS:
        return (Rates(0.0),)
    return tuple(Rates(rate, experiment.shared_lr) for rate in experiment.profile_lr) or METHODS[method].searched


def makes(experiment: Experiment, record: RunRecord) -> bool:
    """Return whether the experiment makes the run of a record, whatever its seed and whichever rate dev chose."""
    if record.data not in experiment.data or record.base not in experiment.methods:
        return False
    if (record.purpose == "curve") != bool(experiment.newcomers):
        return False
    # A trained pool's file need not be there to be named.
    setup = Comparison.of(experiment.model_copy(update={"pool_file": None}))
    if record.purpose == "search":
        setup = setup.for_search(record.data)
    recipe = replace(setup.recipe, label_bias=setup.recipe.label_bias or (record.purpose, record.base) == ("curve", "head"))
    run = Run(setup, record.data, record.base, recipe, record.purpose, record.textsPerProfile)
    rates = {(rate.profile, rate.shared) for rate in candidates(experiment, record.base)}
    return (
        comparable(run.settings) == comparable(record.recipe) and (record.recipe.get("profile_lr"), record.recipe.get("shared_lr")) in rates
    )


def comparable(settings: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the settings that an experiment fixes."""
    pool = settings.get("pool")
    fixed = {"pool": {key: value for key, value in pool.items() if key not in ("file", "seed")}} if isinstance(pool, dict) else {}
    return {key: value for key, value in settings.items() if key not in VARIED} | fixed
