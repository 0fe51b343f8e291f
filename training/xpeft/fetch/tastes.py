"""`tastes`: MovieLens, films that a viewer liked or disliked."""

import re
from collections import defaultdict
from pathlib import Path

from xpeft.fetch.archives import csv_rows, zip_text
from xpeft.fetch.source import Line, Prepared, RemoteFile, Source
from xpeft.fetch.splits import split_by_time

VIEWERS, FEWEST_FILMS, MOST_FILMS = 160, 80, 200
# A viewer is used if the liked films are between these fractions, so that a label bias says little.
LEAST_LIKED, MOST_LIKED = 0.3, 0.7


def convert(folder: Path) -> Prepared:
    """Return the films of the first viewers with enough ratings, each viewer's from oldest to newest."""
    archive = folder / "ml-latest-small.zip"
    films = {row["movieId"]: film_text(row["title"], row["genres"]) for row in csv_rows(zip_text(archive, "ml-latest-small/movies.csv"))}
    ratings: dict[int, list[dict[str, str]]] = defaultdict(list)
    for row in csv_rows(zip_text(archive, "ml-latest-small/ratings.csv")):
        ratings[int(row["userId"])].append(row)
    lines: list[Line] = []
    viewers = 0
    for _, rows in sorted(ratings.items()):
        latest = sorted(rows, key=lambda row: (int(row["timestamp"]), row["movieId"]))[-MOST_FILMS:]
        scores = [float(row["rating"]) for row in latest]
        liked = [score > sum(scores) / len(scores) for score in scores]
        if len(latest) < FEWEST_FILMS or not LEAST_LIKED <= sum(liked) / len(liked) <= MOST_LIKED:
            continue
        lines += [
            {"profile": f"taste-{viewers:03}", "text": films[row["movieId"]], "label": "liked" if like else "disliked", "split": split}
            for row, like, split in zip(latest, liked, split_by_time(latest), strict=True)
        ]
        viewers += 1
        if viewers == VIEWERS:
            break
    return {"tastes/profiles": lines}


def film_text(title: str, genres: str) -> str:
    """Return a film in words: "The Godfather (1972). Crime, Drama."."""
    name = re.sub(r"^(.*), (The|A|An) (\(\d{4}\))$", r"\2 \1 \3", title.strip())
    return f"{name}." if genres.startswith("(no ") else f"{name}. {', '.join(genres.split('|'))}."


TASTES = Source(
    name="tastes",
    title="tastes: MovieLens ml-latest-small, films that viewers liked or disliked",
    files=(
        RemoteFile(
            "https://files.grouplens.org/datasets/movielens/ml-latest-small.zip",
            "sha256:696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436",
        ),
    ),
    outputs=("tastes/profiles",),
    terms="For research. No commercial use without permission of the GroupLens Research Project. Redistribution only under the same terms. "
    "State or imply no endorsement. Acknowledge the data in publications. The whole terms are in README.txt of the archive.",
    citation="Harper and Konstan (2015). The MovieLens Datasets: History and Context. ACM Transactions on Interactive Intelligent "
    "Systems 5(4). https://doi.org/10.1145/2827872",
    changes="A viewer is a profile, by number. A film is liked if its rating is above the mean of the viewer's last 200. Each viewer's "
    "films are split by time, 70/10/20.",
    convert=convert,
    restricts="commercial use, also of what is learnt from the data",
)
