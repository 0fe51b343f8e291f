"""What the report claims, from a few small made-up runs."""

import re
from typing import Any

import numpy
import pytest

from tests.made_up_runs import record, table, three
from xpeft.comparison.records import RunRecord
from xpeft.report.claims import PEERS, Claim, claims
from xpeft.report.groups import interval


def claim_of(runs: list[RunRecord], start: str) -> Claim:
    """The first claim whose sentence starts so."""
    return next(claim for claim in claims(table(runs)) if claim.sentence.startswith(start))


@pytest.mark.parametrize(
    ("hard", "adapter", "status"),
    [
        (three("news", "hard", 0.72), three("news", "adapter", 0.71), "holds"),
        (three("news", "hard", 0.71), three("news", "adapter", 0.72), "fails"),
        (three("news", "hard", 0.71)[:2], three("news", "adapter", 0.72), "open"),
        (three("news", "hard", 0.72, slice="20 profiles"), three("news", "adapter", 0.71, slice="20 profiles"), "open"),
        (three("news", "hard", 0.72), three("news", "adapter", 0.71, slice="20 profiles"), "open"),
        (
            [*three("news", "hard", 0.72)[:2], *three("news", "hard", 0.72, split="dev")],
            [*three("news", "adapter", 0.71), *three("news", "adapter", 0.71, split="dev")],
            "open",
        ),
        (three("news", "hard+bias", 0.72), three("news", "adapter", 0.71), "open"),
        (three("news", "hard+bias", 0.72), three("news", "adapter+bias", 0.71), "holds"),
        (three("news", "hard", 0.72, bytesPerProfile=401), three("news", "adapter", 0.71), "open"),
        (three("news", "hard", 0.72, pool="trained N=4 k=2"), three("news", "adapter", 0.71), "open"),
    ],
)
def test_hard_is_compared_with_adapter(hard: list[RunRecord], adapter: list[RunRecord], status: str) -> None:
    claim = claim_of([*hard, *adapter], "news: hard")
    assert claim.status == status


def variant(method: str, test: float, dev: float | None, seeds: int = 3, **changes: Any) -> list[RunRecord]:
    """A method's runs on news, measured on test and, if there is a figure for it, on dev."""
    runs = three("news", method, test, **changes)[:seeds]
    return runs if dev is None else [*runs, *three("news", method, dev, split="dev", **changes)[:seeds]]


OTHER_POOL: dict[str, Any] = {"pool": "sign N=8 k=4", "bytesPerProfile": 300}
SMALL: dict[str, Any] = {"bytesPerProfile": 9000}


@pytest.mark.parametrize(
    ("runs", "status", "words"),
    [
        # Test would have chosen the other pool, and the other head of the adapter.
        (
            [
                *variant("hard", 0.72, 0.73),
                *variant("hard", 0.71, 0.74, **OTHER_POOL),
                *variant("adapter", 0.705, 0.75),
                *variant("adapter+bias", 0.74, 0.72),
            ],
            "holds",
            "hard (sign N=8 k=4) 0.710 ± 0.010 (300 bytes, 3 seeds) against adapter 0.705",
        ),
        # What the bias gives must be given to the adapter too.
        ([*variant("hard", 0.71, 0.7), *variant("hard+bias", 0.73, 0.75), *variant("adapter", 0.72, 0.72)], "open", "adapter+bias"),
        # What dev chose has too few seeds.
        (
            [*variant("hard+bias", 0.73, 0.75), *variant("adapter", 0.72, 0.72), *variant("adapter+bias", 0.76, 0.78, seeds=2)],
            "open",
            "adapter+bias",
        ),
        ([*variant("hard", 0.7, 0.7), *variant("adapter", 0.8, None), *variant("adapter+bias", 0.6, 0.6)], "open", "not all variants"),
        # Two sizes of one name have dev figures of their own.
        ([*variant("hard", 0.7, 0.7), *variant("adapter", 0.72, 0.8), *variant("adapter", 0.6, 0.7, **SMALL)], "fails", "adapter 0.720"),
    ],
)
def test_a_claim_takes_the_variants_that_dev_chose(runs: list[RunRecord], status: str, words: str) -> None:
    claim = claim_of(runs, "news: hard")
    assert claim.status == status
    assert words in claim.figures


