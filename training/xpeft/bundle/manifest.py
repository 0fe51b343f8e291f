"""Reads and describes `manifest.json`, which has every file's size and hash. The bundle's id is a hash over it."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from xpeft.bounds import MIN_TOKENS
from xpeft.errors import XpeftError
from xpeft.pool import PoolShape
from xpeft.pooling import Pooling

MANIFEST = "manifest.json"
# The numbers in one vector of the edge's kernel (src/model/tail.ts), and the bytes of a weight and a bias.
TAIL_VECTOR, TAIL_BYTES_A_NUMBER = 4, 8
# Inputs and outputs that the kernels of a packed encoder take at a time.
PACKED_GROUP = 8


class Strict(BaseModel):
    """A record that rejects unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ManifestPLM(Strict):
    """The PLM that the bundle was built from."""

    name: str
    licence: str
    sha256: str


# Absent where it is 0, as in manifests from before personal layers: a bundle's id is a hash over these bytes.
FirstLayer = Annotated[int, Field(ge=0, exclude_if=lambda first: first == 0)]


class ManifestSignPool(Strict):
    """A random pool of a seed: N adapters, of which each mask chooses k, in the layers from `firstLayer` on."""

    kind: Literal["sign"] = "sign"
    seed: int = Field(ge=0)
    size: int = Field(ge=1)
    chosen: int = Field(ge=1)
    scale: float = Field(gt=0)
    firstLayer: FirstLayer = 0  # noqa: N815 - the file's own spelling


class ManifestTrainedPool(Strict):
    """A pool of trained adapters, in the files with the role "pool"."""

    kind: Literal["trained"] = "trained"
    size: int = Field(ge=1)
    chosen: int = Field(ge=1)
    firstLayer: FirstLayer = 0  # noqa: N815


ManifestPool = Annotated[ManifestSignPool | ManifestTrainedPool, Field(discriminator="kind")]
Role = Literal["graph", "learning", "weights", "pool", "tail", "packed", "tokenizer", "notice"]


class ManifestLearning(Strict):
    """What a running service can learn: masks of the layers from `firstLayer` on, with the graph of role "learning" and these weights."""

    firstLayer: int = Field(ge=0)  # noqa: N815
    weights: list[str]


class ManifestTail(Strict):
    """The tail of a bundle whose last layer alone is personal: the epsilon of that layer's last LayerNorm, whose weights have the role
    "tail".
    """

    epsilon: float = Field(gt=0)


class ManifestPacked(Strict):
    """Sizes of the packed encoder, whose bytes are the files with the role "packed", and the epsilon of its LayerNorms."""

    heads: int = Field(ge=1)
    intermediate: int = Field(ge=1)
    words: int = Field(ge=1)
    types: int = Field(ge=1)
    positions: int = Field(ge=1)
    epsilon: float = Field(gt=0)


class ManifestFile(Strict):
    """One file of the bundle."""

    path: str
    role: Role
    bytes: int
    sha256: str


