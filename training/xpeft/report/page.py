"""`report.md`, `summary.json` and the plots: everything that a folder of runs is turned into."""

from collections.abc import Sequence
from pathlib import Path

from xpeft.atomic_files import write_text
from xpeft.errors import XpeftError
from xpeft.report.claims import Claim, Status, claims
from xpeft.report.groups import grouped
from xpeft.report.records import RunRecord
from xpeft.report.summary import read_runs, summary_json
from xpeft.report.tables import command_table, data_tables, search_table, suite_table

NOTES = "notes.md"
HEADINGS: dict[Status, str] = {"fails": "Does not hold", "open": "Not shown: runs are missing", "holds": "Holds"}
# What a plot shows, by the beginning of its file's name; with what is missing where there is none.
CAPTIONS = {
    "size": (
        "Macro accuracy against bytes a profile",
        "Bars: one standard deviation over seeds. Hollow: with label bias or own head. Dotted: methods without bytes of their own.",
    ),
    "gains": (
        "What each profile gains",
        "Each profile's accuracy under hard masks less that under the other method, mean over the seeds that both ran with, sorted.",
    ),
    "masks": ("What the masks choose", "Share of profiles that choose each adapter, of the smallest seed."),
    "loss": (
        "Training loss",
        "Mean over seeds. Dashed: with label bias or own head. Losses of different methods may be of different batches.",
    ),
    "texts": (
        "Accuracy against labelled texts",
        "Of newly added profiles, mean over seeds; bars: one standard deviation. Dashed: with label bias or own head.",
    ),
}


def write_report(folder: Path) -> list[Path]:
    """Write summary.json, plots/*.svg and report.md into a folder with runs/*.json; gives the files, the page last."""
    runs = read_runs(folder)
    plots = write_plots(runs, folder / "plots")
    notes = folder / NOTES
    summary, page = folder / "summary.json", folder / "report.md"
    write_text(summary, summary_json(runs))
    write_text(page, page_text(runs, [plot.name for plot in plots], notes.read_text("utf-8") if notes.exists() else ""))
    return [summary, *plots, page]


def write_plots(runs: Sequence[RunRecord], folder: Path) -> list[Path]:
    """Write the plots, and take away SVG files of runs that are gone."""
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        raise XpeftError("matplotlib is not installed", "Install what the report needs: pip install -e 'training[compare]'.") from error
    from xpeft.report import plots, profile_plots
    from xpeft.report.figures import STYLE, save

    results = grouped([run for run in runs if run.purpose == "result"])
    curves = grouped([run for run in runs if run.purpose == "curve"])
    for old in folder.glob("*.svg"):
        old.unlink()
    with matplotlib.rc_context():
        # A user's own matplotlibrc must not show in committed plots.
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        figures = plots.size_plots(results) | profile_plots.gain_plots(results) | profile_plots.mask_plots(results)
        figures |= plots.loss_plots(results) | plots.curve_plots(curves)
        for name, figure in figures.items():
            save(figure, folder / name)
    return [folder / name for name in figures]


def page_text(runs: Sequence[RunRecord], plots: Sequence[str], notes: str) -> str:
    """The whole page."""
    parts = [
        "# How hard masks compare",
        "Made by `python -m xpeft report` from the runs in `runs/`; edit none of it by hand. "
        "Figures are mean ± sample standard deviation over seeds; *micro* is accuracy over all texts, "
        "*macro* the mean of the profiles' accuracies.",
        "## What holds and what does not",
        claims_text(claims(runs)),
        *([notes.strip()] if notes.strip() else []),
        "## Results",
        data_tables(runs),
        "### GLUE and SuperGLUE",
        suite_table(runs),
        "## Plots",
        plots_text(plots),
        "## Searches for learning rates",
        search_table(runs),
        "## How each number is made",
        "Each file of `runs/` holds the command that made it; a row below stands for those that differ in the seed S alone. "
        "Tables, plots and this page: `python -m xpeft report FOLDER`.",
        command_table(runs),
    ]
    return "\n\n".join(parts) + "\n"


def claims_text(found: Sequence[Claim]) -> str:
    """The claims under the headings of their status, in order."""
    parts = []
    for status, heading in HEADINGS.items():
        lines = [f"- **{claim.sentence}.** {claim.figures}" for claim in found if claim.status == status]
        parts.append(f"### {heading}\n\n" + ("\n".join(lines) or "None."))
    return "\n\n".join(parts)


def plots_text(names: Sequence[str]) -> str:
    """Every plot with its caption, or a sentence where it has no runs."""
    parts = []
    for start, (title, caption) in CAPTIONS.items():
        images = [f"![{title}: {name}](plots/{name})" for name in names if name.startswith(start)]
        parts.append(f"### {title}\n\n" + "\n\n".join([caption, *images] if images else ["No runs for this yet."]))
    return "\n\n".join(parts)
