"""One trained adapter that all profiles share, beside a label bias each: a task's own adapter, and a method of the comparison."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from xpeft.batches import Batch
from xpeft.best_epoch import BestEpoch
from xpeft.data import DataSet
from xpeft.encoder import AdapterEncoder, Adapters, Dropout
from xpeft.label_bias import first_bias
from xpeft.profile_model import ProfileModel, StepSettings, look_up
from xpeft.train import Recipe, train
from xpeft.trunk_cache import TrunkCache

# The spread of BERT's first weights.
START = 0.02


@dataclass(frozen=True)
class Regularization:
    """What keeps a shared adapter from overfitting.

    dropout: of the bottleneck and of the pooled features. weight_decay: of adapter and head. patience: epochs without progress on dev
    after which training stops. averaging: how much of a running mean of adapter, head and label biases stays in each step; 0 for none.
    """

    dropout: float = 0.1
    weight_decay: float = 1.0
    patience: int = 3
    averaging: float = 0.97


class SharedAdapterModel(ProfileModel):
    """An adapter [L, 2, d*b] in the form of merged ones: a LayerNorm without affine in the bottleneck, and no biases.

    A profile learns a change of its label bias, [P + 1, labels], which `label_bias` is the start of.
    """

    shares_features = True

    def __init__(
        self, encoder: AdapterEncoder, bottleneck: int, profiles: int, labels: int, seed: int, dropout: float = Regularization.dropout
    ) -> None:
        source = torch.Generator().manual_seed(seed)
        super().__init__(encoder, profiles, labels, source)
        self.dropout = dropout
        down = torch.randn(len(encoder.blocks), encoder.hidden * bottleneck, generator=source) * START
        # With up at zero, training starts at the PLM itself.
        self.adapter = nn.Parameter(torch.stack([down, torch.zeros_like(down)], dim=1))
        self.bias_change = nn.Parameter(torch.zeros(profiles + 1, labels))

    def tables(self) -> list[nn.Parameter]:
        """Return the change of the label biases."""
        return [self.bias_change]

    def shared(self) -> list[nn.Parameter]:
        """Return the adapter."""
        return [self.adapter]

    def shared_bytes(self) -> int:
        """Return the adapter's bytes in int8: one a number, and a scale of four a matrix."""
        return self.adapter.numel() + 4 * self.adapter.shape[:2].numel()

    def bytes_a_profile(self) -> int:
        """Return 0: the label bias is counted apart."""
        return 0

    def numbers_a_profile(self) -> int:
        """Return 0: the label bias is counted apart."""
        return 0

    def features(self, batch: Batch, step: StepSettings | None = None) -> torch.Tensor:
        """Return pooled features [G*M, d]; in a training step, with dropout."""
        dropout = Dropout(self.dropout, step.generator) if step else None
        adapters = Adapters.from_merged(self.adapter[None], self.encoder.hidden, dropout=dropout)
        features = self.encode(batch, adapters, step)
        return dropout(features) if dropout else features

    def scores(self, features: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return logits [G*M, labels], each under its profile's trained label bias."""
        return super().scores(features, rows) + look_up(self.bias_change, rows).repeat_interleave(len(features) // len(rows), dim=0)

    @torch.no_grad()
    def trained_bias(self) -> torch.Tensor:
        """Return the trained label biases, [P + 1, labels]."""
        return self.label_bias + self.bias_change


def train_shared_adapter(
    encoder: AdapterEncoder,
    data: DataSet,
    bottleneck: int,
    recipe: Recipe,
    pad_id: int,
    checkpoint: Path,
    settings: object,
    resume: bool,
    quiet: bool = False,
    regularization: Regularization | None = None,
    trunks: TrunkCache | None = None,
) -> tuple[SharedAdapterModel, BestEpoch]:
    """Train an adapter for all profiles of `data` and return it with the best epoch's number and losses: the model is that epoch's.

    recipe: `shared_lr` is the adapter's rate, `profile_lr` the label biases', which are all zero unless `label_bias`; the rest as in
    `train`. data: has dev texts. trunks: the cache of layer 0's residuals of the train and dev texts. Raises as `train`.
    """
    plan = regularization or Regularization()
    sizes = len(data.profiles), len(data.labels)
    model = SharedAdapterModel(encoder, bottleneck, *sizes, recipe.seed, plan.dropout).to(encoder.get_buffer("words").device)
    texts = data.splits["train"]
    model.label_bias[:-1] = first_bias(data, recipe.label_bias).to(model.device)
    if not recipe.label_bias:
        recipe = replace(recipe, profile_lr=0.0)
    best = BestEpoch(model, data.splits["dev"], pad_id, plan.patience, trunks, plan.averaging)
    train(
        model,
        texts,
        recipe,
        pad_id,
        checkpoint,
        settings,
        resume,
        quiet,
        with_default_profile=False,
        trunks=trunks,
        best=best,
        weight_decay=plan.weight_decay,
    )
    return model, best
