"""Do two programs say the same of the same texts? Their predictions as files, and the comparison."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from xpeft.atomic_files import write_text
from xpeft.errors import XpeftError
from xpeft.json_lines import numbered_lines, parse_line


class Prediction(BaseModel):
    """What was said of one text of a split; `index` is its place there, from 0."""

    index: int
    profile: str
    label: str
    predicted: str


def write_predictions(path: Path, predictions: Sequence[Prediction]) -> None:
    """One JSON object a line."""
    write_text(path, "".join(prediction.model_dump_json() + "\n" for prediction in predictions))


def read_predictions(path: Path) -> list[Prediction]:
    """The predictions of a file; an error naming the line where it holds something else."""
    hint = "Make it with `python -m xpeft eval --predictions` or `npm run eval -- --predictions`."
    return [parse_line(Prediction, path, number, line, hint) for number, line in numbered_lines(path, hint)]


def agreement(first: Path, second: Path) -> dict[str, int | float]:
    """Share of texts with the same predicted label, and the share of right ones in each file."""
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
