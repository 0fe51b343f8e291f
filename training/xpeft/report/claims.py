"""What is claimed of hard masks, and whether the runs bear it out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from xpeft.report.groups import Group, Mean, grouped
from xpeft.report.records import RunRecord

PROFILE_DATA = ("news", "offense", "intents", "reviews")
SUITES = {"glue": "GLUE", "superglue": "SuperGLUE"}
# The head is no peer, but a profile that costs more than a shared head and a label bias should be worth it.
PEERS = ("head", "lora", "ia3", "bitfit", "vera", "vblora", "soft")
MOST_BYTES = 400
MOST_LOSS = 0.01

Status = Literal["fails", "open", "holds"]


@dataclass(frozen=True)
class Claim:
    """A sentence, what the runs say of it, and the figures. "open": runs are missing."""

    sentence: str
    status: Status
    figures: str


def claims(runs: Sequence[RunRecord]) -> list[Claim]:
    """All claims: first those that fail, then those that runs are missing for, then those that hold."""
    groups = grouped([run for run in runs if run.purpose == "result"])
    sizes = least_bytes(groups)
    found = [
        claim for data in PROFILE_DATA for claim in profile_claims(data, [group for group in groups if group.first.data == data], sizes)
    ]
    for suite in SUITES:
        found += suite_claims(suite, [group for group in groups if group.first.data.startswith(f"{suite}/")])
    return sorted(found, key=lambda claim: ("fails", "open", "holds").index(claim.status))


def profile_claims(data: str, groups: Sequence[Group], sizes: dict[str, int]) -> Iterator[Claim]:
    """For one data set: hard masks against adapters, and against peers that take no more bytes; each as dev chose it.

    sizes: the methods' least bytes, on any data set.
    """
    hards, adapters = small_masks(groups), [group for group in groups if group.first.base == "adapter"]
    beside = best_place(hards, adapters)
    hard = chosen_on_dev(hards, beside or max(hards, key=trust)) if hards else None
    yield against_adapter(data, hard, chosen_on_dev(adapters, beside) if beside else None, adapters)
    if hard is None:
        words = f"No runs of hard with the sign pool and at most {MOST_BYTES} bytes, or dev chose none of several."
        yield Claim(against_peers(data, "hard"), "open", words)
    else:
        yield compare_peers(hard, groups, sizes)


def least_bytes(groups: Sequence[Group]) -> dict[str, int]:
    """Of each method that ran, the fewest bytes of a profile; without a head of its own, which no method needs."""
    found = [group for group in groups if group.first.head != "+own"]
    bases = {group.first.base for group in found}
    return {base: min(group.first.bytesBesideHead for group in found if group.first.base == base) for base in bases}


def against_peers(data: str, ours: str) -> str:
    """The claim that the bytes are well spent."""
    return f"{data}: none of {', '.join(PEERS)}, whatever the head, has a higher macro accuracy in as few bytes as {ours}"


def is_sign(group: Group) -> bool:
    """Whether it is hard masks over a sign pool: those that are served from a seed."""
    return group.first.base == "hard" and (group.first.pool or "").startswith("sign")


def small_masks(groups: Sequence[Group]) -> list[Group]:
    """Hard masks over a sign pool, in few bytes beside the head that profiles with labels of their own have under every method."""
    return [group for group in groups if is_sign(group) and group.first.bytesBesideHead <= MOST_BYTES]


def best_place(hards: Sequence[Group], adapters: Sequence[Group]) -> Group | None:
    """Of masks that an adapter was measured beside, those whose place says most."""
    beside = [(min(trust(hard), trust(adapter)), hard) for hard in hards for adapter in adapters if same_place(hard, adapter)]
    return max(beside, key=lambda pair: pair[0], default=(None, None))[1]


def chosen_on_dev(variants: Sequence[Group], place: Group) -> Group | None:
    """Of a method's variants (pools, heads) measured where `place` was, the one that is best on dev; None where dev cannot tell."""
    there = [variant for variant in variants if same_place(place, variant)]
    on_dev = [dev_figure(variant, variants) for variant in there]
    if len(there) > 1 and None in on_dev:
        return None
    return max(zip(on_dev, there, strict=True), key=lambda pair: pair[0] or 0.0)[1]


