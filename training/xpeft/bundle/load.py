"""Loads a bundle for training: its manifest, its PLM and its pool."""

from pathlib import Path

import torch

from xpeft.bundle.manifest import Manifest, ManifestSignPool, read_manifest
from xpeft.errors import XpeftError
from xpeft.plm import PLM, load_plm
from xpeft.pool import sign_pool
from xpeft.stored_pool import StoredPool


def load_bundle(bundle: Path, plm_spec: str | None) -> tuple[Manifest, str, PLM]:
    """Return the bundle's manifest, its id and the PLM that it was built from. Raises XpeftError."""
    manifest, identity = read_manifest(bundle)
    return manifest, identity, load_bundle_plm(manifest, plm_spec)


def load_bundle_plm(manifest: Manifest, plm_spec: str | None) -> PLM:
    """Return the PLM that a bundle was built from. It takes seconds, so read files that may be wrong before.

    Raises XpeftError if the PLM has other weights.
    """
    plm = load_plm(plm_spec or manifest.plm.name, manifest.pooling)
    if plm.weights_sha256() != manifest.plm.sha256:
        raise XpeftError(
            f"bundle {manifest.name} was built from other weights than those in {plm.folder}",
            f"Name the folder or hub id of {manifest.plm.name} with --plm.",
        )
    return plm


def pool_entries(bundle: Path, manifest: Manifest) -> torch.Tensor:
    """Return the bundle's pool, float32 [K, 2, N, d*b], computed from its seed or read from its files."""
    shape, pool = manifest.pool_shape, manifest.pool
    if isinstance(pool, ManifestSignPool):
        return sign_pool(pool.seed, shape, pool.scale)
    return StoredPool.unpack(b"".join((bundle / path).read_bytes() for path in manifest.with_role("pool")), shape).entries()
