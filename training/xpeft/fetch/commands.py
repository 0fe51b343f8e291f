"""`python -m xpeft fetch`."""

from pathlib import Path
from typing import Annotated

import typer

from xpeft import options


def web_address(mirror: str | None) -> str | None:
    """Return the option's address. Raises BadParameter if it is not one of HTTP: other schemes read files of this machine."""
    if mirror is not None and not mirror.startswith(("http://", "https://")):
        raise typer.BadParameter(f"{mirror} does not start with http:// or https://.")
    return mirror


def fetch(
    names: Annotated[
        list[str],
        typer.Argument(help="Data sets: news, offense, tastes, intents, reviews, glue/mrpc, …; glue and superglue name all their tasks."),
    ],
    root: Annotated[Path, typer.Option(help="Folder for the data sets, which compare takes as --root.", file_okay=False)],
    accept_terms: Annotated[bool, typer.Option("--accept-terms", help="Accept terms that forbid commercial use: those of tastes.")] = False,
    mirror: Annotated[
        str | None,
        typer.Option(
            envvar="XPEFT_MIRROR", callback=web_address, help="Address that takes the place of https:// in all addresses of the sources."
        ),
    ] = None,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Accept files that differ from the known checksums, such as a new edition.")
    ] = False,
    quiet: options.QuietOption = False,
) -> None:
    """Download public data sets from their sources and prepare them for compare. It shows the terms of each first."""
    from xpeft.errors import TermsNotAccepted
    from xpeft.fetch.catalog import named
    from xpeft.fetch.prepare import DOWNLOADS, fetch_set, is_fetched

    with options.readable_errors(), options.resumable(root, f"{DOWNLOADS}/*/*", ""):
        missing = []
        # What would stop a later data set is said before the first download.
        for source in named(names):
            if is_fetched(source, root):
                typer.echo(f"{source.name} is in {root}")
                continue
            if source.restricts and not accept_terms:
                typer.echo(source.notice)
                raise TermsNotAccepted(
                    f"{source.name}: its terms forbid {source.restricts}", "Read them above. To accept them, add --accept-terms."
                )
            missing.append(source)
        for source in missing:
            typer.echo(source.notice)
            for path in fetch_set(source, root, mirror, unverified, quiet):
                typer.echo(f"{path} is written")
