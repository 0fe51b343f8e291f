"""Bootstrap intervals, on made-up figures."""

import numpy as np
import pytest
from scipy.stats import bootstrap

import xpeft.bootstrap
from xpeft.bootstrap import RESAMPLES, Array, Estimate, draws, mean_estimate, paired_difference


def figures(seed: int, seeds: int = 3, profiles: int = 60) -> Array:
    """Accuracies that depend on the profile, the seed and chance."""
    rng = np.random.default_rng(seed)
    return 0.7 + rng.normal(0, 0.1, profiles) + rng.normal(0, 0.005, (seeds, 1)) + rng.normal(0, 0.02, (seeds, profiles))


def test_a_method_differs_from_itself_by_exactly_nothing() -> None:
    assert paired_difference(figures(0), figures(0)) == (0, 0, 0)


def test_a_shift_of_one_method_shifts_the_interval() -> None:
    plain, shifted = (np.array(paired_difference(figures(1) + shift, figures(2))) for shift in (0, 0.05))
    assert shifted == pytest.approx(plain + 0.05)


def test_what_both_methods_share_does_not_widen_the_interval() -> None:
    noise = np.random.default_rng(3).normal(0, 0.001, (3, 60))
    paired = paired_difference(figures(1) + noise, figures(1))
    assert paired.high - paired.low < 0.002
    unpaired = paired_difference(figures(1) + noise, figures(1)[:, ::-1])
    assert unpaired.high - unpaired.low > 0.02


def test_the_order_of_the_methods_turns_the_interval_round() -> None:
    ours, theirs = figures(1), figures(2)
    there, back = paired_difference(ours, theirs), paired_difference(theirs, ours)
    assert (back.value, back.low, back.high) == pytest.approx((-there.value, -there.high, -there.low))


def test_a_single_seed_gives_the_usual_interval_over_profiles() -> None:
    sample = figures(4, 1)[0]
    usual = bootstrap((sample,), np.mean, method="percentile", n_resamples=RESAMPLES, rng=np.random.default_rng(0)).confidence_interval
    assert mean_estimate(sample) == pytest.approx((sample.mean(), usual.low, usual.high))


def test_a_seed_counts_as_one_however_many_profiles_it_has() -> None:
    """Seeds that disagree widen the interval, which profiles alone would leave at a point."""
    found = mean_estimate(np.repeat([[0.0], [1.0], [2.0]], 100, axis=1))
    assert found.value == 1
    assert found.low < 0.5 and found.high > 1.5


def test_sizes_make_it_a_mean_over_texts() -> None:
    found = mean_estimate([1.0, 0.0, 0.0, 0.0], [97, 1, 1, 1])
    assert found.value == pytest.approx(0.97)
    assert [found.low, found.high] == pytest.approx([0, 1], abs=0.03)


def test_very_many_profiles_have_the_interval_of_the_normal_distribution() -> None:
    sample = np.random.default_rng(6).normal(0.1, 1, (1, 50_000))
    error = 1.96 * sample.std() / 50_000**0.5
    found = mean_estimate(sample, np.full(50_000, 7))
    assert found == pytest.approx((sample.mean(), sample.mean() - error, sample.mean() + error), abs=0.0005)


def test_nineteen_of_twenty_intervals_hold_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xpeft.bootstrap, "RESAMPLES", 1000)
    draws.cache_clear()
    rng, truth, held, trials = np.random.default_rng(5), 0.01, 0, 300
    for _ in range(trials):
        base = rng.normal(0.7, 0.1, 80)
        gains = truth + rng.normal(0, 0.05, 80) + rng.normal(0, 0.005, (5, 1)) + rng.normal(0, 0.03, (5, 80))
        found = paired_difference(base + gains, np.repeat(base[None], 5, 0))
        held += found.low <= truth <= found.high
    draws.cache_clear()
    assert 0.92 <= held / trials <= 0.98


def test_the_same_figures_give_the_same_interval() -> None:
    first, second = (paired_difference(figures(1), figures(2)) for _ in range(2))
    assert isinstance(first, Estimate)
    assert first == second


@pytest.mark.parametrize(
    ("ours", "theirs", "sizes"),
    [
        ([0.1, 0.2], [0.1], None),
        ([0.1], [0.2], None),
        ([0.1, float("nan")], [0.1, 0.2], None),
        ([1, 2], [1, 2], [1, 0]),
        ([1, 2], [1, 2], [1]),
    ],
)
def test_figures_that_cannot_be_paired_are_rejected(ours: list[float], theirs: list[float], sizes: list[float] | None) -> None:
    with pytest.raises(ValueError, match=r"paired|no interval|finite|sizes"):
        paired_difference(ours, theirs, sizes)