class Manifest(Strict):
    """The manifest (docs/formats.md, "manifest.json")."""

    format: Literal["xpeft-bundle/1", "xpeft-bundle/2", "xpeft-bundle/3"]
    name: str
    plm: ManifestPLM
    layers: int
    hidden: int
    bottleneck: int
    pool: ManifestPool
    pooling: Pooling
    maxTokens: int  # noqa: N815
    learning: ManifestLearning
    tail: Annotated[ManifestTail | None, Field(exclude_if=lambda tail: tail is None)] = None
    packed: Annotated[ManifestPacked | None, Field(exclude_if=lambda packed: packed is None)] = None
    files: list[ManifestFile]

    @model_validator(mode="after")
    def check_tail(self) -> "Manifest":
        """Raise ValueError if the tail does not fit the bundle: the edge refuses it too (src/bundle/manifest.ts)."""
        sizes = [file.bytes for file in self.files if file.role == "tail"]
        if sizes != ([TAIL_BYTES_A_NUMBER * self.hidden] if self.tail else []):
            raise ValueError("the bundle must list one tail file, of weight and bias, if and only if it has a tail")
        last = {self.pool.firstLayer, self.learning.firstLayer} == {self.layers - 1}
        fitting = self.hidden % TAIL_VECTOR == 0 and self.bottleneck % TAIL_VECTOR == 0
        if self.tail and not (self.format != "xpeft-bundle/1" and last and fitting):
            raise ValueError(
                "a tail needs format 2 or later, masks and learning in the last layer alone, and sizes that are multiples of 4"
            )
        return self

    @model_validator(mode="after")
    def check_packed(self) -> "Manifest":
        """Raise ValueError if the packed encoder does not fit the bundle: the edge refuses it too (src/bundle/manifest.ts)."""
        if {self.format == "xpeft-bundle/3", bool(self.with_role("packed"))} != {self.packed is not None}:
            raise ValueError("the bundle must list a packed encoder and its files if and only if it has format 3")
        if self.packed:
            groups = (self.hidden, self.hidden / self.packed.heads, self.packed.intermediate)
            fitting = self.maxTokens <= self.packed.positions and not any(size % PACKED_GROUP for size in groups)
            if not (self.tail and fitting):
                raise ValueError("a packed encoder needs a tail, a position for each token, and sizes that are multiples of 8")
        return self

    @model_validator(mode="after")
    def check_first_layer(self) -> "Manifest":
        """Raise ValueError if the pool begins behind the last layer."""
        if self.pool.firstLayer >= self.layers:
            raise ValueError(f"the pool begins at layer {self.pool.firstLayer}, and the encoder has {self.layers} layers from 0 on")
        return self

    @property
    def pool_shape(self) -> PoolShape:
        """The sizes of the pool."""
        first = self.pool.firstLayer
        return PoolShape(self.layers - first, self.hidden, self.bottleneck, self.pool.size, self.pool.chosen, first)

    def of_earlier_formats(self) -> list["Manifest"]:
        """Return the manifests of the same bundle without its packed encoder, and without its tail too, as `bundle` wrote them earlier."""
        manifests = []
        if self.packed:
            manifests.append(self._without("packed", "xpeft-bundle/2"))
        if self.tail:
            manifests.append((manifests or [self])[0]._without("tail", "xpeft-bundle/1"))
        return manifests

    def _without(self, part: Literal["tail", "packed"], earlier: str) -> "Manifest":
        files = [file for file in self.files if file.role != part]
        return self.model_copy(update={"format": earlier, part: None, "files": files})

    def serves_task_of(self, bundle: str, identity: str) -> bool:
        """Tell whether rows of the bundle with the id `bundle` fit this one, whose id is `identity`.

        They do if it is this bundle, or this bundle of an earlier format: its id is a hash, so all else is the same.
        """
        return bundle in (identity, *(bundle_id(manifest.to_bytes()) for manifest in self.of_earlier_formats()))

    def to_bytes(self) -> bytes:
        """Return the bytes of `manifest.json`. A bundle's id is a hash over them."""
        return (self.model_dump_json(indent=2) + "\n").encode()

    def with_role(self, role: Role) -> list[str]:
        """Return the paths of the files with a role."""
        return [file.path for file in self.files if file.role == role]

    def file(self, role: Role) -> str:
        """Return the path of the only file with a role."""
        return self.with_role(role)[0]


def describe_file(folder: Path, path: str, role: Role) -> ManifestFile:
    """Return the manifest entry of a file."""
    data = (folder / path).read_bytes()
    return ManifestFile(path=path, role=role, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """Return the manifest and id of the bundle in a folder. Raises XpeftError where a file does not match its hash."""
    hint = f"Name a bundle's folder, or build it again with `python -m xpeft bundle --out {folder}`."
    try:
        raw = (folder / MANIFEST).read_bytes()
        manifest = Manifest.model_validate_json(raw)
    except (OSError, ValidationError) as error:
        raise XpeftError(f"{folder} is not a bundle: {error}", hint) from error
    for file in manifest.files:
        if not (folder / file.path).exists() or describe_file(folder, file.path, file.role) != file:
            raise XpeftError(f"{folder / file.path} is missing or does not match the manifest", hint)
    return manifest, bundle_id(raw)


def check_max_tokens(max_tokens: int, manifest: Manifest) -> None:
    """Raise XpeftError if the PLM cannot read texts of `max_tokens` tokens."""
    if not MIN_TOKENS <= max_tokens <= manifest.maxTokens:
        hint = f"Give --max-tokens between {MIN_TOKENS} and {manifest.maxTokens}."
        raise XpeftError(f"texts cannot be cut to {max_tokens} tokens", hint)


def bundle_id(manifest: bytes) -> str:
    """Return the bundle's id: the first 32 hex digits of SHA-256 over the manifest's bytes."""
    return hashlib.sha256(manifest).hexdigest()[:32]
