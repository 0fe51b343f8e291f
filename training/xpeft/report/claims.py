"""What is claimed of hard masks, and whether the runs show it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

import polars as pl

from xpeft.report.groups import SUITES, Group, all_marks, figure, group_runs, interval, paired_differences, select, title, weight

PROFILE_DATA = ("news", "offense", "intents", "reviews")
# A head has no bytes of its own, yet masks must be worth more than a shared head and a label bias.
PEERS = ("head", "lora", "ia3", "bitfit", "vera", "vblora", "soft")
MOST_BYTES = 400
MOST_LOSS = 0.01

Status = Literal["fails", "open", "holds"]
HEADINGS: dict[Status, str] = {"fails": "Does not hold", "open": "Not shown: runs are missing", "holds": "Holds"}


@dataclass(frozen=True)
class Claim:
    """A sentence, what the runs say of it, and their figures. "open": runs are missing."""

    sentence: str
    status: Status
    figures: str


def claims(runs: pl.DataFrame) -> list[Claim]:
    """Return all claims: those that fail, those with missing runs, those that hold."""
    table = group_runs(runs, "result")
    # An own head is never needed, so its bytes say nothing of a method's size.
    smallest = table.filter(pl.col("head") != "+own").group_by("base").agg(pl.min("bytesBesideHead"))
    sizes: dict[str, int] = dict(smallest.iter_rows())
    groups = table.rows(named=True)
    found: list[Claim] = []
    for data in PROFILE_DATA:
        found += profile_claims(data, [group for group in groups if group["data"] == data], sizes)
    for suite in SUITES:
        found += suite_claims(suite, [group for group in groups if group["family"] == suite])
    return sorted(found, key=lambda claim: list(HEADINGS).index(claim.status))


def profile_claims(data: str, groups: Sequence[Group], sizes: dict[str, int]) -> Iterator[Claim]:
    """Yield the claims on one data set: hard masks against adapters, and against methods of as few bytes.

    Each method stands with the variant (pool, head) that is best on dev. sizes: the methods' least bytes on any data set.
    """
    hards = [group for group in groups if is_sign(group) and group["bytesBesideHead"] <= MOST_BYTES]
    adapters = [group for group in groups if group["base"] == "adapter"]
    pairs = [(hard, adapter) for hard in hards for adapter in adapters if title(hard) == title(adapter)]
    chosen = max(pairs, key=lambda pair: min(map(weight, pair)))[0] if pairs else max(hards, key=weight, default=None)
    there = [group for group in groups if chosen and title(group) == title(chosen)]
    hard = best_on_dev([group for group in hards if group in there])
    adapter = best_on_dev([group for group in adapters if group in there])
    yield adapter_claim(data, hard, adapter, there)
    if hard is None:
        missing = f"No runs of hard with the sign pool and at most {MOST_BYTES} bytes, or not all variants have a figure on dev."
        yield Claim(peer_sentence(data, "hard"), "open", missing)
    else:
        yield peer_claim(hard, there, sizes)


def is_sign(group: Group) -> bool:
    """Return whether a group is of hard masks over a sign pool, which the edge serves from a seed."""
    return group["base"] == "hard" and (group["pool"] or "").startswith("sign")


def best_on_dev(variants: Sequence[Group]) -> Group | None:
    """Return the variant with the best macro accuracy on dev. None where there are several and not all have a figure on dev."""
    if len(variants) > 1 and any(variant["on_dev"] is None for variant in variants):
        return None
    return max(variants, key=lambda variant: variant["on_dev"] or 0.0, default=None)


def describe(group: Group) -> str:
    """Return a group's name, macro accuracy, bytes and seeds."""
    head = " beside its head" if group["headBytes"] else ""
    seeds = f"{group['seeds']} seed{'s' if group['seeds'] > 1 else ''}"
    return f"{group['name']} {figure(group)} ({group['bytesBesideHead']:,} bytes{head}, {seeds})"


def part_name(group: Group) -> str:
    """Return the split and the part of the data that a group's figures are of."""
    part = f", only {group['slice']}" if group["slice"] else ""
    return f"{group['split']}{part}"


def difference(ours: Group, theirs: Group) -> str:
    """Return the paired difference in macro accuracy and its bootstrap interval."""
    return f"paired difference {ours['macro'] - theirs['macro']:+.4f}{interval(paired_differences(ours, theirs))}"


def adapter_claim(data: str, hard: Group | None, adapter: Group | None, there: Sequence[Group]) -> Claim:
    """Return the claim that started the project. It is open until an adapter with the masks' kind of head has run too."""
    sentence = f"{data}: hard masks of at most {MOST_BYTES} bytes over a sign pool reach the macro accuracy of one adapter"
    if hard is None or adapter is None:
        return Claim(sentence, "open", "No runs of both hard and adapter on the same texts, or not all variants have a figure on dev.")
    text = f"{describe(hard)} against {describe(adapter)}: {difference(hard, adapter)} ({part_name(hard)})."
    same_head = select(there, "adapter", hard["head"])
    if not same_head:
        return Claim(sentence, "open", f"{text} No runs of adapter{hard['head']}.")
    complete = all(group["complete"] for group in (hard, adapter, *same_head))
    return Claim(sentence, "open" if not complete else "holds" if hard["macro"] >= adapter["macro"] else "fails", text)