def dev_figure(variant: Group, variants: Sequence[Group]) -> float | None:
    """Macro accuracy on dev of the same runs."""
    found = [
        other.macro.value
        for other in variants
        if other.first.split == "dev"
        and (other.name, other.first.slice, other.first.bytesPerProfile)
        == (variant.name, variant.first.slice, variant.first.bytesPerProfile)
    ]
    return found[0] if found else None


def hard_variants(groups: Sequence[Group]) -> list[tuple[str, str]]:
    """Which head and which sign pool: each kind of hard masks that ran."""
    return sorted({(group.first.head, group.first.pool or "") for group in groups if is_sign(group)})


def of(groups: Sequence[Group], base: str, head: str, pool: str | None = None) -> list[Group]:
    """Groups of one method; of one pool, if it is named."""
    found = [group for group in groups if (group.first.base, group.first.head) == (base, head)]
    return found if pool is None else [group for group in found if group.first.pool == pool]


def trust(group: Group) -> tuple[bool, bool, int]:
    """How much a group's figures say, as a sort key: dev was for choices, so it stands back even where it has more seeds."""
    return group.whole, group.first.split == "test", group.seeds


def same_place(one: Group, other: Group) -> bool:
    """Whether two groups were measured on the same texts."""
    return (one.first.data, one.first.slice, one.first.split) == (other.first.data, other.first.slice, other.first.split)


def match(ours: Sequence[Group], theirs: Sequence[Group]) -> tuple[Group, Group] | None:
    """The pair, measured on the same texts, that says most; of several of theirs that say as much, the best on average."""
    pairs = [(our, their) for our in ours for their in theirs if same_place(our, their)]
    return max(
        pairs,
        key=lambda pair: (min(trust(pair[0]), trust(pair[1])), pair[1].macro.value, -pair[0].first.bytesPerProfile),
        default=None,
    )


def figures(group: Group, mean: Mean) -> str:
    """A group's name, figure, bytes, seeds and marks."""
    seeds = f"{group.seeds} seed{'s' if group.seeds > 1 else ''}"
    head = " beside its head" if group.first.headBytes else ""
    return f"{group.name} {mean}{group.marks} ({group.first.bytesBesideHead:,} bytes{head}, {seeds})"


def place(group: Group) -> str:
    """Which texts the figures are of."""
    return group.first.split if group.whole else f"{group.first.split}, only {group.first.slice}"


def against_adapter(data: str, hard: Group | None, adapter: Group | None, adapters: Sequence[Group]) -> Claim:
    """The claim that gave rise to all this. Of adapters, that with the masks' own kind of head must have had its chance."""
    sentence = f"{data}: hard masks in at most {MOST_BYTES} bytes beside a head, sign pool, have at least the macro accuracy of one adapter"
    if hard is None or adapter is None:
        return Claim(sentence, "open", "No runs of both hard and adapter with the same slice and split, or dev chose none of several.")
    gap = hard.macro.value - adapter.macro.value
    text = f"{figures(hard, hard.macro)} against {figures(adapter, adapter.macro)}: gap {gap:+.4f} ({place(hard)})."
    twins = [group for group in adapters if same_place(hard, group) and group.first.head == hard.first.head]
    if not twins:
        return Claim(sentence, "open", f"{text} No runs of adapter{hard.first.head}.")
    complete = all(group.complete for group in (hard, adapter, *twins))
    return Claim(sentence, "open" if not complete else "holds" if gap >= 0 else "fails", text)


