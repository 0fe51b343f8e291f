"""Reads data files: JSON Lines, plain or gzip, with `profile`, `text`, optional `text_pair`, `label` and `split` in each line."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError
from tokenizers.normalizers import BertNormalizer

from xpeft.errors import BadLine
from xpeft.json_lines import numbered_lines, parse_line
from xpeft.labels import canonical_label

Split = Literal["train", "dev", "test"]
# A text, or a text and a second one.
Text = str | tuple[str, str]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")
NOT_BLANK = r"\S"
PROFILE_ID = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$"

FILE_HINT = "Name a JSON Lines file in UTF-8, plain or gzip."
LINE_HINT = (
    'A line is {"profile": …, "text": …, "label": …, "split": "train" | "dev" | "test"}; "text_pair" may be added. '
    "`python -m xpeft prepare` makes such lines from a table."
)
FIELD_HINTS = {
    "profile": "A profile id is a string of 1 to 128 letters, digits and . _ : @ -. It starts with a letter or a digit. "
    "`python -m xpeft prepare --hash-ids` replaces ids by hashes.",
    "text": "A text is a string that is not blank: it has more than white space and characters that cannot be seen. "
    "Remove the line if there is no text.",
    "text_pair": "A second text is a string. Leave it blank, or leave it out, if there is none.",
    "label": 'A label is a string of 1 to 256 characters, without tabs and line ends. It is not blank. Write a number as "3", not 3.',
    "split": 'A split is "train", "dev" or "test".',
}
NORMALIZER = BertNormalizer()


def check_text(text: str) -> str:
    """Return the text. Raises PydanticCustomError if it is blank: a BERT tokenizer reads nothing in it."""
    # Most texts have such a letter, and the search is fast.
    if not re.search("[0-9A-Za-z]", text) and not NORMALIZER.normalize_str(text).strip():
        raise PydanticCustomError("blank", "{text} is blank", {"text": ascii(text[:40])})
    return text


class Record(BaseModel):
    """One labelled text of one profile. Other fields of the line are ignored."""

    profile: str = Field(pattern=PROFILE_ID)
    text: Annotated[str, AfterValidator(check_text)]
    text_pair: str | None = None
    label: str = Field(pattern=NOT_BLANK)
    split: Split

    def text_or_pair(self, pair: bool) -> Text:
        """Return the text, or, if `pair` is set and the second text is not blank, both texts."""
        return (self.text, self.text_pair) if pair and self.text_pair and self.text_pair.strip() else self.text


def read_lines(path: Path, canonical: bool) -> Iterator[tuple[int, Record | BadLine]]:
    """Yield the line numbers and records of a file, with an error in place of each record that is bad.

    canonical: whether to bring labels into canonical form. Raises BadLine or UnreadableFile where the file cannot be read to its end.
    """
    for number, line in numbered_lines(path, FILE_HINT):
        try:
            record = parse_line(Record, path, number, line, LINE_HINT, FIELD_HINTS)
            yield number, with_canonical_label(record, path, number) if canonical else record
        except BadLine as error:
            yield number, error


def read_records(path: Path, canonical: bool = False) -> dict[int, Record]:
    """Return the records of a file by line number. Raises the first error of `read_lines`."""
    records = {}
    for number, record in read_lines(path, canonical):
        if isinstance(record, BadLine):
            raise record
        records[number] = record
    return records


def with_canonical_label(record: Record, path: Path, number: int) -> Record:
    """Return a record with its label in canonical form. Raises BadLine if the label cannot be one."""
    try:
        return record.model_copy(update={"label": canonical_label(record.label)})
    except ValueError as error:
        raise BadLine(f"{path}, line {number}: label: {error}", FIELD_HINTS["label"]) from error
