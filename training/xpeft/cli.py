"""The command line: `python -m xpeft COMMAND --help`."""

from pathlib import Path
from typing import Annotated

import typer

from xpeft.bundle_commands import bundle, golden, sizes
from xpeft.comparison.commands import compare, curve, pool
from xpeft.comparison.experiment import keys_help
from xpeft.fetch.commands import fetch
from xpeft.options import readable_errors
from xpeft.task_commands import add, agree, check, evaluate, prepare, train

app = typer.Typer(
    help="Train X-PEFT profiles, and build the bundles and files that xpeft-edge serves.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def report(
    folder: Annotated[Path, typer.Argument(help="Folder with runs/*.json, one file a run.", exists=True, file_okay=False)],
) -> None:
    """Turn a folder of runs into summary.json, claims.json, plots and a page, report.md."""
    from xpeft.report.page import write_report

    with readable_errors():
        for path in write_report(folder):
            typer.echo(path)


# The help lists commands in this order.
app.command()(prepare)
app.command()(check)
app.command()(bundle)
app.command()(train)
app.command()(add)
app.command("eval")(evaluate)
app.command()(agree)
app.command()(golden)
app.command()(sizes)
app.command()(report)
app.command()(fetch)
app.command(epilog=keys_help())(compare)
app.command()(curve)
app.command()(pool)
