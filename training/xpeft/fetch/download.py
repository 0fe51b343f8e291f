"""Downloads a file: resumes what is cut off, checks the checksum, and writes it whole or not at all."""

import hashlib
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import cast
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from xpeft.atomic_files import write_errors
from xpeft.errors import DownloadFailed, WrongChecksum
from xpeft.fetch.source import RemoteFile, hash_file
from xpeft.progress import byte_progress

CHUNK = 1 << 18
TIMEOUT_SECONDS = 60
RANGE_NOT_SATISFIABLE = 416
AGAIN = "Run the same command again: it resumes. If the address has moved, name a mirror with --mirror."
OTHER_CONTENT = "The source may have a new edition. To use it, add --unverified: results then differ from those in the report."


@dataclass(frozen=True)
class Downloaded:
    """What was downloaded. verified: whether it has the known checksum."""

    address: str
    bytes: int
    sha256: str
    verified: bool


def download(file: RemoteFile, path: Path, mirror: str | None, unverified: bool, quiet: bool) -> Downloaded:
    """Download a file to `path`, which resumes an earlier download. `mirror` takes the place of https:// in the address.

    unverified: accept content that differs from the checksum. Raises DownloadFailed, WrongChecksum or NotWritten.
    """
    address = file.url if mirror is None else f"{mirror.rstrip('/')}/{file.url.removeprefix('https://')}"
    draft = path.with_name(f"{path.name}.part")
    if not path.is_file():
        resumed = size(draft) > 0
        receive_whole(address, draft, quiet)
        if resumed and not file.matches(draft):
            # The source may have changed between both parts.
            draft.unlink()
            receive_whole(address, draft, quiet)
        if not file.matches(draft) and not unverified:
            digest = hash_file(draft, hashlib.sha256())
            draft.unlink()
            raise WrongChecksum(f"{address}: the file has sha256 {digest}, and not the checksum {file.checksum}", OTHER_CONTENT)
        with write_errors(path):
            draft.replace(path)
    return Downloaded(address, size(path), hash_file(path, hashlib.sha256()), file.matches(path))


def receive_whole(address: str, draft: Path, quiet: bool) -> None:
    """Append to `draft` until the file is whole. It goes on after a cut for as long as bytes arrive. Raises DownloadFailed."""
    while True:
        before = size(draft)
        try:
            receive(address, draft, quiet)
            return
        except HTTPError as error:
            if error.code == RANGE_NOT_SATISFIABLE and before:
                draft.unlink()
                continue
            raise DownloadFailed(f"{address}: the server answers {error.code} {error.reason}", AGAIN) from error
        except (OSError, HTTPException) as error:
            if size(draft) <= before:
                raise DownloadFailed(f"{address}: {getattr(error, 'reason', None) or error or type(error).__name__}", AGAIN) from error


def receive(address: str, draft: Path, quiet: bool) -> None:
    """Append the rest of a file to `draft`, or write it anew if the server sends all of it. Raises OSError if it is cut off."""
    start = size(draft)
    headers = {"User-Agent": "xpeft", "Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    request = Request(address, headers=headers)  # noqa: S310  # the command checks the mirror's scheme
    with cast("HTTPResponse", urlopen(request, timeout=TIMEOUT_SECONDS)) as response:  # noqa: S310
        start = start if response.status == 206 else 0
        length = response.headers["Content-Length"]
        total = start + int(length) if length else None
        shown = byte_progress(total, start, address.rsplit("/", 1)[1], quiet)
        with write_errors(draft):
            content = draft.open("ab" if start else "wb")
        with shown, content:
            while chunk := response.read(CHUNK):
                with write_errors(draft):
                    content.write(chunk)
                shown.update(len(chunk))
    if total is not None and size(draft) < total:
        raise ConnectionError(f"cut off after {size(draft):,} of {total:,} bytes")


def size(path: Path) -> int:
    """Return a file's bytes, 0 if there is no file."""
    return path.stat().st_size if path.is_file() else 0
