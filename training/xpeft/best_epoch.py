"""Early stopping: the epoch with the least cross entropy on texts that are not trained on."""

from typing import TypedDict

import torch

from xpeft.data import Example
from xpeft.features import compute_groups, feature_groups
from xpeft.linear_fit import Targets
from xpeft.profile_model import ProfileModel
from xpeft.trunk_cache import TrunkCache


class BestState(TypedDict):
    """What a checkpoint holds of the best epoch."""

    losses: list[float]
    parameters: dict[str, torch.Tensor]


class BestEpoch:
    """Measures a model on `dev` after each epoch, and keeps the parameters of the best one.

    patience: how many epochs in a row may bring nothing before training stops. losses: the cross entropy after each epoch.
    """

    def __init__(self, model: ProfileModel, dev: list[Example], pad_id: int, patience: int, trunks: TrunkCache | None = None) -> None:
        self.model = model
        self.dev = dev
        self.pad_id = pad_id
        self.patience = patience
        self.trunks = trunks
        self.losses: list[float] = []
        self.parameters: dict[str, torch.Tensor] = {}

    @property
    def number(self) -> int:
        """The number of the best epoch, from 1; of equal ones, the first."""
        return self.losses.index(min(self.losses)) + 1

    @property
    def stop(self) -> bool:
        """Whether the last `patience` epochs brought nothing."""
        return bool(self.losses) and len(self.losses) - self.number >= self.patience

    @torch.no_grad()
    def measure(self) -> None:
        """Measure the model at the end of an epoch. Raises NotFinite where a feature is not finite."""
        model, dev = self.model, self.dev
        features = compute_groups(model.features, dev, feature_groups(model, dev), self.pad_id, model.device, self.trunks).to(model.device)
        targets = Targets.of(dev)
        self.losses.append(targets.loss(model.scores(features, targets.profiles.to(model.device)).cpu()).item())
        if self.number == len(self.losses):
            self.parameters = {name: parameter.detach().clone() for name, parameter in model.trained_parameters().items()}

    @torch.no_grad()
    def restore(self) -> None:
        """Give the model the parameters of the best epoch."""
        for name, parameter in self.model.trained_parameters().items():
            parameter.copy_(self.parameters[name])

    def state(self) -> BestState:
        """Return what a checkpoint has to hold."""
        return {"losses": self.losses, "parameters": self.parameters}

    def load(self, state: BestState) -> None:
        """Continue from a checkpoint."""
        self.losses, self.parameters = state["losses"], state["parameters"]
