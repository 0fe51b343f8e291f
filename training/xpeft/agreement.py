"""Compares the predictions of two programs for the same texts."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from xpeft.atomic_files import write_text
from xpeft.errors import XpeftError
from xpeft.json_lines import numbered_lines, parse_line


class Prediction(BaseModel):
    """The prediction for one text. `index` is the text's position in its split, from 0."""

    index: int
    profile: str
    label: str
    predicted: str


def write_predictions(path: Path, predictions: Sequence[Prediction]) -> None:
    """Write predictions as JSON Lines."""
    write_text(path, "".join(prediction.model_dump_json() + "\n" for prediction in predictions))


def read_predictions(path: Path) -> list[Prediction]:
    """Return the predictions of a file. Raises BadLine or UnreadableFile."""
    hint = "Make it with `python -m xpeft eval --predictions` or `npm run eval -- --predictions`."
    return [parse_line(Prediction, path, number, line, hint) for number, line in numbered_lines(path, hint)]


def agreement(first: Path, second: Path) -> dict[str, int | float]:
    """Return the fraction of texts with the same predicted label in both files, and each file's accuracy."""
    one, two = read_predictions(first), read_predictions(second)
    if not one or [(p.index, p.profile, p.label) for p in one] != [(p.index, p.profile, p.label) for p in two]:
        raise XpeftError(f"{first} and {second} are not about the same texts", "Make both from the same data file, without --limit.")
    count = len(one)
    return {
        "n": count,
        "agree": sum(a.predicted == b.predicted for a, b in zip(one, two, strict=True)) / count,
        "micro_first": sum(p.predicted == p.label for p in one) / count,
        "micro_second": sum(p.predicted == p.label for p in two) / count,
    }
