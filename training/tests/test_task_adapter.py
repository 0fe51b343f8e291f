"""The task adapter's bytes, and a task with one on a bundle whose first layers are not personal."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xpeft.add_round import Round
from xpeft.batches import collate
from xpeft.bundle.load import load_bundle
from xpeft.bundle.manifest import read_manifest
from xpeft.data import DataSet, Example
from xpeft.errors import NotFinite, XpeftError
from xpeft.evaluate_task import restore
from xpeft.mask_model import MaskModel, new_model
from xpeft.pool import PoolShape
from xpeft.task_adapter import pack_task_adapter, rounded_task_adapter, task_adapter_bytes, unpack_task_adapter
from xpeft.task_files import PROFILES_FILE, TASK_FILE, Task, check_row, read_trained_task, write_trained_task

SMALL = PoolShape(layers=1, hidden=3, bottleneck=2, size=4, chosen=2, first_layer=1)
FLOATS = st.floats(-(2.0**100), 2.0**100, width=32)


@given(st.lists(FLOATS, min_size=24, max_size=24))
@example([1.9e-43] * 24)
@settings(deadline=None)
def test_an_entry_is_within_half_a_step(values: list[float]) -> None:
    entries = torch.tensor(values).view(2, 2, 6)
    blob = pack_task_adapter(entries)
    assert len(blob) == task_adapter_bytes(SMALL) == 4 * (4 + 6)
    largest = entries.double().abs().amax(-1, keepdim=True)
    # Numbers too small for a scale become zero.
    half = torch.where(largest < 1.6e-36, largest, largest / 127 / 2)
    read = unpack_task_adapter(blob, SMALL)
    assert ((read.double() - entries.double()).abs() <= 1.00001 * half).all()
    # What is read keeps its steps when it is written again.
    assert pack_task_adapter(read)[16:] == blob[16:]


def test_the_bytes_are_scales_then_steps() -> None:
    entries = torch.zeros(2, 2, 6)
    entries[0, 1], entries[1, 0, 5] = torch.tensor([254.0, -254.0, 2.0, -3.2, 0.9, 0.0]), -12.7
    blob = pack_task_adapter(entries)
    assert np.frombuffer(blob, "<f4", 4).tolist() == [0.0, 2.0, pytest.approx(0.1), 0.0]
    assert np.frombuffer(blob, np.int8, offset=16).tolist() == [0] * 6 + [127, -127, 1, -2, 0, 0] + [0] * 5 + [-127] + [0] * 6


@pytest.mark.parametrize("scale", [-1.0, float("nan"), float("inf")])
def test_a_wrong_scale_is_rejected(scale: float) -> None:
    blob = bytearray(pack_task_adapter(torch.ones(2, 2, 6)))
    blob[4:8] = np.float32(scale).tobytes()
    with pytest.raises(XpeftError, match="a scale of the task's adapter is negative or not finite"):
        unpack_task_adapter(bytes(blob), SMALL)


@pytest.mark.parametrize("length", [0, 39, 41, 80])
def test_another_length_is_rejected(length: int) -> None:
    with pytest.raises(XpeftError, match=f"the task's adapter has {length} bytes, not 40"):
        unpack_task_adapter(bytes(length), SMALL)


def test_an_adapter_that_is_not_finite_is_not_written() -> None:
    with pytest.raises(NotFinite, match="the task's adapter is not finite"):
        pack_task_adapter(torch.full((2, 2, 6), float("inf")))


def test_the_adapter_counts_in_the_row() -> None:
    shape, labels = PoolShape(12, 768, 48, 100, 50), [str(number) for number in range(400)]
    check_row(labels, shape)
    with pytest.raises(XpeftError, match="a task of 400 labels with an adapter takes"):
        check_row(labels, shape, with_adapter=True)


def model_of(bundle: Path, plm: Path, seed: int) -> tuple[MaskModel, str]:
    """Return an untrained model of two profiles and two labels, and the bundle's id."""
    manifest, identity, parts = load_bundle(bundle, str(plm))
    return new_model(bundle, manifest, parts, 2, 2, seed, torch.device("cpu")), identity


def test_a_task_with_an_adapter_is_read_as_written(last_layer_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    model, identity = model_of(last_layer_bundle, tiny_plm, 0)
    shape = model.shape
    model.task_adapter = rounded_task_adapter(torch.randn(2, 2, 160, generator=torch.Generator().manual_seed(0)) * 0.1, shape)
    write_trained_task(tmp_path, model, "tiny", identity, ["no", "yes"], ["a", "b"], 16, has_label_bias=False)
    manifest, _ = read_manifest(last_layer_bundle)
    trained = read_trained_task(tmp_path, identity, manifest)
    assert trained.task_adapter is not None
    torch.testing.assert_close(trained.task_adapter, model.task_adapter)
    assert trained.masks.shape == (3, 1, 2, 12)

    restored = restore(trained, model_of(last_layer_bundle, tiny_plm, 1)[0])
    assert restored.task_adapter is not None
    torch.testing.assert_close(restored.task_adapter, model.task_adapter)
    example = Example(0, 0, [101, 2001, 102], [0, 0, 0])
    batch = collate([2], [example], 0, torch.device("cpu"))
    with torch.no_grad():
        served = restored.features(batch)
        torch.testing.assert_close(served, model.features(batch))
        # A new profile starts at what the default profile has.
        newcomers = model_of(last_layer_bundle, tiny_plm, 2)[0]
        data = DataSet(["c", "d"], trained.task.labels, {"train": [example], "dev": [], "test": []})
        Round(newcomers, trained, data, 0, tmp_path, quiet=True).keep_default_masks(data)
        torch.testing.assert_close(newcomers.features(replace(batch, rows=torch.tensor([0]))), served)
        # The adapter of the layer below the personal one counts too.
        restored.task_adapter[0] = 0
        assert (restored.features(batch) - served).abs().max() > 0.01

    record = json.loads((tmp_path / TASK_FILE).read_text(encoding="utf-8"))
    without = Task.model_validate({**record, "adapter": None})
    assert without.head_hash != trained.task.head_hash
    (tmp_path / TASK_FILE).write_text(without.model_dump_json(), encoding="utf-8")
    with pytest.raises(XpeftError, match=f"{PROFILES_FILE}, line 1: profile 'a' was trained with head"):
        read_trained_task(tmp_path, identity, manifest)


def test_a_task_without_an_adapter_has_no_such_field(tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    model, identity = model_of(tiny_bundle, tiny_plm, 0)
    write_trained_task(tmp_path, model, "tiny", identity, ["no", "yes"], ["a", "b"], 16, has_label_bias=False)
    assert "adapter" not in json.loads((tmp_path / TASK_FILE).read_text(encoding="utf-8"))
    trained = read_trained_task(tmp_path, identity, read_manifest(tiny_bundle)[0])
    assert trained.task_adapter is None
    model.task_adapter = torch.ones(2, 2, 160)
    assert restore(trained, model).task_adapter is None
