from hypothesis import given, settings
from hypothesis import strategies as st

from xpeft.batches import epoch_steps, seeded_generator
from xpeft.data import Example

examples = st.lists(
    st.builds(lambda profile, length: Example(profile, 0, [1] * length, [0] * length), st.integers(0, 5), st.integers(2, 30)), min_size=1
)


@given(examples, st.integers(1, 5), st.integers(1, 4))
@settings(deadline=None)
def test_an_epoch_has_every_text_under_its_own_profile(texts: list[Example], groups_per_step: int, texts_per_group: int) -> None:
    steps = epoch_steps(texts, groups_per_step, texts_per_group, 99, seeded_generator(0))
    own = [group for step in steps for group in step if group[0] != 99]
    assert {index for _, indices in own for index in indices} == set(range(len(texts)))
    assert all(texts[index].profile == row for row, indices in own for index in indices)
    assert all(len(indices) == texts_per_group for step in steps for _, indices in step)
    assert all(len(step) <= groups_per_step + 1 and step[-1][0] == 99 for step in steps)


def test_a_generator_depends_on_its_numbers_alone() -> None:
    texts = [Example(index % 3, 0, [1] * (index % 7 + 2), [0] * (index % 7 + 2)) for index in range(40)]
    first, again, other = (epoch_steps(texts, 4, 2, 99, seeded_generator(*key)) for key in ((1, 0), (1, 0), (1, 1)))
    assert first == again
    assert first != other
