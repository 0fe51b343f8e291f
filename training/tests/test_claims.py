"""What the report claims, from a few small made-up runs."""

import json
from typing import Any

import numpy as np
import pytest

from tests.made_up_runs import figures, record, table, three
from xpeft.bootstrap import paired_difference
from xpeft.comparison.records import RunRecord
from xpeft.errors import XpeftError
from xpeft.report.claims import Claim, claims, claims_json


def claim_of(runs: list[RunRecord], data: str, against: str, metric: str = "macro accuracy", method: str = "profile") -> Claim:
    """The claim on a data set and a method."""
    found = [
        claim for claim in claims(table(runs)) if (claim.data, claim.method, claim.against, claim.metric) == (data, method, against, metric)
    ]
    assert len(found) == 1
    return found[0]


def test_a_claim_has_the_paired_difference_its_seeds_and_bytes() -> None:
    runs = [*three("news", "profile", 0.72), *three("news", "head+bias", 0.7)]
    (line,) = json.loads(claims_json(claims(table(runs))))
    assert line == {
        **{"data": "news", "method": "profile", "against": "head+bias", "metric": "macro accuracy"},
        **{"difference": 2.0, "low": 2.0, "high": 2.0, "seeds": 3, "bytes": 64},
    }


def test_the_interval_is_the_paired_bootstrap_of_profiles_and_seeds() -> None:
    rng = np.random.default_rng(0)
    right = {method: rng.integers(10, 20, (3, 30)) for method in ("profile", "adapter")}
    runs = [record("news", method, seed, 0.7, profiles=figures(right[method][seed], 20)) for method in right for seed in range(3)]
    claim = claim_of(runs, "news", "adapter")
    wanted = paired_difference(right["profile"] / 20, right["adapter"] / 20)
    assert (claim.difference, claim.low, claim.high) == pytest.approx([100 * figure for figure in wanted], abs=0.005)


def test_a_smaller_error_is_a_positive_difference() -> None:
    rng = np.random.default_rng(1)
    texts, errors = [10, 30, 20], {"profile": rng.integers(1, 9, (3, 3)).tolist(), "majority": rng.integers(9, 20, (3, 3)).tolist()}
    mae = {"name": "mae", "value": 0.5, "higherIsBetter": False}
    runs = [
        record(
            "offense",
            method,
            seed,
            0.7,
            metric=mae,
            profiles={"ids": ["a", "b", "c"], "texts": texts, "right": [5, 5, 5], "absoluteErrors": found},
        )
        for method, of_seeds in errors.items()
        for seed, found in enumerate([[float(error) for error in one] for one in of_seeds])
    ]
    claim = claim_of(runs, "offense", "majority", "mae")
    means = {method: np.mean([sum(one) / 60 for one in of_seeds]) for method, of_seeds in errors.items()}
    assert claim.difference == pytest.approx(100 * (means["majority"] - means["profile"]), abs=0.005)
    assert 0 < claim.low < claim.difference < claim.high
    assert claim_of(runs, "offense", "majority").difference == 0


def one_profile(data: str, method: str, metric: str, predicted: list[list[float]], truth: list[float], **changes: Any) -> list[RunRecord]:
    """Runs of a data set with one profile."""
    answers = [{"truth": truth, "predicted": one} for one in predicted]
    fields: dict[str, Any] = {"split": "dev", "profileCount": 1, "metric": {"name": metric, "value": 0.5, "higherIsBetter": True}}
    return [record(data, method, seed, 0.7, **fields, answers=one, **changes) for seed, one in enumerate(answers)]


def test_one_profile_is_compared_text_by_text() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, 200).astype(float)
    right = {method: rng.random((2, 200)) < share for method, share in (("profile", 0.9), ("head", 0.6))}
    runs = [
        run
        for method, one in right.items()
        for run in one_profile("glue/rte", method, "accuracy", np.where(one, truth, 1 - truth).tolist(), truth.tolist())
    ]
    claim = claim_of(runs, "glue/rte", "head", "accuracy")
    wanted = paired_difference(right["profile"], right["head"])
    assert (claim.difference, claim.low, claim.high, claim.seeds) == pytest.approx([*(100 * figure for figure in wanted), 2], abs=0.005)


def test_only_seeds_of_both_methods_are_compared() -> None:
    runs = [*three("news", "profile", 0.72), *three("news", "lora", 0.7)[1:]]
    assert claim_of(runs, "news", "lora").seeds == 2
    assert claims(table([*runs[:1], *runs[-1:]])) == []


def test_figures_of_other_texts_are_not_paired() -> None:
    others = record("news", "lora", 0, 0.7, profiles=figures(np.array([5, 6]), 20))
    with pytest.raises(XpeftError, match="news, test: runs of lora were not measured on the texts"):
        claims(table([*three("news", "profile", 0.72), others]))


def test_seeds_of_other_profiles_are_named() -> None:
    older = record("news", "lora", 1, 0.7, profiles=figures(np.array([5, 6, 7]), 20))
    runs = [*three("news", "profile", 0.72), record("news", "lora", 0, 0.7), older]
    with pytest.raises(XpeftError, match="news, test: runs of lora were not measured on the texts"):
        claims(table(runs))


