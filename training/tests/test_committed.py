"""Files in the repository that training made: the golden file and the demo tasks."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BUNDLE, ROOT
from xpeft.bundle.manifest import read_manifest
from xpeft.golden import write_golden
from xpeft.task_files import read_trained_task


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
    learnt = read_trained_task(ROOT / "bundles" / "demo" / task, identity, manifest.pool_shape)
    assert learnt.task.task == task
    assert (len(learnt.profiles), len(learnt.task.labels)) == (profiles, labels)
