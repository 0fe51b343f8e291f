"""The methods of the comparison: how to build each model, and its candidate learning rates."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch

from xpeft.comparison.experiment import PoolKind
from xpeft.encoder import AdapterEncoder
from xpeft.errors import XpeftError
from xpeft.mask_model import MaskKind, MaskModel
from xpeft.peers.feature_method import FeatureMethod, int8_steps, shared_head
from xpeft.peers.head_changes import rank_one, user_vector
from xpeft.peers.neighbours import neighbours
from xpeft.peers.scikit import logistic, ridge
from xpeft.plm import PLM
from xpeft.pool import PoolShape, default_scale, gaussian_pool, sign_pool
from xpeft.profile_model import ProfileModel
from xpeft.shared_adapter import Regularization, SharedAdapterModel
from xpeft.stored_pool import load_pool


@dataclass(frozen=True)
class PoolSpec:
    """An adapter pool: kind, sizes, and seed or file.

    scale: size of its entries, as a multiple of the usual size or of the file's. personal_layers: how many of the last layers it covers;
    None for all.
    """

    kind: PoolKind = "sign"
    size: int = 256
    chosen: int = 128
    bottleneck: int = 16
    scale: float = 1.0
    seed: int = 0
    file: str | None = None
    personal_layers: int | None = None

    def __post_init__(self) -> None:
        """Raise XpeftError where a mask would choose more adapters than there are."""
        if self.chosen > self.size:
            raise XpeftError(f"a mask cannot choose {self.chosen} of {self.size} adapters", "Choose fewer, or take a larger pool.")

    def content(self) -> str | None:
        """Return a hash of a trained pool's file. Settings hold it in place of the path, which says nothing of the pool."""
        return sha256(Path(self.file).read_bytes()).hexdigest()[:16] if self.file else None

    @property
    def description(self) -> str:
        """The pool's name in reports."""
        scale = "" if self.scale == 1 else f" scale x{self.scale:g}"
        layers = "" if self.personal_layers is None else f" last {self.personal_layers}"
        return f"{self.kind} N={self.size} k={self.chosen} b={self.bottleneck}{scale}{layers}"

    def shape(self, plm: PLM) -> PoolShape:
        """Return the pool's sizes with a PLM's layers and hidden size."""
        layers = len(plm.layers)
        personal = layers if self.personal_layers is None else self.personal_layers
        if personal > layers:
            raise XpeftError(f"the PLM has {layers} layers, not {personal}", "Choose fewer personal layers.")
        return PoolShape(personal, plm.hidden, self.bottleneck, self.size, self.chosen, layers - personal)

    def entries(self, plm: PLM) -> torch.Tensor:
        """Return the pool's adapters [L, 2, N, d*b]."""
        shape, scale = self.shape(plm), self.scale * default_scale(self.chosen)
        if self.kind == "trained":
            return self.scale * load_pool(Path(self.file or ""), shape).entries()
        return (sign_pool if self.kind == "sign" else gaussian_pool)(self.seed, shape, scale)


@dataclass(frozen=True)
class Rates:
    """Learning rates of what a profile learns and of what all profiles share beside the head."""

    profile: float
    shared: float = 0.0


def rates(*profile: float, shared: float = 0.0) -> tuple[Rates, ...]:
    """Return candidates. shared: the shared rate as a multiple of the profile's."""
    return tuple(Rates(rate, rate * shared) for rate in profile)


# As `train` keeps its task adapter.
SHARED = Regularization()
# Early stopping alone.
UNREGULARIZED = Regularization(dropout=0.0, weight_decay=0.0, patience=2, averaging=0.0)
Build = Callable[[PLM, PoolSpec, MaskKind, int, int, int], ProfileModel]


