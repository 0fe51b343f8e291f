from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xpeft.batches import epoch_steps, seeded_generator, steps_per_epoch
from xpeft.data import Example

examples = st.lists(
    st.builds(lambda profile, length: Example(profile, 0, [1] * length, [0] * length), st.integers(0, 5), st.integers(2, 30)), min_size=1
)


@given(examples, st.integers(1, 5), st.integers(1, 4))
@settings(deadline=None)
def test_an_epoch_has_every_text_under_its_own_profile(texts: list[Example], groups_per_step: int, texts_per_group: int) -> None:
    steps = epoch_steps(texts, groups_per_step, texts_per_group, 99, seeded_generator(0))
    assert len(steps) == steps_per_epoch(texts, groups_per_step, texts_per_group)
    groups = [list(zip(step.rows.tolist(), step.texts.tolist(), strict=True)) for step in steps]
    own = [group for step in groups for group in step[:-1]]
    assert {index for _, indices in own for index in indices} == set(range(len(texts)))
    assert all(texts[index].profile == row for row, indices in own for index in indices)
    assert all(step.texts.shape[1] == texts_per_group for step in steps)
    for step in groups:
        assert len(step) <= groups_per_step + 1
        row, indices = step[-1]
        longest = max(len(texts[index].ids) for _, group in step[:-1] for index in group)
        assert row == 99
        assert max(len(texts[index].ids) for index in indices) <= longest


def test_a_generator_depends_on_its_numbers_alone() -> None:
    texts = [Example(index % 3, 0, [1] * (index % 7 + 2), [0] * (index % 7 + 2)) for index in range(40)]
    first, again, other = (epoch_steps(texts, 4, 2, 99, seeded_generator(*key)) for key in ((1, 0), (1, 0), (1, 1)))
    assert repr(first) == repr(again)
    assert repr(first) != repr(other)


def test_a_plan_draws_random_numbers_in_proportion_to_the_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = 0

    def counted(name: str) -> Callable[..., torch.Tensor]:
        draw: Callable[..., torch.Tensor] = getattr(torch, name)

        def count(*sizes: int, **more: Any) -> torch.Tensor:
            nonlocal drawn
            numbers = draw(*sizes, **more)
            drawn += numbers.numel()
            return numbers

        return count

    texts = [Example(index % 100, 0, [1] * (index % 7 + 2), []) for index in range(4000)]
    for name in ("rand", "randperm"):
        monkeypatch.setattr(torch, name, counted(name))
    epoch_steps(texts, 16, 4, 100, seeded_generator(0))
    # One for each text, two for each step. A shuffle of all texts in each step would draw 250,000.
    assert drawn < 2 * len(texts)
