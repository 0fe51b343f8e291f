from typing import Any, cast

import numpy as np
import pytest
import torch

from xpeft.linear_fit import Targets
from xpeft.task_steps import ADAPTER, TASK_POOL, Learnt, kept


def learnt(name: str, loss: float, figures: tuple[float, ...] = (50.0, 60.0, 70.0)) -> Learnt:
    nothing = cast(Any, None)
    return Learnt(name, nothing, nothing, nothing, "bias", loss, np.array(figures))


@pytest.mark.parametrize(
    ("name", "loss", "keeps"), [(ADAPTER, 0.995, False), (ADAPTER, 0.985, True), (TASK_POOL, 0.985, False), (TASK_POOL, 0.965, True)]
)
def test_a_step_must_gain_one_percent_and_a_pool_three(name: str, loss: float, keeps: bool) -> None:
    before, found = learnt("before", 1.0), learnt(name, loss)
    assert (kept("auto", found, before) is found) is keeps
    assert kept(True, found, before) is found


def test_a_step_with_clearly_lower_figures_is_not_kept() -> None:
    before = learnt("before", 1.0)
    assert kept("auto", learnt(ADAPTER, 0.5, (40.0, 50.0, 60.0)), before) is before


def test_a_step_that_is_too_sure_of_itself_has_the_loss_of_its_best_scale() -> None:
    labels = torch.tensor([0, 0, 0, 1])
    targets = Targets(torch.zeros(4, dtype=torch.long), labels, torch.zeros(4))
    # Three of four texts have label 0, so the best logit is log 3 = 1.1; these are ten thirds of it.
    logits = torch.tensor([[3.66, 0.0]]).expand(4, 2)
    assert targets.loss(logits).item() > 0.9
    assert targets.loss_at_best_scale(logits) == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25), abs=1e-4)
    assert targets.loss_at_best_scale(logits) == targets.loss(logits * 0.3).item()
