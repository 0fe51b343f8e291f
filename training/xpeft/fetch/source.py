"""What a data set is made of: addresses, checksums, terms, and the function that converts the files."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# A line of a prepared file: profile, text, text_pair, choices, label, item, split.
Line = Mapping[str, str | int | list[str]]
# The lines of each prepared file, by its name without .jsonl.gz.
Prepared = Mapping[str, Sequence[Line]]
# From the folder with the downloaded files.
Convert = Callable[[Path], Prepared]


@dataclass(frozen=True)
class RemoteFile:
    """A file of a source. checksum: "sha256:…", or "git:…" for the id that git gives the file."""

    url: str
    checksum: str

    @property
    def name(self) -> str:
        """The file's name on disk."""
        return self.url.rsplit("/", 1)[1]

    def matches(self, content: Path) -> bool:
        """Return whether a file on disk has the checksum."""
        kind, _, digest = self.checksum.partition(":")
        hasher = hashlib.sha256() if kind == "sha256" else hashlib.sha1(b"blob %d\0" % content.stat().st_size, usedforsecurity=False)
        return hash_file(content, hasher) == digest


@dataclass(frozen=True)
class Source:
    """A data set as it is published.

    outputs: the prepared files, without .jsonl.gz. terms, changes: for the notice beside the data. restricts: what its terms forbid.
    """

    name: str
    title: str
    files: tuple[RemoteFile, ...]
    outputs: tuple[str, ...]
    terms: str
    citation: str
    changes: str
    convert: Convert
    restricts: str | None = None

    @property
    def notice(self) -> str:
        """The text that is shown before the download and written beside the data."""
        addresses = "\n".join(f"  {file.url}" for file in self.files)
        return (
            f"{self.title}\n\nTerms: {self.terms}\n\nCite: {self.citation}\n\nChanges: {self.changes}\n\n"
            f"Sources:\n{addresses}\n\nThe terms are a summary. Read those of the source before you use the data.\n"
        )

    def beside(self, root: Path, name: str) -> Path:
        """Return the path of a file beside the data: news/NOTICE.txt, glue/cola.NOTICE.txt."""
        return root / f"{self.name}{'.' if '/' in self.name else '/'}{name}"


def hash_file(path: Path, hasher: "hashlib._Hash") -> str:
    """Return the hex digest of a file."""
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            hasher.update(chunk)
    return hasher.hexdigest()
