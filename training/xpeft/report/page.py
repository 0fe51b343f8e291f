"""`report.md`, `claims.json`, `summary.json` and the plots of a folder of runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xpeft.atomic_files import write_text
from xpeft.errors import XpeftError

if TYPE_CHECKING:
    import polars as pl

    from xpeft.report.claims import Claim


def write_report(folder: Path) -> list[Path]:
    """Write summary.json, claims.json, plots/*.svg and report.md into a folder with runs/*.json, and return their paths, the page last."""
    try:
        from xpeft.report.claims import claims, claims_json
        from xpeft.report.plots import write_plots
        from xpeft.report.runs import read_runs, summary_json
    except ModuleNotFoundError as error:
        raise XpeftError(f"{error.name} is not installed", "Install what the report needs: pip install -e 'training[compare]'.") from error
    runs = read_runs(folder)
    plots = write_plots(runs, folder / "plots")
    found = claims(runs)
    notes, summary, claimed, page = (folder / name for name in ("notes.md", "summary.json", "claims.json", "report.md"))
    write_text(summary, summary_json(runs))
    write_text(claimed, claims_json(found))
    write_text(page, page_text(runs, found, [plot.name for plot in plots], notes.read_text("utf-8") if notes.exists() else ""))
    return [summary, claimed, *plots, page]


def page_text(runs: "pl.DataFrame", found: "Sequence[Claim]", plots: Sequence[str], notes: str) -> str:
    """Return the page with the claims found in the runs, and links to the named plots, in Markdown."""
    from jinja2 import Template

    from xpeft.report import tables
    from xpeft.report.goals import HEADINGS, goals

    template = Template(Path(__file__).with_name("page.md.j2").read_text("utf-8"), trim_blocks=True, keep_trailing_newline=True)
    text: str = template.render(
        goals=goals(runs, found),
        headings=HEADINGS,
        notes=notes.strip(),
        data_tables=tables.data_tables(runs),
        suite_means=tables.suite_means(found),
        suite_table=tables.suite_table(runs),
        plots=plots,
        search_table=tables.search_table(runs),
        command_table=tables.command_table(runs),
    )
    return text
