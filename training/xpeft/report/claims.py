"""What is claimed of hard masks, and whether the runs show it."""

from collections.abc import Iterator, Sequence
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

Pair = tuple[Group, Group]
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
    there, hards, adapters = ([group for group in some if chosen and title(group) == title(chosen)] for some in (groups, hards, adapters))
    hard, adapter = best_on_dev(hards), best_on_dev(adapters)
    same_head = select(there, "adapter", hard["head"]) if hard else []
    sentence = f"{data}: hard masks of at most {MOST_BYTES} bytes over a sign pool reach the macro accuracy of one adapter"
    missing = [f"adapter{hard['head']}"] if hard and not same_head else []
    yield judge(sentence, [(hard, adapter)] if hard and adapter else [], missing, same_head)
    sentence = f"{data}: no other method in as few bytes as {hard['method'] if hard else 'hard'} has a higher macro accuracy"
    yield peer_claim(sentence, hard, there, sizes) if hard else judge(sentence, [])


def peer_claim(sentence: str, hard: Group, there: Sequence[Group], sizes: dict[str, int]) -> Claim:
    """Return the claim on peers of at most as many bytes, with any head: hard masks against the best of them."""
    ran = [group for group in there if group["base"] in PEERS]
    small = sorted((group for group in ran if group["bytesBesideHead"] <= hard["bytesBesideHead"]), key=lambda group: -group["macro"])
    absent = [peer for peer in PEERS if not select(ran, peer, hard["head"])]
    # A method that takes more bytes on every data set need not run here: its accuracy could not count.
    larger = [peer for peer in absent if sizes.get(peer, 0) > hard["bytesBesideHead"]]
    note = f" Not run here with that head, and larger wherever they ran: {', '.join(larger)}." if larger else ""
    # One better peer is enough, whatever has not run yet.
    better = [group for group in small if group["complete"] and group["macro"] > hard["macro"]]
    missing = [] if better else [f"{peer}{hard['head']}" for peer in absent if peer not in larger]
    return judge(sentence, [(hard, group) for group in (better or small)[:1]], missing, [] if better else small, note=note)


def suite_claims(suite: str, groups: Sequence[Group]) -> Iterator[Claim]:
    """Yield for GLUE or SuperGLUE the mean over tasks of hard masks against that of adapters, and what soft masks add."""
    sentence = f"{SUITES[suite]}: hard is at most {MOST_LOSS} below adapter, each task by its own metric, mean over tasks"
    tasks = sorted({group["data"] for group in groups})
    variants = sorted({(group["head"], group["pool"]) for group in groups if is_sign(group)}) or [("", None)]
    compared = []
    for head, pool in variants:
        hards = [group for group in select(groups, "hard", head) if group["pool"] == pool]
        compared.append([task_pairs(hards, select(groups, base, head)) for base in ("adapter", "soft")])
    # Variants that no adapter ran beside are left out, unless there is no other.
    for pairs, softs in [both for both in compared if both[0]] or compared[:1]:
        missing = [f"both on {task}" for task in tasks if task not in {ours["data"] for ours, _ in pairs}]
        gap = fmean(soft["value"] - hard["value"] for hard, soft in softs) if softs else 0.0
        marks = all_marks([group for pair in softs for group in pair])
        note = f" soft - hard: {gap:+.4f}{marks} over {', '.join(hard['data'] for hard, _ in softs)}." if softs else " No runs of soft."
        yield judge(sentence, pairs, missing, name="value", loss=MOST_LOSS, note=note)


def judge(
    sentence: str,
    pairs: Sequence[Pair],
    missing: Sequence[str] = (),
    needed: Sequence[Group] = (),
    name: str = "macro",
    loss: float = 0.0,
    note: str = "",
) -> Claim:
    """Return the claim that the mean figure `name` of ours is at most `loss` below theirs, over pairs of ours and theirs.

    missing and needed: runs that are not there, and groups that must be whole before the claim holds or fails.
    """
    note += f" No runs of {', '.join(missing)}." if missing else ""
    if not pairs:
        return Claim(sentence, "open", f"No runs to compare on the same texts, or not all variants have a figure on dev.{note}")
    means = [fmean(pair[side][name] for pair in pairs) for side in (0, 1)]
    incomplete = [group for group in (*needed, *(group for pair in pairs for group in pair)) if not group["complete"]]
    # The last digits of a difference of means are rounding.
    holds = means[0] - means[1] >= -loss - 1e-9
    gap = f"paired difference {means[0] - means[1]:+.4f}"
    ours, theirs = pairs[0]
    if name == "value":
        marks = [all_marks(list(side)) for side in zip(*pairs, strict=True)]
        sides = [f"{group['name']} {mean:.3f}{mark}" for group, mean, mark in zip(pairs[0], means, marks, strict=True)]
        text = f"{sides[0]} against {sides[1]}: {gap} over {', '.join(ours['data'] for ours, _ in pairs)}."
    else:
        part = f", only {ours['slice']}" if ours["slice"] else ""
        text = f"{describe(ours)} against {describe(theirs)}: {gap}{interval(paired_differences(ours, theirs))} ({ours['split']}{part})."
    return Claim(sentence, "open" if missing or incomplete else "holds" if holds else "fails", text + note)


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


def task_pairs(ours: Sequence[Group], theirs: Sequence[Group]) -> list[Pair]:
    """Return for each task the pair on the same texts that says most; of several, the one with the best of theirs."""
    pairs = [(our, their) for our in ours for their in theirs if title(our) == title(their)]
    pairs.sort(key=lambda pair: (min(map(weight, pair)), pair[1]["macro"], -pair[0]["bytesPerProfile"]))
    found = {pair[0]["data"]: pair for pair in pairs}
    return [found[task] for task in sorted(found)]