@dataclass(frozen=True)
class Method:
    """How to build a method's model from PLM, pool, kind of masks, profiles, labels and seed, and the rates to search.

    int8: whether a profile stores its change from the start in int8, with one scale. plan: how training is kept from overfitting.
    """

    build: Build
    searched: tuple[Rates, ...]
    masks: bool = False
    int8: bool = False
    plan: Regularization = UNREGULARIZED

    def bytes_a_profile(self, model: ProfileModel) -> int:
        """Return the stored bytes of a profile without its label bias."""
        return model.numbers_a_profile() + 4 if self.int8 else model.bytes_a_profile()

    @torch.no_grad()
    def round_as_stored(self, model: ProfileModel, starts: list[torch.Tensor]) -> None:
        """Round what profiles have learnt as it is stored. starts: rows [1, numbers] that the model's tables started with."""
        if isinstance(model, SharedAdapterModel):
            # A scale for each matrix, as in a task's row.
            model.adapter.copy_(int8_steps(model.adapter, -1))
        if not self.int8:
            return
        tables = model.tables()
        changes = torch.cat([table - start for table, start in zip(tables, starts, strict=True)], dim=1)
        rounded = int8_steps(changes, 1).split([table.shape[1] for table in tables], dim=1)
        for table, start, change in zip(tables, starts, rounded, strict=True):
            table.copy_(start + change)


def _masks(plm: PLM, pool: PoolSpec, kind: MaskKind, profiles: int, labels: int, seed: int) -> ProfileModel:
    return MaskModel(AdapterEncoder(plm), pool.entries(plm), pool.shape(plm), profiles, labels, seed, kind)


def _adapter(plm: PLM, pool: PoolSpec, _kind: MaskKind, profiles: int, labels: int, seed: int) -> ProfileModel:
    from xpeft.peers.adapter import AdapterModel

    return AdapterModel(AdapterEncoder(plm), pool.bottleneck, profiles, labels, seed)


def _shared_adapter(plm: PLM, pool: PoolSpec, _kind: MaskKind, profiles: int, labels: int, seed: int) -> ProfileModel:
    return SharedAdapterModel(AdapterEncoder(plm), pool.bottleneck, profiles, labels, seed, SHARED.dropout)


def _peft(name: str) -> Build:
    def build(plm: PLM, _pool: PoolSpec, _kind: MaskKind, profiles: int, labels: int, seed: int) -> ProfileModel:
        try:
            from xpeft.peers.peft import PeftModel
        except ImportError as error:
            raise XpeftError(f"{name} needs the library peft", "Install it: pip install -e 'training[compare]'.") from error
        return PeftModel(AdapterEncoder(plm), name, profiles, labels, seed)

    return build


# On all of news, a rate of 0.1 cost hard masks three points of macro accuracy.
HARD_RATES = (*rates(1e-2, 3e-2), Rates(2e-3, 3e-2), Rates(1e-2, 3e-2))
SOFT_RATES = (*rates(1e-2, 3e-2, 1e-1), Rates(1e-2, 3e-2))
METHODS: dict[str, Method] = {
    "hard": Method(_masks, HARD_RATES, masks=True),
    "soft": Method(_masks, SOFT_RATES, masks=True),
    "adapter": Method(_adapter, rates(1e-4, 3e-4, 1e-3, 3e-3)),
    "lora": Method(_peft("lora"), rates(3e-4, 1e-3, 3e-3)),
    "ia3": Method(_peft("ia3"), rates(3e-3, 1e-2, 3e-2)),
    "bitfit": Method(_peft("bitfit"), rates(3e-4, 1e-3, 3e-3)),
    "vera": Method(_peft("vera"), rates(3e-3, 1e-2, 3e-2)),
    # PEFT's documentation advises a tenth of the logits' rate for the bank of vectors.
    "vblora": Method(_peft("vblora"), rates(3e-3, 1e-2, 3e-2, shared=0.1)),
    "unilora-200": Method(_peft("unilora-200"), rates(3e-3, 1e-2, 3e-2), int8=True),
    "unilora-400": Method(_peft("unilora-400"), rates(3e-3, 1e-2, 3e-2), int8=True),
    "lora-xs": Method(_peft("lora-xs"), rates(3e-3, 1e-2, 3e-2), int8=True),
    "ia3-last": Method(_peft("ia3-last"), rates(3e-3, 1e-2, 3e-2), int8=True),
    # The profile's rate is that of the label biases.
    "shared-adapter": Method(_shared_adapter, tuple(Rates(2e-3, shared) for shared in (2e-3, 4e-3, 8e-3)), plan=SHARED),
}
# Methods that have neither a head nor a label bias.
HEADLESS = ("majority", "knn")
# Methods on the plain PLM's features. They search their own settings on dev.
FEATURE_METHODS: dict[str, FeatureMethod] = {
    "head": shared_head,
    "logistic": logistic,
    "ridge": ridge,
    "user-vector": user_vector,
    "rank-1": rank_one,
    "knn": neighbours,
}
