"""Checks a data file: finds what `train` refuses, and what is odd."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tokenizers import Tokenizer

from xpeft.data import UNREAD_HINT, encode, has_no_token
from xpeft.errors import BadLine, XpeftError
from xpeft.faults import find_faults
from xpeft.oddities import RARE_LABEL, Finding, find_oddities
from xpeft.pool import PoolShape
from xpeft.records import SPLITS, Record, read_lines
from xpeft.task_files import check_row


@dataclass(frozen=True)
class CheckedFile:
    """A data file's numbers and findings. max_tokens: the length at which texts are cut; None if no tokens were counted."""

    file: str
    texts: dict[str, int]
    profiles: int
    labels: int
    max_tokens: int | None
    findings: list[Finding]

    @property
    def refused(self) -> bool:
        """Whether `train` refuses the file."""
        return any(finding.refused for finding in self.findings)

    def as_json(self) -> dict[str, object]:
        """Return the check for programs."""
        return {**asdict(self), "refused": self.refused}

    def as_table(self) -> str:
        """Return the check for people."""
        splits = ", ".join(f"{count} {split}" for split, count in self.texts.items())
        lines = [f"{self.file}: {sum(self.texts.values())} texts ({splits}), {self.profiles} profiles, {self.labels} labels"]
        for finding in self.findings:
            lines += [f"{'refused' if finding.refused else 'odd':<9}{finding.kind:<19}{finding}", f"{'':<28}{finding.hint}"]
        if self.max_tokens is None:
            lines.append("Tokens were not counted. Add --bundle to find texts that are cut.")
        return "\n".join([*lines, f"train {'refuses' if self.refused else 'accepts'} this file"])


def check_file(
    path: Path,
    pair: bool,
    tokenizer_file: Path | None = None,
    max_tokens: int = 32,
    labels: Sequence[str] | None = None,
    shape: PoolShape | None = None,
) -> CheckedFile:
    """Return what is wrong or odd with a data file. Texts are only checked for their tokens if a tokenizer is given.

    labels: those of a finished task, if the file is for `add`. shape: the bundle's pool, to check the size of the
    task's row. Raises BadLine or UnreadableFile where the file cannot be read to its end.
    """
    lines = dict(read_lines(path, canonical=labels is None))
    records = {number: line for number, line in lines.items() if isinstance(line, Record)}
    tokens = count_tokens(records, tokenizer_file, pair) if tokenizer_file else {}
    texts: dict[str, int] = {split: sum(record.split == split for record in records.values()) for split in SPLITS}
    counts = {field: len({getattr(record, field) for record in records.values()}) for field in ("profile", "label")}
    # A finished task knows its labels, however few texts of `add` have one.
    odd = [finding for finding in find_oddities(records, pair) if labels is None or finding.kind != RARE_LABEL]
    findings = [*find_refusals(path, lines, records, tokens, labels), *odd]
    try:
        if shape is not None:
            # As for `train` with the default recipe, which tries an adapter.
            check_row(sorted({record.label for record in records.values() if record.split == "train"}), shape, with_adapter=True)
    except XpeftError as error:
        findings.append(Finding(error.code, True, str(error), [], error.hint))
    if cut := [f"line {number} ({count} tokens)" for number, count in tokens.items() if count > max_tokens]:
        message = f"{len(cut)} of {len(records)} texts are cut at {max_tokens} tokens"
        hint = f"The longest has {max(tokens.values())} tokens. A larger --max-tokens reads more of it, and takes more time."
        findings.append(Finding("cut-text", False, message, cut, hint))
    return CheckedFile(str(path), texts, counts["profile"], counts["label"], max_tokens if tokenizer_file else None, findings)


def find_refusals(
    path: Path,
    lines: Mapping[int, Record | BadLine],
    records: Mapping[int, Record],
    tokens: Mapping[int, int],
    labels: Sequence[str] | None,
) -> list[Finding]:
    """Return why `train`, or `add` to a task with these labels, refuses a file, by the kind of error."""
    findings = []
    if bad := [line for line in lines.values() if isinstance(line, BadLine)]:
        items = [str(error).removeprefix(f"{path}, ") for error in bad]
        findings.append(Finding(BadLine.code, True, f"{len(bad)} of {len(lines)} lines are bad", items, bad[0].hint))
    if records or not bad:
        findings += [Finding(fault.code, True, str(fault), [], fault.hint) for fault in find_faults(path, records, labels)]
    if unread := [f"line {number}" for number, count in tokens.items() if count == 0]:
        findings.append(Finding(BadLine.code, True, f"{len(unread)} of {len(records)} texts have no token", unread, UNREAD_HINT))
    return findings


def count_tokens(records: Mapping[int, Record], tokenizer_file: Path, pair: bool) -> dict[int, int]:
    """Return the tokens of each text, special tokens included; 0 if there are only special tokens."""
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_truncation()
    encodings = zip(records, encode(tokenizer, [record.text_or_pair(pair) for record in records.values()]), strict=True)
    return {number: 0 if has_no_token(encoding) else len(encoding.ids) for number, encoding in encodings}
