"""Adam for tables with a row for each profile: a step updates only the rows that have a gradient."""

from collections.abc import Callable, Iterable
from typing import Any

import torch


class RowAdam(torch.optim.Optimizer):
    """Adam (Kingma & Ba, 2015) for tables [rows, numbers] with sparse gradients.

    Each row counts its own steps, so it moves as it would under a separate Adam, whatever the number of rows. torch.optim.SparseAdam
    counts steps for the whole table, which makes the first steps of a rare row three times as long.
    """

    def __init__(
        self, tables: Iterable[torch.nn.Parameter], lr: float, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        super().__init__(list(tables), {"lr": lr, "betas": betas, "eps": eps})
        for group in self.param_groups:
            for table in group["params"]:
                self.state[table] = {
                    "steps": torch.zeros(len(table), 1, device=table.device),
                    "mean": torch.zeros_like(table),
                    "square": torch.zeros_like(table),
                }

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update the rows that have a gradient."""
        if closure is not None:
            raise ValueError("RowAdam takes no closure")
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is not None:
                    self._update(table, group)

    def _update(self, table: torch.nn.Parameter, group: dict[str, Any]) -> None:
        gradient = table.grad.coalesce()  # type: ignore[union-attr]
        rows, values = gradient.indices()[0], gradient.values()
        state, (first, second) = self.state[table], group["betas"]
        steps = state["steps"][rows] + 1
        mean = state["mean"][rows].lerp(values, 1 - first)
        square = state["square"][rows].lerp(values.square(), 1 - second)
        state["steps"][rows], state["mean"][rows], state["square"][rows] = steps, mean, square
        size = (square / (1 - second**steps)).sqrt() + group["eps"]
        table[rows] -= group["lr"] * (mean / (1 - first**steps)) / size
