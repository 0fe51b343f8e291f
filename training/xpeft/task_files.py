"""Reads and writes `task.json` and `profiles.ndjson`, which the edge takes (docs/formats.md, "Task" and "Profile")."""

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import Base64Bytes, Field, ValidationError

from xpeft.atomic_files import make_folder, write_text
from xpeft.bounds import MIN_TOKENS
from xpeft.bundle.manifest import Manifest, Strict
from xpeft.errors import BadLine, XpeftError
from xpeft.finite import check_finite
from xpeft.head_change import HeadChange
from xpeft.json_lines import numbered_lines, parse_line
from xpeft.mask_model import MaskModel
from xpeft.masks import mask_bytes, pack_masks, topk_ones, unpack_masks
from xpeft.pool import PoolShape
from xpeft.profile_head import ProfileHead, known_labels, unpack_profile_head
from xpeft.profile_model import ProfileModel
from xpeft.records import PROFILE_ID
from xpeft.task_adapter import pack_task_adapter, task_adapter_bytes, unpack_task_adapter
from xpeft.task_pool import TaskPool, task_pool_bytes

TASK_FILE = "task.json"
PROFILES_FILE = "profiles.ndjson"
# The edge stores a task in one row of its database, and rejects a larger one.
MAX_ROW_BYTES = 1_950_000
TASK_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"


class Task(Strict):
    """A task's label set, head and, if it has one, adapter, and the default profile's masks."""

    format: Literal["xpeft-task/1"] = "xpeft-task/1"
    task: str = Field(pattern=TASK_NAME)
    bundle: str = Field(pattern=r"^[0-9a-f]{32}$")
    labels: list[str] = Field(min_length=2)
    maxTokens: int = Field(ge=MIN_TOKENS)  # noqa: N815 - the file's own spelling
    head: Base64Bytes
    adapter: Base64Bytes | None = None
    masks: Base64Bytes

    @property
    def head_hash(self) -> str:
        """The hash of the head and adapter, as the lines of profiles have it."""
        return hash_head(self.bundle, self.labels, self.head, self.adapter or b"")


def hash_head(bundle: str, labels: list[str], head: bytes, adapter: bytes = b"") -> str:
    """Return the hash of what masks are trained with: the head's float32 bytes, and the task adapter's bytes if there is one."""
    text = json.dumps([bundle, labels], ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode() + head + adapter).hexdigest()[:32]


class Profile(Strict):
    """A profile's masks and what it changes of the head, if it changes anything. Without `headHash`, its head is unknown."""

    task: str = Field(pattern=TASK_NAME)
    profile: str = Field(pattern=PROFILE_ID)
    headHash: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")  # noqa: N815
    masks: Base64Bytes
    labelBias: Base64Bytes | None = None  # noqa: N815


@dataclass(frozen=True)
class TrainedTask:
    """A trained task as tensors.

    weight [labels, d] and bias [labels] are the head's. task_adapter [L, 2, d*b] and task_pool are None if the task has none. shape: the
    sizes of the task's pool, or of the bundle's without one. masks [P + 1, K, 2, N], 0.0 or 1.0, and label_bias [P + 1, labels] have a row
    for each profile; the last row is the default profile's. The masks of a profile without masks are 0. The label bias is NEVER where a
    profile does not know the label. head_changes: those of the rows that have one. has_label_bias: whether the files have label biases; if
    not, those of known labels are 0.
    """

    task: Task
    profiles: list[str]
    weight: torch.Tensor
    bias: torch.Tensor
    task_adapter: torch.Tensor | None
    task_pool: TaskPool | None
    shape: PoolShape
    masks: torch.Tensor
    label_bias: torch.Tensor
    head_changes: dict[int, HeadChange]
    has_label_bias: bool

    @property
    def has_known_labels(self) -> bool:
        """Whether some profile knows only some of the labels."""
        return not bool(known_labels(self.label_bias).all())

    def subset(self, profiles: list[int]) -> "TrainedTask":
        """Return the task with some of the profiles, by index."""
        rows = [*profiles, len(self.profiles)]
        return replace(
            self,
            profiles=[self.profiles[index] for index in profiles],
            masks=self.masks[rows],
            label_bias=self.label_bias[rows],
            head_changes={row: self.head_changes[index] for row, index in enumerate(rows) if index in self.head_changes},
        )


