"""The committed page, its figures and those of the docs."""

import json
import re
from pathlib import Path
from statistics import mean

import pytest

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


SLICE = "at most 50 training texts a profile, 48 tokens"
# The rows of README's table: data set, part of it, what it is measured by, and the name of that in a run.
ROWS = {
    "`inbox`, made up": ("inbox", None, "macro accuracy", "macro"),
    "`news`": ("news", None, "macro accuracy", "macro"),
    "`offense`, error": ("offense", None, "mae", "value"),
    "`tastes`": ("tastes", None, "macro accuracy", "macro"),
    "`reviews`, 50 texts each": ("reviews", SLICE, "macro accuracy", "macro"),
}
# The claims have two decimals, README has one: both are rounded from more.
ROUNDING = 0.0551


def alternatives(readme: str) -> dict[str, dict[str, str]]:
    """The columns of README's table, by the method that the header names: each has the cells by the first of their row."""
    lines = readme[readme.index("| for each person | `profile`") :].split("\n\n")[0].splitlines()
    header, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {name.split("`")[1]: {row[0]: row[place] for row in rows} for place, name in enumerate(header) if place > 0}


def test_the_alternatives_in_the_readme_are_those_of_the_claims() -> None:
    claimed = {
        (claim["data"], claim["against"], claim["metric"]): [claim[key] for key in ("difference", "low", "high")]
        for claim in json.loads((RESULTS / "claims.json").read_text(encoding="utf-8"))
    }
    runs = json.loads((RESULTS / "summary.json").read_text(encoding="utf-8"))
    shown = alternatives((ROOT / "README.md").read_text(encoding="utf-8").replace("−", "-"))
    assert set(shown) == {"profile", "head+bias", "shared-adapter", "lora-xs", "adapter"}
    for method, column in shown.items():
        names = {method, method.removesuffix("+bias") + "+bias"}
        sizes = set()
        for row, (data, part, metric, key) in ROWS.items():
            of_row = [run for run in runs if (run["data"], run["slice"], run["split"]) == (data, part, "test") and run["method"] in names]
            figures = claimed.get((f"{data}, {part}" if part else data, method, metric))
            if method == "profile":
                figures = [100 * mean(run[key] for run in of_row)]
            if figures is None:
                assert (column[row], of_row) == ("not run", []), (method, data)
                continue
            numbers = [float(number) for number in re.findall(r"[+-]?[\d.]+", column[row])]
            assert numbers == pytest.approx(figures, abs=ROUNDING), (method, data)
            sizes |= {run["bytesPerProfile"] for run in of_row}
        assert column["bytes"] == f"{min(sizes):,} to {max(sizes):,}", method
