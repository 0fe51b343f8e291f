"""The data sets that can be fetched, by name."""

from xpeft.errors import XpeftError
from xpeft.fetch.glue import GLUE
from xpeft.fetch.intents import INTENTS
from xpeft.fetch.news import NEWS
from xpeft.fetch.offense import OFFENSE
from xpeft.fetch.reviews import REVIEWS
from xpeft.fetch.source import Source
from xpeft.fetch.superglue import SUPERGLUE
from xpeft.fetch.tastes import TASTES

SOURCES = {source.name: source for source in (NEWS, OFFENSE, TASTES, INTENTS, REVIEWS, *GLUE, *SUPERGLUE)}


def named(names: list[str]) -> list[Source]:
    """Return the sources of some names, each once. "glue" and "superglue" name all their tasks. Raises XpeftError for other names."""
    found: dict[str, Source] = {}
    for name in names:
        matching = {key: source for key, source in SOURCES.items() if name in (key, key.partition("/")[0])}
        if not matching:
            raise XpeftError(
                f"there is no data set {name!r}", f"Choose from {', '.join(SOURCES)}, or glue and superglue for all their tasks."
            )
        found |= matching
    return list(found.values())
