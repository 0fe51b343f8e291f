"""The committed page, its figures and those of the docs."""

import json
import re
from pathlib import Path

from tests.conftest import ROOT
from xpeft.report.claims import claims, claims_json
from xpeft.report.page import page_text
from xpeft.report.runs import read_runs, summary_json

RESULTS = ROOT / "training" / "results"


def test_the_committed_page_is_what_the_code_makes_of_the_committed_runs() -> None:
    runs = read_runs(RESULTS)
    notes, page = ((RESULTS / name).read_text(encoding="utf-8") for name in ("notes.md", "report.md"))
    plots = re.findall(r"\(plots/(.*?)\)", page)
    found = claims(runs)
    assert page_text(runs, found, plots, notes) == page
    assert claims_json(found) == (RESULTS / "claims.json").read_text(encoding="utf-8")
    assert summary_json(runs) == (RESULTS / "summary.json").read_text(encoding="utf-8")
    assert {path.name for path in (RESULTS / "plots").iterdir()} == set(plots)


def intervals(text: str) -> set[str]:
    """The figures of a page that have an interval."""
    number = r"[+-]?\d+\.\d+"
    return set(re.findall(rf"{number} \({number} to {number}\)", text.replace("−", "-")))


def trained_intervals(path: Path) -> set[str]:
    """The gains in a `report.json` of `train`, with one and with two decimals."""
    gains = [gain for split in ("dev", "test") for gain in json.loads(path.read_text(encoding="utf-8"))[split]["gains"].values()]
    formats = ("{value:+.1f} ({low:+.1f} to {high:+.1f})", "{value:+.2f} ({low:+.2f} to {high:+.2f})")
    return {form.format(**gain) for form in formats for gain in gains}


def test_each_interval_in_the_docs_is_one_of_the_committed_results() -> None:
    assert intervals("+1.2 (−0.4 to +2.9), and 70.0 (69.1 to 71.0) of 3 (2 to 4)") == {"+1.2 (-0.4 to +2.9)", "70.0 (69.1 to 71.0)"}
    shown = intervals((RESULTS / "report.md").read_text(encoding="utf-8"))
    shown |= set().union(*(trained_intervals(path) for path in (RESULTS / "trained").glob("*.json")))
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        assert intervals(page.read_text(encoding="utf-8")) <= shown, page.name
