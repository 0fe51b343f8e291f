"""Early stopping: the epoch with the least cross entropy on texts that are not trained on."""

from typing import TypedDict

import torch

from xpeft.data import Example
from xpeft.features import compute_groups, feature_groups
from xpeft.linear_fit import Targets
from xpeft.profile_model import ProfileModel
from xpeft.trunk_cache import TrunkCache

# After so many steps the decay is one half. It grows from step to step up to `decay`.
WARM_STEPS = 10


class BestState(TypedDict):
    """What a checkpoint holds of the best epoch."""

    losses: list[float]
    parameters: dict[str, torch.Tensor]
    mean: dict[str, torch.Tensor]
    steps: int


class BestEpoch:
    """Measures a model on `dev` after each epoch, and keeps the parameters of the best one.

    patience: how many epochs in a row may bring nothing before training stops. decay: how much of the running mean of the parameters
    stays in each step; what is measured and kept is that mean. 0 keeps the parameters themselves. losses: the cross entropy after each
    epoch.
    """

    def __init__(
        self, model: ProfileModel, dev: list[Example], pad_id: int, patience: int, trunks: TrunkCache | None = None, decay: float = 0.0
    ) -> None:
        self.model = model
        self.dev = dev
        self.pad_id = pad_id
        self.patience = patience
        self.trunks = trunks
        self.decay = decay
        self.mean: dict[str, torch.Tensor] = {}
        self.steps = 0
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
    def follow(self) -> None:
        """Move the running mean towards the parameters, at the end of a step."""
        if not self.decay:
            return
        self.steps += 1
        # At first the mean follows fast, so that it forgets the start.
        decay = min(self.decay, self.steps / (self.steps + WARM_STEPS))
        for name, parameter in self.model.trained_parameters().items():
            self.mean.setdefault(name, parameter.detach().clone()).lerp_(parameter.detach(), 1 - decay)

    @torch.no_grad()
    def measure(self) -> None:
        """Measure the model at the end of an epoch. Raises NotFinite where a feature is not finite."""
        if not self.mean:
            self._measure()
            return
        last = {name: parameter.detach().clone() for name, parameter in self.model.trained_parameters().items()}
        self._set(self.mean)
        self._measure()
        self._set(last)

    def _measure(self) -> None:
        model, dev = self.model, self.dev
        features = compute_groups(model.features, dev, feature_groups(model, dev), self.pad_id, model.device, self.trunks).to(model.device)
        targets = Targets.of(dev)
        self.losses.append(targets.loss(model.scores(features, targets.profiles.to(model.device)).cpu()).item())
        if self.number == len(self.losses):
            self.parameters = {name: parameter.detach().clone() for name, parameter in model.trained_parameters().items()}

    @torch.no_grad()
    def restore(self) -> None:
        """Give the model the parameters of the best epoch."""
        self._set(self.parameters)

    def _set(self, parameters: dict[str, torch.Tensor]) -> None:
        for name, parameter in self.model.trained_parameters().items():
            parameter.copy_(parameters[name])

    def state(self) -> BestState:
        """Return what a checkpoint has to hold."""
        return {"losses": self.losses, "parameters": self.parameters, "mean": self.mean, "steps": self.steps}

    def load(self, state: BestState) -> None:
        """Continue from a checkpoint."""
        self.losses, self.parameters, self.mean, self.steps = state["losses"], state["parameters"], state["mean"], state["steps"]