def peer_sentence(data: str, ours: str) -> str:
    """Return the claim that the bytes are well spent."""
    return f"{data}: no other method in as few bytes as {ours} has a higher macro accuracy"


def peer_claim(hard: Group, there: Sequence[Group], sizes: dict[str, int]) -> Claim:
    """Return whether a peer of at most as many bytes, with any head, has a higher mean macro accuracy."""
    bytes_of_hard = hard["bytesBesideHead"]
    ran = [group for group in there if group["base"] in PEERS]
    absent = [peer for peer in PEERS if not select(ran, peer, hard["head"])]
    # A method that takes more bytes on every data set need not run here: its accuracy could not count.
    larger = [peer for peer in absent if sizes.get(peer, 0) > bytes_of_hard]
    missing = [f"{peer}{hard['head']}" for peer in absent if peer not in larger]
    small = sorted((group for group in ran if group["bytesBesideHead"] <= bytes_of_hard), key=lambda group: -group["macro"])
    better = [group for group in small if group["macro"] > hard["macro"]]
    status: Status = "holds"
    if hard["complete"] and any(group["complete"] for group in better):
        status = "fails"
    elif missing or not all(group["complete"] for group in (hard, *small)):
        status = "open"
    if better:
        compared = "better: " + ", ".join(map(describe, better))
    elif small:
        compared = f"the best of the others: {describe(small[0])}, {difference(hard, small[0])}"
    elif ran:
        compared = f"none that ran is so small; the smallest is {describe(min(ran, key=lambda group: group['bytesBesideHead']))}"
    else:
        compared = "nothing to compare with"
    text = f"{describe(hard)}; {compared} ({part_name(hard)})."
    text += f" Not run here with that head, and larger wherever they ran: {', '.join(larger)}." if larger else ""
    text += f" No runs of {', '.join(missing)}." if missing else ""
    return Claim(peer_sentence(hard["data"], hard["method"]), status, text)


def suite_claims(suite: str, groups: Sequence[Group]) -> Iterator[Claim]:
    """Yield for GLUE or SuperGLUE the mean over tasks of hard masks against that of adapters, and what soft masks add."""
    sentence = f"{SUITES[suite]}: hard is at most {MOST_LOSS} below adapter, each task by its own metric, mean over tasks"
    tasks = sorted({group["data"] for group in groups})
    found = False
    for head, pool in sorted({(group["head"], group["pool"]) for group in groups if is_sign(group)}):
        hards = [group for group in select(groups, "hard", head) if group["pool"] == pool]
        pairs, softs = (task_pairs(hards, select(groups, base, head)) for base in ("adapter", "soft"))
        if not pairs:
            continue
        found = True
        ours, theirs = (fmean(pair[side]["value"] for pair in pairs.values()) for side in (0, 1))
        missing = [task for task in tasks if task not in pairs]
        weak = [task for task, pair in pairs.items() if not all(group["complete"] for group in pair)]
        # The last digits of a difference of means are rounding.
        near = ours - theirs >= -MOST_LOSS - 1e-9
        text = f"hard{head} ({pool}) {ours:.3f}, adapter{head} {theirs:.3f}: paired difference {ours - theirs:+.4f} over {names(pairs)}."
        text += f" Too few runs, or of a part only: {names(weak)}." if weak else ""
        text += f" Not both ran on: {names(missing)}." if missing else ""
        yield Claim(sentence, "open" if missing or weak else "holds" if near else "fails", f"{text} {describe_soft(softs)}")
    if not found:
        yield Claim(sentence, "open", "No runs of both hard and adapter.")


def task_pairs(ours: Sequence[Group], theirs: Sequence[Group]) -> dict[str, tuple[Group, Group]]:
    """Return for each task the pair on the same texts that says most; of several, the one with the best of theirs."""
    pairs = [(our, their) for our in ours for their in theirs if title(our) == title(their)]
    pairs.sort(key=lambda pair: (min(map(weight, pair)), pair[1]["macro"], -pair[0]["bytesPerProfile"]))
    found = {pair[0]["data"]: pair for pair in pairs}
    return {task: found[task] for task in sorted(found)}


def names(tasks: Iterable[str]) -> str:
    """Return the tasks' names without their suite's."""
    return ", ".join(task.partition("/")[2] for task in tasks)


def describe_soft(pairs: dict[str, tuple[Group, Group]]) -> str:
    """Return the mean paired difference of soft and hard masks."""
    if not pairs:
        return "No runs of soft."
    gap = fmean(soft["value"] - hard["value"] for hard, soft in pairs.values())
    return f"soft - hard: {gap:+.4f}{all_marks([group for pair in pairs.values() for group in pair])} over {names(pairs)}."
