"""Limits of the platform that serves a bundle."""

from collections.abc import Iterable

from xpeft.bundle.external import PART_BYTES
from xpeft.bundle.manifest import Manifest, ManifestFile
from xpeft.errors import TooLarge

ISOLATE_BYTES = 128 * 1000 * 1000


def check_files(files: Iterable[ManifestFile]) -> None:
    """Raise TooLarge if a file is larger than an asset may be. Weights are split into files, but no matrix is split."""
    for file in files:
        if file.bytes > PART_BYTES:
            hint = (
                "Build a PLM with fewer words or a smaller hidden size: its largest matrix, usually the word embeddings, must fit one file."
            )
            raise TooLarge(f"{file.path} would have {file.bytes:,} bytes; the platform serves files of up to {PART_BYTES:,} bytes", hint)


def loading_bytes(manifest: Manifest) -> int:
    """Return the fewest bytes that a Worker needs while it loads a bundle: the weights as files and in the encoder, and the pool."""
    shape = manifest.pool_shape
    entries = 2 * shape.layers * shape.size * shape.hidden * shape.bottleneck
    # A Worker reads those of one engine: the kernels', if the bundle has them.
    role = "packed" if manifest.packed else "weights"
    weights = sum(file.bytes for file in manifest.files if file.role == role)
    return 2 * weights + (entries // 8 if manifest.pool.kind == "sign" else entries)


def memory_note(manifest: Manifest) -> str | None:
    """Return a note if a Worker's isolate is too small to load the bundle, or None."""
    needed = loading_bytes(manifest)
    if needed <= ISOLATE_BYTES:
        return None
    return (
        f"note: loading this bundle takes more than {needed / 1e6:.0f} MB, and a Worker's isolate has {ISOLATE_BYTES / 1e6:.0f} MB. "
        "Serve it with the engine for Node, or build a smaller PLM."
    )
