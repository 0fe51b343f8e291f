"""Whether a finished task reads pairs of texts. Its report.json says so."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

from xpeft.errors import XpeftError
from xpeft.records import read_records

REPORT = "report.json"


class Report(BaseModel):
    """The part of a report that says how the task reads texts."""

    pair: bool


def reported_pair(folder: Path) -> bool | None:
    """Return whether the report of the task in `folder` says that it reads `text_pair`; None without a report. Raises XpeftError."""
    path = folder / REPORT
    if not path.exists():
        return None
    try:
        return Report.model_validate_json(path.read_bytes()).pair
    except ValidationError as error:
        hint = "It is damaged, or not a report of train or add. Without it, --pair or --no-pair says so."
        raise XpeftError(f"{path} does not say whether the task reads pairs of texts", hint) from error


def reads_pair(folder: Path, data_file: Path, given: bool | None) -> bool:
    """Return whether to read `text_pair` of `data_file` for the task in `folder`: as its report says, else as `given`.

    Raises XpeftError if the report says otherwise than `given`, or if the data needs an answer and neither has it.
    """
    pair = reported_pair(folder)
    if pair is not None:
        if given is not None and given != pair:
            problem = f"the task was trained with{'' if pair else 'out'} --pair, as {folder / REPORT} says"
            raise XpeftError(problem, "Leave --pair and --no-pair out.")
        return pair
    if given is None:
        for number, record in read_records(data_file).items():
            if isinstance(record.text_or_pair(True), tuple):
                problem = (
                    f"{data_file}, line {number}: it has a text_pair, and {folder} has no {REPORT} that says whether the task reads it"
                )
                raise XpeftError(problem, "Give --pair if the task was trained with it, else --no-pair.")
    return bool(given)
