"""The report, made from a few small made-up runs."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import polars as pl
import pytest

from tests.conftest import ROOT
from xpeft.comparison.records import RunRecord
from xpeft.errors import XpeftError
from xpeft.report.claims import PEERS, Claim, claims
from xpeft.report.groups import interval
from xpeft.report.page import page_text, write_report
from xpeft.report.runs import read_runs, run_table, summary_json
from xpeft.report.tables import data_tables, search_table, suite_table

RESULTS = ROOT / "training" / "results"
POOL = "sign N=4 k=2"
BYTES = {"head": 0, "hard": 156, "soft": 4800, "adapter": 442368}
SUMMARY_KEYS = [
    *("data", "split", "method", "pool", "seed", "micro", "macro", "metric", "value", "bytesPerProfile"),
    *("trainedParameters", "seconds", "device", "commit", "slice", "purpose"),
]


def record(data: str, method: str, seed: int, macro: float, **changes: Any) -> RunRecord:
    """A run in which everything but the arguments is made up."""
    base = method.removesuffix("+bias")
    fields: dict[str, Any] = {
        "data": data,
        "slice": None,
        "split": "test",
        "purpose": "result",
        "method": method,
        "pool": POOL if base in ("hard", "soft") else None,
        "seed": seed,
        "micro": macro - 0.1,
        "macro": macro,
        "metric": {"name": "accuracy", "value": macro, "higherIsBetter": True},
        "crossEntropy": 1.0,
        "bytesPerProfile": BYTES.get(base, 9000),
        "sharedBytes": 100,
        "trainedParameters": 10,
        "seconds": 2.5,
        "device": "a CPU",
        "commit": "0123456789",
        "command": f"python -m xpeft compare {data} {method} --seed {seed}",
        "texts": {"train": 9, "dev": 3, "test": 3},
        "profileCount": 2,
        "textsPerProfile": None,
        "recipe": {"lr": 0.01},
        "profiles": {"a": macro - 0.1, "b": macro + 0.1},
        "losses": [(1, 2.0), (2, 1.0 + seed / 10)],
        "chosen": [[[0.5, 1.0, 0.5, 0.0], [1.0, 0.0, 0.5, 0.5]]] * 2 if base == "hard" else None,
    }
    return RunRecord.model_validate(fields | changes)


def three(data: str, method: str, macro: float, **changes: Any) -> list[RunRecord]:
    """The same run with three seeds."""
    return [record(data, method, seed, macro + 0.01 * (seed - 1), **changes) for seed in range(3)]


def table(runs: list[RunRecord]) -> pl.DataFrame:
    """The runs as the report reads them."""
    return run_table((run, f"{number}.json") for number, run in enumerate(runs))


def claim_of(runs: list[RunRecord], start: str) -> Claim:
    """The first claim whose sentence starts so."""
    return next(claim for claim in claims(table(runs)) if claim.sentence.startswith(start))


def folder_of(runs: list[RunRecord], folder: Path) -> Path:
    """A folder that holds the runs."""
    (folder / "runs").mkdir(parents=True)
    for number, run in enumerate(runs):
        (folder / "runs" / f"{number}.json").write_text(run.model_dump_json(), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def all_kinds() -> list[RunRecord]:
    """Runs for every section of the page."""
    runs = [run for method in ("head", "hard", "soft", "adapter", *PEERS[1:-1]) for run in three("news", method, 0.7)]
    runs += [run for method in ("hard", "adapter") for run in three("glue/mrpc", method, 0.7, split="dev")]
    runs += [record("news", "hard", 0, 0.6, purpose="search", split="dev", recipe={"lr": lr}) for lr in (0.1, 0.2)]
    runs += [record("news", "hard", 0, 0.5 + texts / 100, purpose="curve", textsPerProfile=texts) for texts in (5, 1)]
    return runs


def test_the_same_runs_give_the_same_bytes(all_kinds: list[RunRecord], tmp_path: Path) -> None:
    notes = "We tried *this*."
    folder = folder_of(all_kinds, tmp_path / "first")
    (folder / "notes.md").write_text(notes, encoding="utf-8")
    first = write_report(folder)
    assert notes in first[-1].read_text(encoding="utf-8")
    # Written in another order, and over a plot of runs that are gone.
    other = folder_of(all_kinds[::-1], tmp_path / "other")
    (other / "notes.md").write_text(notes, encoding="utf-8")
    (other / "plots").mkdir()
    (other / "plots" / "old.svg").touch()
    second = write_report(other)
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    plots = {path.stem for path in first if path.suffix == ".svg"}
    assert plots == {"size-profiles", "size-glue", "gains", "masks-news", "masks-glue", "loss-profiles", "loss-glue", "texts"}
    assert {path.stem for path in (other / "plots").iterdir()} == plots


def test_summary_has_one_line_of_just_these_keys_a_run(all_kinds: list[RunRecord]) -> None:
    summary = json.loads(summary_json(table(all_kinds)))
    assert len(summary) == len(all_kinds)
    assert all(list(line) == SUMMARY_KEYS for line in summary)
    assert summary[-1]["method"] == "vera" and summary[-1]["metric"] == "accuracy" and summary[-1]["value"] == pytest.approx(0.71)


def test_the_page_goes_from_what_fails_to_the_commands(all_kinds: list[RunRecord]) -> None:
    runs = table([*all_kinds, *three("offense", "hard", 0.5), *three("offense", "adapter", 0.6)])
    plots = [f"{name}.svg" for name in ("size-profiles", "gains", "masks-news", "loss-profiles", "texts")]
    page = page_text(runs, plots, "We tried *this*.\n\n| and | that |\n")
    order = [
        "### Does not hold",
        "**offense: hard",
        "### Not shown",
        "**reviews:",
        "### Holds",
        "**news: hard",
        "We tried *this*.\n\n| and | that |",
    ]
    order += [
        "### news, test",
        "### GLUE and",
        "plots/size-profiles",
        "plots/gains",
        "plots/masks",
        "plots/loss",
        "plots/texts",
        "lr 0.1",
        "--seed S",
    ]
    places = [page.find(text) for text in order]
    assert -1 not in places
    assert places == sorted(places)


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


def test_the_committed_page_is_what_the_code_makes_of_the_committed_runs() -> None:
    runs = read_runs(RESULTS)
    notes, page = ((RESULTS / name).read_text(encoding="utf-8") for name in ("notes.md", "report.md"))
    plots = re.findall(r"\(plots/(.*?)\)", page)
    assert page_text(runs, plots, notes) == page
    assert summary_json(runs) == (RESULTS / "summary.json").read_text(encoding="utf-8")
    assert {path.name for path in (RESULTS / "plots").iterdir()} == set(plots)


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


def test_a_mean_over_seeds_is_of_one_recipe(tmp_path: Path) -> None:
    runs = [record("news", "adapter", seed, 0.5, recipe={"lr": lr, "seed": seed}) for seed, lr in ((0, 0.1), (1, 0.1), (2, 0.2))]
    assert len(read_runs(folder_of(runs[:2], tmp_path / "one"))) == 2
    with pytest.raises(XpeftError, match="seeds 0 and 2 of adapter on news have different recipes"):
        read_runs(folder_of(runs, tmp_path / "two"))


@pytest.mark.parametrize(("rte", "status"), [(0.69, "holds"), (0.67, "fails")])
def test_the_suite_is_a_mean_over_tasks(rte: float, status: str) -> None:
    runs = [*three("glue/mrpc", "hard", 0.7), *three("glue/rte", "hard", rte)]
    runs += [*three("glue/mrpc", "adapter", 0.7), *three("glue/rte", "adapter", 0.71), *three("glue/rte", "soft", rte + 0.05)]
    claim = claim_of(runs, "GLUE")
    assert claim.status == status
    assert "soft - hard: +0.0500 over glue/rte." in claim.figures
    rest = claim_of([*runs, *three("glue/cola", "head", 0.1)], "GLUE")
    assert rest.status == "open" and "No runs of both on glue/cola." in rest.figures


def test_parts_and_few_seeds_are_marked() -> None:
    runs = [*three("news", "hard", 0.7), *three("news", "head", 0.6)[:1], *three("news", "adapter", 0.5, slice="20 profiles")]
    text = data_tables(table(runs))
    assert "| 0.700 ± 0.010 |" in text and "| 0.600‡ |" not in text and "| 0.590‡ |" in text
    assert "### news, test, 20 profiles †" in text and "| 0.500 ± 0.010† |" in text
    suite = suite_table(table([*three("glue/mrpc", "hard", 0.7, slice="100 texts"), *three("glue/rte", "hard", 0.6)[:2]]))
    assert "| 0.700 ± 0.010† | 0.595 ± 0.007‡ | 0.647†‡ |" in suite
    assert "mrpc: 100 texts" in suite


def test_the_whole_set_stands_before_a_part_of_it() -> None:
    suite = suite_table(table([*three("glue/mrpc", "hard", 0.7), *three("glue/mrpc", "hard", 0.8, slice="100 texts")]))
    assert "0.700 ± 0.010 |" in suite and "0.800" not in suite


def test_a_search_shows_what_was_tried_and_the_best() -> None:
    error = {"name": "mae", "higherIsBetter": False}
    tried = [
        record(
            "news",
            "hard",
            0,
            0.5,
            purpose="search",
            recipe={"lr": lr, "epochs": 4},
            metric={**error, "value": 1 - value},
            crossEntropy=value,
        )
        for lr, value in ((0.1, 0.7), (0.2, 0.6))
    ]
    assert "| lr 0.1: 0.700; **lr 0.2: 0.600** |" in search_table(table(tried))


def test_the_page_names_missing_kinds_of_runs(tmp_path: Path) -> None:
    write_report(folder_of([record("news", "majority", 0, 0.5, losses=[], profiles={})], tmp_path / "results"))
    page = (tmp_path / "results" / "report.md").read_text(encoding="utf-8")
    assert page.count("No runs for this yet.") == 4
    assert "No results of GLUE or SuperGLUE yet." in page and "No searches yet." in page
    write_report(folder_of([record("news", "head", 0, 0.5, purpose="search")], tmp_path / "search"))
    assert "No results of data sets with profiles yet." in (tmp_path / "search" / "report.md").read_text(encoding="utf-8")


def test_bad_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(XpeftError, match="runs holds no runs"):
        write_report(tmp_path)
    folder = folder_of([record("news", "head", 0, 0.5)], tmp_path / "bad")
    text = (folder / "runs" / "0.json").read_text(encoding="utf-8")
    for change, said in (
        ('"extra": 1, "data"', "extra: Extra"),
        ('"data": 1, "was"', "data: "),
        ('"pool": "x", "data"', None),
    ):
        (folder / "runs" / "1.json").write_text(text.replace('"data"', change, 1), encoding="utf-8")
        with pytest.raises(XpeftError, match=rf"1\.json: {said}" if said else r"0\.json and .*1\.json") as caught:
            write_report(folder)
        assert caught.value.hint


@pytest.mark.parametrize(
    "changes",
    [
        {"textsPerProfile": 3},
        {"purpose": "curve"},
        {"pool": None},
        {"method": "hard+x"},
        {"micro": float("nan")},
        {"seed": "0"},
        {"headBytes": 157},
        {"chosen": [[[0.5]]]},
    ],
)
def test_a_record_that_contradicts_itself_is_rejected(changes: dict[str, Any]) -> None:
    fields = record("news", "hard", 0, 0.5).model_dump()
    RunRecord.model_validate(fields)
    with pytest.raises(ValueError, match="validation error"):
        RunRecord.model_validate(fields | changes)


def test_the_command_line_loads_no_library_of_the_report() -> None:
    code = "import sys, xpeft.cli; sys.exit(bool({'matplotlib', 'polars'} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", code], check=True)