def variant(method: str, test: float, dev: float | None, **changes: Any) -> list[RunRecord]:
    """A method's runs on news, measured on test and, if there is a figure for it, on dev."""
    runs = three("news", method, test, **changes)
    return runs if dev is None else [*runs, *three("news", method, dev, split="dev", **changes)]


OTHER: dict[str, Any] = {"bytesPerProfile": 700}


@pytest.mark.parametrize(
    ("runs", "difference"),
    [
        # Test would have chosen the other size.
        ([*variant("lora", 0.71, 0.75), *variant("lora", 0.74, 0.72, **OTHER)], 1),
        ([*variant("lora", 0.71, 0.72), *variant("lora", 0.74, 0.75, **OTHER)], -2),
        # A label bias is a setting, too.
        ([*variant("lora", 0.71, 0.75), *variant("lora+bias", 0.74, 0.72)], 1),
        # Without dev, the other method has the benefit of the doubt.
        ([*variant("lora", 0.71, 0.75), *variant("lora", 0.74, None, **OTHER)], -2),
    ],
)
def test_the_other_method_stands_with_the_variant_that_dev_chose(runs: list[RunRecord], difference: float) -> None:
    assert claim_of([*variant("profile", 0.72, 0.73), *runs], "news", "lora").difference == difference


def test_heads_are_methods_of_their_own() -> None:
    runs = [*three("news", "profile", 0.72), *three("news", "head", 0.7), *three("news", "head+bias", 0.71)]
    assert {claim.against: claim.difference for claim in claims(table(runs))} == {"head": 2, "head+bias": 1}


def test_seeds_of_the_default_may_choose_other_masks() -> None:
    made: list[dict[str, Any]] = [
        {"pool": "sign N=4 k=2", "bytesPerProfile": 64},
        {"pool": None, "bytesPerProfile": 5},
        {"pool": "sign N=8 k=4", "bytesPerProfile": 128},
    ]
    runs = [record("news", "profile", seed, 0.7, **choice) for seed, choice in enumerate(made)]
    claim = claim_of([*runs, *three("news", "head", 0.7)], "news", "head")
    assert (claim.seeds, claim.bytes) == (3, 128)


def test_a_part_of_the_data_is_named() -> None:
    part: dict[str, Any] = {"slice": "at most 50 training texts a profile"}
    runs = [*three("reviews", "profile", 0.72, **part), *three("reviews", "head", 0.7, **part), *three("reviews", "head", 0.6)]
    assert claim_of(runs, "reviews, at most 50 training texts a profile", "head").difference == 2


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [((0.01, 2), "above"), ((-2, -0.01), "below"), ((-0.9, 0.9), "equal"), ((-1.1, 0.5), "undecided"), ((-0.5, 1), "undecided")],
)
def test_a_verdict_needs_the_whole_interval(ends: tuple[float, float], verdict: str) -> None:
    assert Claim("news", "profile", "head", "macro accuracy", sum(ends) / 2, *ends, 3, 64).verdict == verdict


def suite(method: str, shares: dict[str, float]) -> list[RunRecord]:
    """Runs of SuperGLUE's tasks that get a share of the texts right."""
    truth = [1.0] * 100
    return [
        run
        for task, share in shares.items()
        for metric in [{"superglue/copa": "choice-accuracy"}.get(task, "accuracy")]
        for run in one_profile(task, method, metric, [[1.0] * round(100 * share) + [0.0] * round(100 - 100 * share)] * 3, truth)
    ]


def test_a_suite_is_a_mean_over_its_tasks() -> None:
    tasks = ["superglue/cb", "superglue/boolq", "superglue/copa"]
    adapter = suite("adapter", dict.fromkeys(tasks, 0.7))
    runs = [*suite("soft", dict(zip(tasks, (0.7, 0.7, 0.73), strict=True))), *adapter]
    claim = claim_of(runs, "superglue", "adapter", "mean of 3 tasks", "soft")
    assert (claim.difference, claim.seeds) == (1, 3)
    assert claim.low == pytest.approx(0, abs=0.4)
    # A mean needs all tasks.
    assert claims(table([*runs[:-3]])) == []


def test_wnli_is_not_in_the_mean() -> None:
    tasks = ["glue/rte", "glue/sst-2", "glue/mrpc", "glue/cola", "glue/sts-b"]
    truth = [1.0, 0.0] * 50

    def runs(method: str, wrong: int, names: list[str]) -> list[RunRecord]:
        metrics = {"glue/mrpc": "f1", "glue/cola": "matthews", "glue/sts-b": "pearson-spearman"}
        predicted = [1 - one if index < wrong else one for index, one in enumerate(truth)]
        return [run for name in names for run in one_profile(name, method, metrics.get(name, "accuracy"), [predicted] * 3, truth)]

    both = [*runs("hard", 10, tasks), *runs("adapter", 10, tasks)]
    whole = [*both, *runs("hard", 90, ["glue/wnli"]), *runs("adapter", 0, ["glue/wnli"])]
    for made in (both, whole):
        claim = claim_of(made, "glue", "adapter", "mean of 5 tasks", "hard")
        assert (claim.difference, claim.low, claim.high, claim.verdict) == (0, 0, 0, "equal")