def compare_peers(hard: Group, groups: Sequence[Group], sizes: dict[str, int]) -> Claim:
    """Whether a peer that takes no more bytes has a higher mean macro accuracy; whatever the head, since bytes are what counts."""
    ran = [group for group in groups if group.first.base in PEERS and same_place(hard, group)]
    absent = [peer for peer in PEERS if (peer, hard.first.head) not in {(group.first.base, group.first.head) for group in ran}]
    # What takes more bytes wherever it ran need not run here too: its accuracy could not count.
    larger = [peer for peer in absent if sizes.get(peer, 0) > hard.first.bytesBesideHead]
    missing = [peer for peer in absent if peer not in larger]
    small = sorted(
        (group for group in ran if group.first.bytesBesideHead <= hard.first.bytesBesideHead),
        key=lambda group: -group.macro.value,
    )
    better = [group for group in small if group.macro.value > hard.macro.value]
    if hard.complete and any(group.complete for group in better):
        status: Status = "fails"
    elif missing or not hard.complete or not all(group.complete for group in small):
        status = "open"
    else:
        status = "holds"
    text = f"{figures(hard, hard.macro)}; "
    if better:
        text += "better: " + ", ".join(figures(group, group.macro) for group in better)
    elif small:
        text += f"the best of the others: {figures(small[0], small[0].macro)}"
    elif ran:
        least = min(ran, key=lambda group: group.first.bytesBesideHead)
        text += f"none that ran is so small; the smallest is {figures(least, least.macro)}"
    else:
        text += "nothing to compare with"
    text += f" ({place(hard)})."
    text += f" Not run here with that head, and larger wherever they ran: {', '.join(larger)}." if larger else ""
    return Claim(
        against_peers(hard.first.data, hard.first.method),
        status,
        text + (f" No runs of {', '.join(peer + hard.first.head for peer in missing)}." if missing else ""),
    )


def suite_claims(suite: str, groups: Sequence[Group]) -> Iterator[Claim]:
    """For GLUE or SuperGLUE: the mean over tasks of hard masks against that of adapters, and what soft masks add."""
    sentence = f"{SUITES[suite]}: hard is at most {MOST_LOSS} below adapter, each task by its own metric, mean over tasks"
    tasks = sorted({group.first.data for group in groups})
    none = True
    for head, pool in hard_variants(groups):
        hards = of(groups, "hard", head, pool)
        pairs = task_pairs(tasks, hards, of(groups, "adapter", head))
        if not pairs:
            continue
        none = False
        means = [fmean(pair[side].metric.value for pair in pairs) for side in (0, 1)]
        missing = [task for task in tasks if task not in {ours.first.data for ours, _ in pairs}]
        weak = sorted({ours.first.data for ours, theirs in pairs if not (ours.complete and theirs.complete)})
        # The last digits of a difference of means are rounding.
        near = means[0] - means[1] >= -MOST_LOSS - 1e-9
        status: Status = "open" if missing or weak else "holds" if near else "fails"
        text = f"hard{head} ({pool}) {means[0]:.3f}, adapter{head} {means[1]:.3f}: gap {means[0] - means[1]:+.4f}"
        text += f" over {', '.join(short(ours.first.data) for ours, _ in pairs)}."
        text += f" Too few runs, or of a part only: {', '.join(map(short, weak))}." if weak else ""
        text += f" Not both ran on: {', '.join(map(short, missing))}." if missing else ""
        yield Claim(sentence, status, f"{text} {soft_text(task_pairs(tasks, hards, of(groups, 'soft', head)))}")
    if none:
        yield Claim(sentence, "open", "No runs of both hard and adapter.")


def short(task: str) -> str:
    """A task's name without its suite's."""
    return task.partition("/")[2]


def task_pairs(tasks: Sequence[str], ours: Sequence[Group], theirs: Sequence[Group]) -> list[tuple[Group, Group]]:
    """For each task that both ran on, the pair that says most."""
    found = [match([group for group in ours if group.first.data == task], theirs) for task in tasks]
    return [pair for pair in found if pair is not None]


def soft_text(pairs: Sequence[tuple[Group, Group]]) -> str:
    """How far soft masks are ahead of hard ones."""
    if not pairs:
        return "No runs of soft."
    gap = fmean(soft.metric.value - hard.metric.value for hard, soft in pairs)
    marks = "".join(sorted({mark for pair in pairs for group in pair for mark in group.marks}))
    return f"soft - hard: {gap:+.4f}{marks} over {', '.join(short(hard.first.data) for hard, _ in pairs)}."
