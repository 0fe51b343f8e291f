"""What a comparison's runs are told, and the names of their files."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch
from pydantic import JsonValue

from xpeft.comparison.methods import METHODS, PoolSpec
from xpeft.comparison.sets import Slice
from xpeft.heads import HeadKind
from xpeft.mask_model import Affine, MaskKind
from xpeft.train import Recipe


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
    affine: Affine
    head: HeadKind
    searched_on: int
    quiet: bool


@dataclass(frozen=True)
class Run:
    """One method on one data set with one seed."""

    setup: Comparison
    name: str
    method: str
    recipe: Recipe
    purpose: Literal["result", "search", "curve"]
    texts_per_profile: int | None = None  # of newly added profiles, for a curve

    @property
    def head(self) -> HeadKind:
        """Whose the head is."""
        return "bias" if self.recipe.label_bias else self.setup.head

    @property
    def label(self) -> str:
        """The method as it is reported."""
        return self.method if self.method == "majority" or self.head == "shared" else f"{self.method}+{self.head}"

    @property
    def pool(self) -> PoolSpec | None:
        """The pool, if the method has one."""
        return self.setup.pool if self.method in METHODS and METHODS[self.method].masks else None

    @property
    def kind(self) -> MaskKind:
        """Which masks the method has."""
        return MaskKind(soft=self.method == "soft", affine=self.setup.affine)

    @property
    def settings(self) -> dict[str, JsonValue]:
        """All that distinguishes the run from others on its data set."""
        own: dict[str, JsonValue] = {"bottleneck": self.setup.pool.bottleneck}
        if self.pool:
            own = {"pool": given(self.pool) | ({"file": content} if (content := self.pool.content()) else {}), **given(self.kind)}
        head: dict[str, JsonValue] = {"head": "own"} if self.head == "own" else {}
        texts: dict[str, JsonValue] = {"texts": self.texts_per_profile} if self.texts_per_profile else {}
        return {**given(self.recipe), **own, **head, **texts, "slice": self.setup.part.words(), "purpose": self.purpose}

    @property
    def stem(self) -> str:
        """Name of the run's files: short, and another for other settings."""
        # The files of earlier runs were named when the rate had another name; they must still be found.
        named = {"own_lr" if name == "profile_lr" else name: value for name, value in self.settings.items()}
        digest = hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:8]
        return f"{self.name.replace('/', '-')}.{self.label}.{self.recipe.seed}.{digest}"

    @property
    def checkpoint(self) -> Path:
        """Where the run is saved while it is under way."""
        return self.setup.out / f"{self.stem}.pt"


def given(settings: Recipe | PoolSpec | MaskKind) -> dict[str, JsonValue]:
    """Settings that have a value."""
    return {name: value for name, value in asdict(settings).items() if value is not None}
