"""The goals of the default, and whether the claims reach them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from xpeft.comparison.records import DEFAULT_METHOD
from xpeft.comparison.sets import SETS
from xpeft.report.claims import MASKS, RANDOM_POOL_MASKS, Claim, best_variants, suite_tasks
from xpeft.report.groups import ENOUGH_SEEDS, SUITES, group_runs, of_measured_split, panels

Status = Literal["fails", "open", "holds"]
HEADINGS: dict[Status, str] = {"fails": "Does not hold", "open": "Not shown: runs are missing", "holds": "Holds"}

PROFILE_SETS = ("inbox", "tastes", "reviews", "news", "offense", "intents")
# People differ there in what they mean, or domains in how it is said: the label counts alone tell little.
GAINS = {"inbox": 0.0, "tastes": 0.0, "reviews": 7.0}
SMALL_PEERS = ("majority", "user-vector")
# Ten times a profile of masks: a few bytes exclude no peer.
MOST_BYTES = 4096
ADAPTER_RATIO = 1000


@dataclass(frozen=True)
class Goal:
    """A sentence, whether the runs show it, and their figures. "open": runs are missing, or have fewer than three seeds."""

    sentence: str
    status: Status
    figures: str


def goals(runs: pl.DataFrame, found: Sequence[Claim]) -> list[Goal]:
    """Return all goals: those that fail, those with missing runs, those that hold. found: the claims of the runs."""
    best = {groups[0]["part"]: best_variants(groups) for groups in panels(of_measured_split(group_runs(runs, "result"))).values()}
    sizes = {data: {name: group["bytesBesideHead"] for name, group in methods.items()} for data, methods in best.items()}
    parts = [data for data in sizes if data.partition(",")[0] in PROFILE_SETS and DEFAULT_METHOD in sizes[data]]
    made: list[Goal] = []
    for data in dict.fromkeys([*PROFILE_SETS, *parts]):
        made += set_goals(data, [claim for claim in found if claim.data == data], sizes)
    made.append(one_more(found))
    for suite in SUITES:
        for method in RANDOM_POOL_MASKS:
            mean = [claim for claim in found if (claim.data, claim.method) == (suite, method)]
            sentence = f"{SUITES[suite]}: {method} is at most 1 point below one adapter in the mean of {len(suite_tasks(suite))} tasks"
            made.append(judge(sentence, mean, lambda claim: claim.difference > -1, [] if mean else [f"{method} or adapter"]))
    return sorted(made, key=lambda goal: list(HEADINGS).index(goal.status))


def set_goals(data: str, found: Sequence[Claim], sizes: dict[str, dict[str, int]]) -> Iterator[Goal]:
    """Yield the goals on one data set. sizes: bytes a profile beside its head, by data set and method."""
    name, here = data.partition(",")[0], sizes.get(data, {})
    if DEFAULT_METHOD not in here:
        yield judge(f"{data}: {DEFAULT_METHOD} against other methods", [], bool, [DEFAULT_METHOD])
        return

    def goal(sentence: str, against: Sequence[str], holds: Callable[[Claim], bool]) -> Goal:
        compared = [claim for claim in found if claim.against in against]
        missing = [name for name in against if name not in {claim.against for claim in compared}]
        return judge(f"{data}: {sentence}", compared, holds, missing)

    base = baseline(data)
    yield goal(f"not below {base} by more than 0.5 points", [base], lambda claim: claim.low > -0.5)
    if name in GAINS:
        least = GAINS[name]
        by = f" by {least:g} points or more" if least else ""
        yield goal(f"above {base}{by}", [base], lambda claim: claim.low > 0 and claim.difference >= least)
    yield goal("not below one adapter that all profiles share", ["shared-adapter"], lambda claim: claim.verdict != "below")
    yield goal(
        f"at most 1 point below one adapter a profile, in 1/{ADAPTER_RATIO:,} of its bytes",
        ["adapter"],
        lambda claim: claim.low > -1 and here[DEFAULT_METHOD] * ADAPTER_RATIO <= here["adapter"],
    )
    peers = small_peers(data, sizes)
    yield goal(f"no method of at most {MOST_BYTES:,} bytes a profile is above", peers, lambda claim: claim.verdict != "below")
    others = [name for name in RANDOM_POOL_MASKS if name in here] or ["hard"]
    yield goal("at most 0.3 points below other settings of masks", others, lambda claim: claim.difference >= -0.3)


def baseline(data: str) -> str:
    """Return the method that adapters and masks must earn their bytes against."""
    name = data.partition(",")[0]
    return "head" if name in SETS and SETS[name].profile_labels else "head+bias"


def small_peers(data: str, sizes: dict[str, dict[str, int]]) -> list[str]:
    """Return the other methods in few bytes that ran on the data set, and those that must have run."""
    own = (*MASKS, "adapter", "shared-adapter")
    here = [name for name, size in sizes.get(data, {}).items() if size <= MOST_BYTES]
    if baseline(data) == "head":
        # Methods that change a shared head have no place where each profile has its own.
        return [name for name in dict.fromkeys(["majority", *here]) if name not in own]
    elsewhere = [
        name
        for other, methods in sizes.items()
        for name, size in methods.items()
        if other in PROFILE_SETS and baseline(other) != "head" and size <= MOST_BYTES and not name.startswith("head")
    ]
    larger = {name for name, size in sizes.get(data, {}).items() if size > MOST_BYTES}
    return [name for name in dict.fromkeys([*SMALL_PEERS, *here, *elsewhere]) if name not in (*own, *larger)]


def one_more(found: Sequence[Claim]) -> Goal:
    """Return the goal that the default is above a shared head with label biases on one of the other data sets."""
    data = [name for name in PROFILE_SETS if name not in GAINS]
    compared = [claim for claim in found if claim.data in data and claim.against == baseline(claim.data)]
    above = [claim for claim in compared if claim.verdict == "above"]
    missing = [name for name in data if name not in {claim.data for claim in compared}]
    sentence = f"above the head with label biases on one of {', '.join(data)}"
    missing = [] if above else [f"{DEFAULT_METHOD} on {name}" for name in missing]
    return judge(sentence, above or compared, lambda claim: claim.verdict == "above", missing)


def judge(sentence: str, compared: Sequence[Claim], holds: Callable[[Claim], bool], missing: Sequence[str]) -> Goal:
    """Return a goal that holds if each claim does. missing: methods without runs to compare."""
    failed = [claim for claim in compared if not holds(claim)]
    status: Status = "holds"
    if any(claim.seeds >= ENOUGH_SEEDS for claim in failed):
        status = "fails"
    elif missing or not compared or any(claim.seeds < ENOUGH_SEEDS for claim in compared):
        status = "open"
    shown = failed or sorted(compared, key=lambda claim: claim.difference)
    figures = [describe(claim, with_data=not sentence.startswith(f"{claim.data}:")) for claim in shown]
    figures += [f"No runs of {', '.join(missing)}."] if missing else []
    return Goal(sentence, status, " ".join(figures))


def describe(claim: Claim, with_data: bool) -> str:
    """Return a claim in words."""
    seeds = f"{claim.seeds} seed{'s' if claim.seeds > 1 else ''}"
    figures = f"{claim.difference:+.2f} ({claim.low:+.2f} to {claim.high:+.2f})"
    data = f"{claim.data}, " if with_data else ""
    return f"{data}{claim.metric}, {claim.method} less {claim.against}: {figures}, {seeds}, {claim.bytes:,} bytes."
