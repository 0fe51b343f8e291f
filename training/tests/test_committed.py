"""Files in the repository that training made: the golden file and the demo tasks."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BUNDLE, ROOT
from xpeft.bundle.manifest import read_manifest
from xpeft.errors import XpeftError
from xpeft.golden import write_golden
from xpeft.task_files import PROFILES_FILE, TASK_FILE, Task, read_trained_task


def test_the_golden_file_is_what_the_code_gives(tmp_path: Path) -> None:
    write_golden(BUNDLE, None, tmp_path / "golden.json")
    made: dict[str, Any] = json.loads((tmp_path / "golden.json").read_text(encoding="utf-8"))
    kept: dict[str, Any] = json.loads((ROOT / "test" / "fixtures" / "golden.json").read_text(encoding="utf-8"))
    for made_case, kept_case in ((made, kept), (made["allLayers"], kept["allLayers"])):
        for case, other in zip(made_case.pop("predictions"), kept_case.pop("predictions"), strict=True):
            assert case["logits"] == pytest.approx(other["logits"], abs=1e-3)
            assert case["features"] == pytest.approx(other["features"], abs=1e-3)
    assert made == kept


@pytest.mark.parametrize(("task", "profiles", "labels"), [("inbox", 96, 3), ("news", 81, 30), ("offense", 200, 5)])
def test_the_demo_fits_the_default_bundle(task: str, profiles: int, labels: int) -> None:
    manifest, identity = read_manifest(BUNDLE)
    learnt = read_trained_task(ROOT / "bundles" / "demo" / task, identity, manifest)
    assert learnt.task.task == task
    assert (len(learnt.profiles), len(learnt.task.labels)) == (profiles, labels)


def write_task(folder: Path, task: Task) -> None:
    """Write a task with a profile that has no masks."""
    (folder / TASK_FILE).write_text(task.model_dump_json(), encoding="utf-8")
    line = {"task": task.task, "profile": "a", "headHash": task.head_hash, "masks": ""}
    (folder / PROFILES_FILE).write_text(json.dumps(line) + "\n", encoding="utf-8")


@pytest.mark.parametrize(("number", "place"), [(2, 0), (1, 1)])
def test_a_task_of_an_earlier_format_is_read_on_the_default_bundle(tmp_path: Path, number: int, place: int) -> None:
    manifest, identity = read_manifest(BUNDLE)
    earlier = (ROOT / "test" / "fixtures" / f"manifest-format-{number}.json").read_bytes()
    formats = manifest.of_earlier_formats()
    assert formats[place].to_bytes() == earlier
    trained = Task.model_validate_json((ROOT / "bundles" / "demo" / "offense" / TASK_FILE).read_bytes())
    task = trained.model_copy(update={"bundle": hashlib.sha256(earlier).hexdigest()[:32]})
    write_task(tmp_path, task)
    assert read_trained_task(tmp_path, identity, manifest).task == task
    # The hash is over the bundle that the task names.
    write_task(tmp_path, task.model_copy(update={"bundle": identity}))
    profiles = (tmp_path / PROFILES_FILE).read_text(encoding="utf-8")
    write_task(tmp_path, task)
    (tmp_path / PROFILES_FILE).write_text(profiles, encoding="utf-8")
    with pytest.raises(XpeftError, match="was trained with head"):
        read_trained_task(tmp_path, identity, manifest)


def test_a_bundle_of_format_1_serves_its_own_tasks_alone(tmp_path: Path) -> None:
    manifest, identity = read_manifest(BUNDLE)
    task = Task.model_validate_json((ROOT / "bundles" / "demo" / "offense" / TASK_FILE).read_bytes())
    write_task(tmp_path, task)
    with pytest.raises(XpeftError, match=f"was trained on bundle {task.bundle}, not {identity}"):
        read_trained_task(tmp_path, identity, manifest.of_earlier_formats()[-1])
