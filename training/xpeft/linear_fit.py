"""Minimizes a linear head's penalized cross entropy on standardized features, with or without a label bias for each profile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import torch

from xpeft.data import Example
from xpeft.profile_model import target_loss

MAX_STEPS = 100
# Of the mean cross entropy and its gradient.
TOLERANCE = 1e-5
CPU = torch.device("cpu")
# Of logits, when what gave them is compared.
SCALES = [number / 10 for number in range(2, 13)]


@dataclass(frozen=True)
class Penalties:
    """How strongly a fit pulls the weights, and the changes of label biases, to 0.

    A fit minimizes the summed cross entropy of its texts + weight / 2 * the weights' squares + bias / 2 * the changes' squares.
    """

    weight: float
    bias: float = 10.0


@dataclass(frozen=True)
class Targets:
    """What texts belong to and should be answered: profiles, labels and next_label_weights, each [texts]."""

    profiles: torch.Tensor
    labels: torch.Tensor
    next_label_weights: torch.Tensor

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Self:
        """Return the targets of examples, in order."""
        return cls(
            torch.tensor([example.profile for example in examples]),
            torch.tensor([example.label for example in examples]),
            torch.tensor([example.next_label_weight for example in examples]),
        )

    def to(self, device: torch.device) -> "Targets":
        """Return the targets on a device."""
        return Targets(self.profiles.to(device), self.labels.to(device), self.next_label_weights.to(device))

    def of_rows(self, rows: torch.Tensor) -> "Targets":
        """Return the targets of some texts, by index."""
        return Targets(self.profiles[rows], self.labels[rows], self.next_label_weights[rows])

    def loss(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the mean cross entropy of logits [texts, labels]."""
        return target_loss(logits, self.labels, self.next_label_weights)

    def loss_at_best_scale(self, logits: torch.Tensor) -> float:
        """Return the least mean cross entropy of logits [texts, labels] times one of `SCALES`.

        What is trained on few texts is too sure of itself, and may still know more than what is not.
        """
        return min(self.loss(logits * scale).item() for scale in SCALES)


@dataclass(frozen=True)
class LinearFit:
    """weight: [labels, d]. bias: [labels]. change: [profiles, labels], what is added to the profiles' biases that were given."""

    weight: torch.Tensor
    bias: torch.Tensor
    change: torch.Tensor

    @classmethod
    def zero(cls, d: int, profile_bias: torch.Tensor) -> Self:
        """Return the fit that knows nothing but the biases [profiles, labels] that profiles have."""
        return cls(torch.zeros(profile_bias.shape[1], d), torch.zeros(profile_bias.shape[1]), torch.zeros_like(profile_bias))


def minimize(
    features: torch.Tensor,
    targets: Targets,
    profile_bias: torch.Tensor,
    learn_change: bool,
    penalties: Penalties,
    start: LinearFit,
    device: torch.device = CPU,
) -> LinearFit:
    """Return the best fit for features [texts, d] and the label biases [profiles, labels] that profiles have before it.

    learn_change: whether the fit may change these biases. The problem is convex: `start` only says how far the way is. device: where
    it is computed; what is given and returned is on the CPU.
    """
    fit = LinearFit(*(part.to(device, copy=True) for part in (start.weight, start.bias, start.change)))
    features, targets, profile_bias = features.to(device), targets.to(device), profile_bias.to(device)

    def loss() -> torch.Tensor:
        logits = features @ fit.weight.T + fit.bias + (profile_bias + fit.change)[targets.profiles]
        penalty = penalties.weight * fit.weight.square().sum() + penalties.bias * fit.change.square().sum()
        return targets.loss(logits) + penalty / (2 * len(features))

    descend([fit.weight, fit.bias, *([fit.change] if learn_change else [])], loss)
    return LinearFit(fit.weight.cpu(), fit.bias.cpu(), fit.change.cpu())


def descend(parameters: list[torch.Tensor], loss: Callable[[], torch.Tensor]) -> None:
    """Change the parameters in place so that they minimize a smooth loss."""
    for parameter in parameters:
        parameter.requires_grad_()
    optimizer = torch.optim.LBFGS(
        parameters, max_iter=MAX_STEPS, tolerance_grad=TOLERANCE, tolerance_change=TOLERANCE, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)
    for parameter in parameters:
        parameter.requires_grad_(False)
