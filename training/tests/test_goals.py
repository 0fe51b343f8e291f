"""Whether the report says rightly which goals are reached, from a few small made-up runs."""

from typing import Any

import pytest

from tests.made_up_runs import record, table, three
from xpeft.comparison.records import RunRecord
from xpeft.report.claims import Claim, claims
from xpeft.report.goals import Goal, goals, judge


def goals_of(runs: list[RunRecord]) -> dict[str, Goal]:
    """The goals by sentence."""
    made = table(runs)
    return {goal.sentence: goal for goal in goals(made, claims(made))}


def goal_of(runs: list[RunRecord], words: str) -> Goal:
    """The one goal whose sentence has these words."""
    (found,) = [goal for sentence, goal in goals_of(runs).items() if words in sentence]
    return found


@pytest.mark.parametrize(
    ("data", "against", "macro", "words", "status"),
    [
        ("news", "head+bias", 0.704, "news: not below head+bias by more than 0.5", "holds"),
        ("news", "head+bias", 0.705, "news: not below head+bias by more than 0.5", "fails"),
        ("intents", "head", 0.704, "intents: not below head by more than 0.5", "holds"),
        ("tastes", "head+bias", 0.699, "tastes: above head+bias", "holds"),
        ("tastes", "head+bias", 0.7, "tastes: above head+bias", "fails"),
        ("reviews", "head+bias", 0.63, "reviews: above head+bias by 7 points", "holds"),
        ("reviews", "head+bias", 0.64, "reviews: above head+bias by 7 points", "fails"),
        ("news", "shared-adapter", 0.7, "news: not below one adapter that all", "holds"),
        ("news", "shared-adapter", 0.701, "news: not below one adapter that all", "fails"),
        ("news", "adapter", 0.709, "news: at most 1 point below one adapter", "holds"),
        ("news", "adapter", 0.71, "news: at most 1 point below one adapter", "fails"),
        ("news", "hard", 0.703, "news: at most 0.3 points below other settings", "holds"),
        ("news", "hard", 0.704, "news: at most 0.3 points below other settings", "fails"),
    ],
)
def test_a_goal_holds_up_to_its_limit(data: str, against: str, macro: float, words: str, status: str) -> None:
    runs = [*three(data, "profile", 0.7), *three(data, against, macro)]
    assert goal_of(runs, words).status == status


def test_few_seeds_leave_a_goal_open() -> None:
    runs = [*three("news", "profile", 0.7), *three("news", "head+bias", 0.6)[:2]]
    goal = goal_of(runs, "news: not below head+bias")
    assert goal.status == "open"
    assert goal.figures == "macro accuracy, profile less head+bias: +10.00 (+10.00 to +10.00), 2 seeds, 64 bytes."


def test_a_default_that_is_as_large_as_an_adapter_misses_the_goal() -> None:
    runs = [*three("news", "profile", 0.8, bytesPerProfile=443), *three("news", "adapter", 0.7)]
    assert goal_of(runs, "one adapter a profile").status == "fails"
    assert goal_of([*three("news", "profile", 0.8, bytesPerProfile=442), *runs[3:]], "one adapter a profile").status == "holds"
    # A head that every method needs is no cost of masks.
    head: dict[str, Any] = {"headBytes": 23100}
    runs = [
        *three("intents", "profile", 0.8, bytesPerProfile=23164, **head),
        *three("intents", "adapter", 0.7, bytesPerProfile=465468, **head),
    ]
    assert goal_of(runs, "one adapter a profile").status == "holds"


PEERS = {"majority": 1, "user-vector": 16, "vblora": 1728}


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({}, "holds", "less majority: +10.00"),
        ({"vblora": (0.71, 1728)}, "fails", "less vblora: -1.00"),
        ({"vblora": (0.71, 4097)}, "holds", "less majority"),
        ({"vblora": None}, "open", "No runs of vblora."),
        ({"user-vector": None}, "open", "No runs of user-vector."),
    ],
)
def test_small_peers_count_and_must_have_run(changes: dict[str, tuple[float, int] | None], status: str, words: str) -> None:
    wanted = {name: (0.6, size) for name, size in PEERS.items()} | changes
    runs = [*three("news", "profile", 0.7), record("tastes", "vblora", 0, 0.6, bytesPerProfile=1728)]
    for name, found in wanted.items():
        runs += three("news", name, found[0], bytesPerProfile=found[1]) if found else []
    goal = goal_of(runs, "news: no method of at most 4,096 bytes")
    assert (goal.status, words in goal.figures) == (status, True)


def test_one_more_data_set_must_gain() -> None:
    def runs(data: str, macro: float) -> list[RunRecord]:
        return [*three(data, "profile", macro), *three(data, "head+bias", 0.7)]

    words = "above the head with label biases on one of"
    assert goal_of([*runs("tastes", 0.8), *runs("news", 0.7)], words).status == "fails"
    assert goal_of([*runs("tastes", 0.8), *runs("news", 0.7), *runs("offense", 0.71)], words).status == "holds"
    assert goal_of(runs("tastes", 0.8), words).status == "open"


def test_a_set_without_the_default_is_open_and_failures_come_first() -> None:
    runs = [*three("news", "profile", 0.7), *three("news", "head+bias", 0.72), *three("offense", "hard", 0.7)]
    found = list(goals_of(runs).values())
    assert goal_of(runs, "offense: profile against other methods").figures == "No runs of profile."
    assert [goal.status for goal in found] == sorted((goal.status for goal in found), key=["fails", "open", "holds"].index)
    assert found[0].sentence.startswith("news: not below head+bias")


def test_a_whole_failure_counts_beside_missing_runs() -> None:
    few, whole = (Claim("news", "profile", name, "macro accuracy", -2, -3, -1, seeds, 64) for name, seeds in (("lora", 1), ("ia3", 3)))
    assert judge("a goal", [few], lambda claim: claim.low > -1, []).status == "open"
    assert judge("a goal", [few, whole], lambda claim: claim.low > -1, ["vblora"]).status == "fails"
