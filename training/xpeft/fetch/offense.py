"""`offense`: POPQUORN, comments whose offensiveness annotators rate from 1 to 5."""

from collections import defaultdict
from pathlib import Path

from xpeft.fetch.archives import csv_rows
from xpeft.fetch.source import Line, Prepared, RemoteFile, Source
from xpeft.fetch.splits import unit_hash

REPOSITORY = "https://raw.githubusercontent.com/Jiaxin-Pei/Potato-Prolific-Dataset/dbb118c29b3d9bcce5aa172d8249ded9ece4df84"
FEWEST_RATINGS = 45
# The other annotators and texts stay free for experiments that need people that no one has looked at.
HELD_BACK, TRAIN, DEV = 0.2, 0.6, 0.7


def convert(folder: Path) -> Prepared:
    """Return the ratings of four fifths of the annotators, by number."""
    ratings: dict[int, list[dict[str, str]]] = defaultdict(list)
    for row in csv_rows((folder / "raw_data.csv").read_bytes().decode("utf-8")):
        ratings[int(row["user_id"])].append(row)
    lines: list[Line] = []
    for annotator, rows in sorted(ratings.items()):
        profile = f"offense-{annotator:03}"
        if len(rows) >= FEWEST_RATINGS and unit_hash(profile) >= HELD_BACK:
            lines += [rating(profile, row) for row in rows]
    return {"offense/profiles": lines}


def rating(profile: str, row: dict[str, str]) -> Line:
    """Return the line of a rating. Demographics are left out."""
    item = int(row["instance_id"])
    draw = unit_hash(f"{profile}{item}")
    split = "train" if draw < TRAIN else "dev" if draw < DEV else "test"
    return {"profile": profile, "text": row["text"], "label": str(int(float(row["offensiveness"]))), "item": item, "split": split}


OFFENSE = Source(
    name="offense",
    title="offense: POPQUORN, comments rated by different annotators",
    files=(
        RemoteFile(
            f"{REPOSITORY}/dataset/offensiveness/raw_data.csv",
            "sha256:fb0589093d45da76bf4ef4d0abff679b540bdd5b17af5764913b3ccd0a069e1e",
        ),
    ),
    outputs=("offense/profiles",),
    terms="The repository states no licence. Ask its authors before you use the data for anything but research: "
    "https://github.com/Jiaxin-Pei/Potato-Prolific-Dataset",
    citation="Pei and Jurgens (2023). When Do Annotator Demographics Matter? Measuring the Influence of Annotator Demographics with "
    "the POPQUORN Dataset. LAW-XVII. https://arxiv.org/abs/2306.06826",
    changes="An annotator is a profile, by number. Demographics are left out. Each annotator's ratings are split 60/10/30 at random.",
    convert=convert,
)