def test_a_head_that_every_method_has_is_no_cost_of_masks() -> None:
    runs = [*three("intents", "hard", 0.72, bytesPerProfile=23256, headBytes=23100)]
    runs += three("intents", "adapter", 0.71, bytesPerProfile=475260, headBytes=23100)
    claim = claim_of(runs, "intents: hard")
    assert claim.status == "holds"
    assert "0.720 ± 0.010 (156 bytes beside its head, 3 seeds) against adapter" in claim.figures


def test_the_figures_of_a_claim_are_those_of_the_runs() -> None:
    claim = claim_of([*three("news", "hard", 0.72), *three("news", "adapter", 0.71)], "news: hard")
    assert "0.720 ± 0.010 (156 bytes, 3 seeds) against adapter 0.710 ± 0.010 (442,368 bytes, 3 seeds)" in claim.figures
    assert "paired difference +0.0100, 95% bootstrap interval over 2 profiles +0.0100 to +0.0100 (test)" in claim.figures


def test_an_interval_is_of_the_profiles_differences() -> None:
    rng = numpy.random.default_rng(0)
    differences = rng.normal(0.02, 0.1, 400).tolist()
    said = re.fullmatch(r", 95% bootstrap interval over 400 profiles (\S+) to (\S+)", interval(differences))
    assert said
    mean, error = numpy.mean(differences), 1.96 * numpy.std(differences) / 20
    assert [float(end) for end in said.groups()] == pytest.approx([mean - error, mean + error], abs=0.001)
    assert interval([0.1]) == ""


@pytest.mark.parametrize(
    ("peers", "status"),
    [
        (dict.fromkeys(PEERS, 0.6), "holds"),
        (dict.fromkeys(PEERS[1:], 0.6), "open"),
        (dict.fromkeys(PEERS, 0.6) | {"vera": 0.8}, "fails"),
        (dict.fromkeys(PEERS, 0.6) | {"soft": 0.8}, "holds"),
    ],
)
def test_only_peers_of_as_few_bytes_count(peers: dict[str, float], status: str) -> None:
    runs = three("news", "hard", 0.7)
    for peer, macro in peers.items():
        runs += three("news", peer, macro, bytesPerProfile=157 if peer == "soft" else 156)
    claim = claim_of(runs, "news: no other")
    assert claim.status == status


def test_a_peer_that_is_larger_elsewhere_need_not_run() -> None:
    def peers(bytes_of_vera: int) -> list[RunRecord]:
        runs = [run for peer in PEERS if peer != "vera" for run in three("news", peer, 0.6)]
        return [*three("news", "hard", 0.7), *runs, record("offense", "vera", 0, 0.9, bytesPerProfile=bytes_of_vera)]

    for size, status, words in ((157, "holds", "larger wherever they ran: vera."), (156, "open", "No runs of vera.")):
        claim = claim_of(peers(size), "news: no other")
        assert claim.status == status
        assert words in claim.figures


def test_a_shared_head_is_always_needed() -> None:
    runs = [run for peer in PEERS if peer != "head" for run in three("news", peer, 0.6)]
    runs += [*three("news", "hard", 0.7), record("offense", "head+own", 0, 0.9, bytesPerProfile=9000)]
    claim = claim_of(runs, "news: no other")
    assert (claim.status, claim.figures.endswith("No runs of head.")) == ("open", True)


@pytest.mark.parametrize(("rte", "status"), [(0.69, "holds"), (0.67, "fails")])
def test_the_suite_is_a_mean_over_tasks(rte: float, status: str) -> None:
    runs = [*three("glue/mrpc", "hard", 0.7), *three("glue/rte", "hard", rte)]
    runs += [*three("glue/mrpc", "adapter", 0.7), *three("glue/rte", "adapter", 0.71), *three("glue/rte", "soft", rte + 0.05)]
    claim = claim_of(runs, "GLUE")
    assert claim.status == status
    assert "soft - hard: +0.0500 over glue/rte." in claim.figures
    rest = claim_of([*runs, *three("glue/cola", "head", 0.1)], "GLUE")
    assert rest.status == "open" and "No runs of both on glue/cola." in rest.figures


def test_a_variant_without_adapters_adds_no_claim_on_the_suite() -> None:
    runs = [*three("glue/mrpc", "hard", 0.7), *three("glue/mrpc", "adapter", 0.7)]
    both = [claim for claim in claims(table([*runs, *three("glue/mrpc", "hard+bias", 0.8)])) if claim.sentence.startswith("GLUE")]
    assert [claim.status for claim in both] == ["holds"]
    assert claim_of(runs[:3], "GLUE").status == "open"
