"""Methods on the plain PLM's features, on made-up features of which we know who can read them."""

import pytest
import torch

from xpeft.data import DataSet, Example
from xpeft.features import Features
from xpeft.linear_fit import Targets
from xpeft.peers.feature_method import FeatureMethod, Fitted, Stored, choose, int8_steps, shared_head
from xpeft.peers.head_changes import rank_one, user_vector
from xpeft.peers.neighbours import neighbours
from xpeft.peers.scikit import logistic, ridge
from xpeft.records import Split

SPLITS: tuple[Split, ...] = ("train", "dev", "test")
D, PROFILES, TEXTS = 6, 8, 60


def made_up(kind: str) -> tuple[DataSet, Features]:
    """Texts whose label is that of the first number, or what the profile makes of the second: half of the profiles read it upside down.

    For "bias", profiles only differ in how often they say yes.
    """
    source = torch.Generator().manual_seed(0)
    splits: dict[Split, list[Example]] = {}
    features: Features = {}
    for split in SPLITS:
        profiles = torch.arange(PROFILES).repeat_interleave(TEXTS)
        values = torch.randn(len(profiles), D, generator=source)
        side = 1.0 - 2 * (profiles % 2)
        seen = {"shared": values[:, 0], "opposed": values[:, 1] * side, "bias": side + values[:, 0]}[kind]
        labels = (seen + 0.2 * torch.randn(len(profiles), generator=source) > 0).long().tolist()
        splits[split] = [Example(profile, label, [], []) for profile, label in zip(profiles.tolist(), labels, strict=True)]
        features[split] = values * 2 + 1
    return DataSet([str(profile) for profile in range(PROFILES)], ["no", "yes"], splits), features


def accuracy(data: DataSet, fitted: Fitted) -> float:
    """The part of the test texts that get the right label."""
    return (fitted.logits["test"].argmax(1) == Targets.of(data.splits["test"]).labels).float().mean().item()


@pytest.mark.parametrize("method", [shared_head, logistic, ridge, user_vector, rank_one])
def test_what_all_profiles_share_is_read_by_linear_methods(method: FeatureMethod) -> None:
    data, features = made_up("shared")
    assert accuracy(data, method(data, features, "shared", True)) > 0.9


@pytest.mark.parametrize(
    ("method", "least", "most"), [(shared_head, 0.4, 0.6), (user_vector, 0.85, 1), (rank_one, 0.85, 1), (neighbours, 0.7, 1)]
)
def test_what_profiles_read_in_opposite_ways_needs_more_than_a_shared_head(method: FeatureMethod, least: float, most: float) -> None:
    data, features = made_up("opposed")
    assert least < accuracy(data, method(data, features, "shared", True)) < most


@pytest.mark.parametrize("method", [shared_head, logistic, ridge])
def test_label_biases_say_how_often_a_profile_gives_a_label(method: FeatureMethod) -> None:
    data, features = made_up("bias")
    without, fitted = (method(data, features, kind, True) for kind in ("shared", "bias"))
    assert accuracy(data, fitted) > accuracy(data, without) + 0.1


def test_what_methods_store_is_counted() -> None:
    data, features = made_up("opposed")
    assert rank_one(data, features, "shared", True).stored == Stored(profile=2 + D + 8, numbers=2 + D)
    stored = user_vector(data, features, "shared", True).stored
    assert stored == Stored(profile=stored.numbers, task=4 * stored.numbers * 2 * D, numbers=stored.numbers)
    assert neighbours(data, features, "shared", True).stored == Stored(profile=TEXTS * (D + 1), head=False)


def test_dev_chooses_and_all_settings_count() -> None:
    data, _ = made_up("shared")
    right = torch.eye(2)[Targets.of(data.splits["dev"]).labels]
    fits = [Fitted({"dev": factor * right}, Stored(), 3) for factor in (-1.0, 2.0, 1.0)]
    best = choose(data, fits)
    assert best.logits is fits[1].logits
    assert best.settings_tried == 9


def test_scores_between_two_labels_are_half_of_each() -> None:
    # Texts in two places: scores of 0.5 and of 1.5.
    places = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).repeat(200, 1)
    examples = [Example(0, number % 2, [], [], 0.5) for number in range(400)]
    data = DataSet(["a"], ["0", "1", "2"], {"train": examples, "dev": examples, "test": examples})
    features: Features = dict.fromkeys(SPLITS, places)
    expected = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]])
    for method in (logistic, neighbours, user_vector):
        torch.testing.assert_close(method(data, features, "shared", True).logits["test"][:2].softmax(1), expected, rtol=0, atol=0.2)


def test_int8_steps_are_at_most_half_a_step_off() -> None:
    values = torch.randn(5, 40, generator=torch.Generator().manual_seed(0))
    steps = int8_steps(values, 1)
    largest = values.abs().amax(1, keepdim=True)
    assert ((steps - values).abs() <= largest / 127 / 2 * 1.001).all()
    assert ((steps / largest * 127).round().unique().numel()) <= 255
