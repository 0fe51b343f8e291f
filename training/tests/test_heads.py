import pytest
import torch
from sklearn.linear_model import LogisticRegression

from xpeft.data import DataSet, Example
from xpeft.features import Features
from xpeft.heads import HELD_OUT_EVERY, WEIGHT_PENALTIES, Head, HeadKind, fit_head, hold_out, search_head, settings_tried
from xpeft.linear_fit import Penalties
from xpeft.records import Split

SOURCE = torch.Generator().manual_seed(0)
D = 6


def said_by(profiles: int, texts: int, said: int = 2) -> list[Example]:
    """Texts whose label is their profile's number, modulo the labels."""
    return [Example(profile, profile % said, [], []) for profile in range(profiles) for _ in range(texts)]


def data_of(train: list[Example], dev: list[Example]) -> DataSet:
    """A data set of the profiles and labels that these have."""
    names = [str(number) for number in range(1 + max(example.profile for example in train))]
    return DataSet(names, ["no", "yes"], {"train": train, "dev": dev, "test": []})


def noise(texts: int) -> torch.Tensor:
    """Features that tell nothing."""
    return torch.randn(texts, D, generator=SOURCE)


@pytest.mark.parametrize("chosen_on", ["dev", "train"])
def test_a_label_bias_is_learnt_from_a_dozen_texts_a_profile(chosen_on: Split) -> None:
    # Only its own bias can tell what a profile says.
    examples = said_by(4, 12)
    data = data_of(examples, examples)
    features: Features = {"train": noise(48), "dev": noise(48)}
    head = search_head(data, features, "bias", chosen_on, "", quiet=True).stored()
    assert (head.predict(data, features, "dev") == [example.label for example in examples]).all()
    assert (head.profile_bias.abs() > 0.2).all()


def test_a_shared_head_is_the_logistic_regression_of_scikit_learn() -> None:
    features = noise(200) + 3.0
    examples = [Example(0, int(row[0] + row[1] > 6.5), [], []) for row in features]
    head = fit_head(data_of(examples, []), features, "shared", Penalties(weight=5.0))
    scale = features.std(0, correction=0).mean()
    # A penalty on the weights of both labels is twice that on their difference.
    theirs = LogisticRegression(C=2 / 5.0, tol=1e-8, max_iter=1000).fit(features / scale, [example.label for example in examples])
    ours = (head.weight[1] - head.weight[0]) * scale
    torch.testing.assert_close(ours, torch.tensor(theirs.coef_[0]).float(), rtol=0.01, atol=0.01)
    logits = head.logits(features, torch.zeros(200, dtype=torch.long))
    torch.testing.assert_close(
        (logits[:, 1] - logits[:, 0]).double(), torch.tensor(theirs.decision_function(features / scale)), rtol=0.02, atol=0.02
    )


@pytest.mark.parametrize("chosen_on", ["dev", "train"])
def test_the_penalty_is_chosen_on_held_out_texts(chosen_on: Split) -> None:
    # Held-out texts say what the others say, or the opposite. Then the strongest penalty does the least harm.
    examples = [Example(0, number % 2, [], []) for number in range(60)]
    data = data_of(examples, examples)
    right = torch.tensor([[1.0 - 2 * example.label] * D for example in examples]) + 0.1 * noise(60)
    held_out = torch.zeros(60, 1)
    held_out[hold_out(examples)[1]] = 1.0
    agreeing = search_head(data, {"train": right, "dev": right}, "shared", chosen_on, "", quiet=True)
    train = right if chosen_on == "dev" else right * (1 - 2 * held_out)
    opposed = search_head(data, {"train": train, "dev": -right}, "shared", chosen_on, "", quiet=True)
    assert agreeing.weight.abs().max() > 5 * opposed.weight.abs().max()


@pytest.mark.parametrize("kind", ["shared", "bias", "own"])
def test_a_start_changes_nothing_but_the_time(kind: HeadKind) -> None:
    examples = said_by(3, 20)
    data, features = data_of(examples, []), noise(60)
    first = fit_head(data, features, kind, Penalties(weight=1.0))
    again = fit_head(data, features, kind, Penalties(weight=1.0), fit_head(data, features, kind, Penalties(weight=WEIGHT_PENALTIES[0])))
    rows = torch.tensor([example.profile for example in examples])
    torch.testing.assert_close(first.logits(features, rows), again.logits(features, rows), rtol=0.02, atol=0.02)


def test_own_heads_learn_from_their_own_texts_alone() -> None:
    examples = said_by(2, 20)
    features = noise(40)
    both = fit_head(data_of(examples, []), features, "own", Penalties(weight=1.0))
    changed = [Example(example.profile, example.label if example.profile else 1 - example.label, [], []) for example in examples]
    other = fit_head(data_of(changed, []), features, "own", Penalties(weight=1.0))
    torch.testing.assert_close(both.weight[1], other.weight[1])
    assert not torch.allclose(both.profile_bias[0], other.profile_bias[0])


def test_scores_between_two_labels_are_fitted() -> None:
    examples = [Example(0, 0, [], [], 0.25)] * 40
    head: Head = fit_head(data_of(examples, []), torch.zeros(40, D), "shared", Penalties(weight=1.0))
    torch.testing.assert_close(head.bias.softmax(0), torch.tensor([0.75, 0.25]), rtol=0.02, atol=0.01)


def test_every_fifth_text_of_a_profile_is_held_out_and_never_all() -> None:
    fitted, held_out = hold_out(said_by(2, 12))
    assert held_out == [HELD_OUT_EVERY - 1, 2 * HELD_OUT_EVERY - 1, 12 + HELD_OUT_EVERY - 1, 12 + 2 * HELD_OUT_EVERY - 1]
    assert sorted(fitted + held_out) == list(range(24))
    assert hold_out(said_by(2, 1)) == ([0], [1])
    assert hold_out(said_by(1, 1)) == ([0], [0])


def test_the_number_of_settings_is_stated() -> None:
    assert (settings_tried("shared"), settings_tried("bias"), settings_tried("own")) == (8, 12, 8)