def check_row(labels: list[str], shape: PoolShape, with_adapter: bool = False) -> None:
    """Raise XpeftError if a task of these labels, and an adapter if `with_adapter`, is larger than a row of the edge's database."""
    size = row_bytes(labels, shape) + with_adapter * task_adapter_bytes(shape)
    if size > MAX_ROW_BYTES:
        hint = "Train with fewer or shorter labels: `python -m xpeft prepare --min-label N` drops rare ones."
        task = f"a task of {len(labels):,} labels{' with an adapter' if with_adapter else ''}"
        raise XpeftError(f"{task} takes {size:,} bytes; a row of the database has {MAX_ROW_BYTES:,}", hint)


def row_bytes(labels: list[str], shape: PoolShape) -> int:
    """Return the bytes of a task's head, masks and labels in a row of the edge's database."""
    text = json.dumps(labels, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return 4 * len(labels) * (shape.hidden + 1) + mask_bytes(shape) + len(text.encode())


def fits_row(labels: list[str], pool: PoolShape) -> bool:
    """Return whether a task with an adapter and a pool of its own, of the sizes `pool`, fits into a row of the edge's database."""
    return row_bytes(labels, pool) + task_adapter_bytes(pool) + task_pool_bytes(pool) <= MAX_ROW_BYTES


def write_trained_task(
    folder: Path,
    model: MaskModel,
    task: str,
    bundle: str,
    labels: list[str],
    profiles: list[str],
    max_tokens: int,
    has_label_bias: bool,
) -> None:
    """Write both files of a trained model, with label biases if `has_label_bias`."""
    adapter = pack_adapters(model)
    record = Task(
        task=task,
        bundle=bundle,
        labels=labels,
        maxTokens=max_tokens,
        head=base64.b64encode(head_bytes(model)),
        adapter=adapter and base64.b64encode(adapter),
        masks=mask_blobs(model)[-1],
    )
    make_folder(folder)
    # An interruption here must not leave a new task beside an older run's profiles.
    (folder / PROFILES_FILE).unlink(missing_ok=True)
    write_text(folder / TASK_FILE, record.model_dump_json(indent=2, exclude_none=True) + "\n")
    write_profiles(folder / PROFILES_FILE, model, record, profiles, has_label_bias)


def pack_adapters(model: MaskModel) -> bytes | None:
    """Return the bytes of a model's task adapter and task pool, or None if it has neither. A pool alone has an adapter of zeros."""
    if model.task_adapter is None and model.task_pool is None:
        return None
    shape = model.shape
    zeros = torch.zeros(shape.encoder_layers, 2, shape.hidden * shape.bottleneck)
    adapter = pack_task_adapter(zeros if model.task_adapter is None else model.task_adapter)
    return adapter + (model.task_pool.pack() if model.task_pool else b"")


def unpack_adapters(blob: bytes | None, shape: PoolShape) -> tuple[torch.Tensor | None, TaskPool | None]:
    """Return the task adapter and the task pool of their bytes. Raises XpeftError if they break the format's rules."""
    if blob is None:
        return None, None
    end = task_adapter_bytes(shape)
    adapter, pool = unpack_task_adapter(blob[:end], shape), TaskPool.unpack(blob[end:], shape) if blob[end:] else None
    # An adapter of zeros is there for the pool's sake.
    return (adapter if pool is None or bool(adapter.any()) else None), pool


def head_bytes(model: ProfileModel) -> bytes:
    """Return the float32 bytes of a model's head: weight [labels, d], then bias [labels]."""
    return torch.cat([model.head.weight.detach().flatten(), model.head.bias.detach()]).cpu().numpy().astype("<f4").tobytes()


def mask_blobs(model: MaskModel) -> list[bytes]:
    """Return the mask blob of each profile and, last, of the default profile, in base64."""
    rows = torch.arange(len(model.profile_masks), device=model.device)
    ones = topk_ones(model.mask_logits(rows).detach(), model.shape.chosen) * model.has_masks[:, None, None, None]
    return [base64.b64encode(pack_masks(masks, model.shape)) for masks in ones.cpu().numpy().astype(bool)]


def write_profiles(path: Path, model: MaskModel, task: Task, profiles: list[str], has_label_bias: bool) -> None:
    """Write profiles as in `profiles.ndjson`, with label biases if `has_label_bias`. The model has the task's head and adapter."""
    head = task.head_hash
    heads = [ProfileHead(bias, model.head_changes.get(row)) for row, bias in enumerate(model.label_bias[:-1].cpu())]
    biases = [base64.b64encode(one.pack()) if has_label_bias or one.has_parts else None for one in heads]
    lines = [
        Profile(task=task.task, profile=name, headHash=head, masks=blob, labelBias=bias).model_dump_json(exclude_none=True)
        for name, blob, bias in zip(profiles, mask_blobs(model)[:-1], biases, strict=True)
    ]
    write_text(path, "\n".join(lines) + "\n")


def read_trained_task(folder: Path, bundle: str, manifest: Manifest) -> TrainedTask:
    """Read both files for the bundle with the id `bundle` and that manifest. Raises XpeftError if they do not fit it or each other."""
    hint = "Name the bundle that the task was trained with, or train the task again with this bundle."
    try:
        task = Task.model_validate_json((folder / TASK_FILE).read_bytes())
    except OSError as error:
        missing = "Name a folder that has the task.json and profiles.ndjson of a training."
        raise XpeftError(f"{folder} does not hold a trained task: {error.strerror}: {TASK_FILE}", missing) from error
    except ValidationError as error:
        raise XpeftError(f"{folder} does not hold a trained task: {error}", hint) from error
    if not manifest.serves_task_of(task.bundle, bundle):
        raise XpeftError(f"task {task.task!r} was trained on bundle {task.bundle}, not {bundle}", hint)
    shape, labels = manifest.pool_shape, len(task.labels)
    head_bytes = 4 * labels * (shape.hidden + 1)
    if len(task.head) != head_bytes:
        raise XpeftError(f"the head of task {task.task!r} has {len(task.head)} bytes, not {head_bytes}", hint)
    head = torch.from_numpy(np.frombuffer(task.head, dtype="<f4").copy())
    check_finite(head, f"the head of task {task.task!r}")
    adapter, pool = unpack_adapters(task.adapter, shape)
    shape = pool.shape(shape) if pool else shape
    file = folder / PROFILES_FILE
    profiles = []
    head_hash = task.head_hash
    for number, line in numbered_lines(file, hint):
        profile = parse_line(Profile, file, number, line, hint)
        if profile.headHash not in (None, head_hash):
            problem = f"profile {profile.profile!r} was trained with head {profile.headHash}, and the task has head {head_hash}"
            raise BadLine(f"{file}, line {number}: {problem}", "Name a folder whose task.json and profiles.ndjson are of one training.")
        profiles.append(profile)
    masks = np.stack([unpack_masks(blob, shape) for blob in (*(profile.masks for profile in profiles), task.masks)])
    heads = [unpack_profile_head(profile.labelBias or bytes(labels), labels, shape.hidden) for profile in profiles]
    return TrainedTask(
        task=task,
        profiles=[profile.profile for profile in profiles],
        weight=head[:-labels].reshape(labels, shape.hidden),
        bias=head[-labels:],
        task_adapter=adapter,
        task_pool=pool,
        shape=shape,
        masks=torch.from_numpy(masks).float(),
        label_bias=torch.stack([*(one.bias for one in heads), torch.zeros(labels)]),
        head_changes={row: one.change for row, one in enumerate(heads) if one.change},
        # Before a head change or known labels, zeros stand for no label bias.
        has_label_bias=any(
            profile.labelBias is not None and (not one.has_parts or bool(one.bias[one.known].any()))
            for profile, one in zip(profiles, heads, strict=True)
        ),
    )
