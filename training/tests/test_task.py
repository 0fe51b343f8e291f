"""The library: a task is trained from tables in memory, predicts, gets new profiles, is saved and read."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.conftest import interrupted_at
from tests.fitted import Rows, fit, saved
from tests.runs import QUICK
from xpeft import Task, errors
from xpeft.cli import app
from xpeft.errors import XpeftError


def test_fit_gives_the_bytes_of_the_command_and_predict_those_of_eval(
    task: Task, tiny_data: Path, rows: Rows, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    paths = ["--bundle", str(tiny_bundle), "--plm", str(tiny_plm), "--data", str(tiny_data), "--device", "cpu"]
    trained = ["train", "--task", "things", "--out", str(tmp_path / "cli"), "--recipe", str(QUICK), "--quiet"]
    assert CliRunner().invoke(app, [*trained, *paths]).exit_code == 0
    files = saved(task, tmp_path / "library")
    for name in ("task.json", "profiles.ndjson"):
        assert files[name] == (tmp_path / "cli" / name).read_bytes()
    assert task.report["test"] == json.loads((tmp_path / "cli" / "report.json").read_bytes())["test"]

    predictions = tmp_path / "predictions.ndjson"
    assert CliRunner().invoke(app, ["eval", "--task", str(tmp_path / "cli"), "--predictions", str(predictions), *paths]).exit_code == 0
    expected = [json.loads(line)["predicted"] for line in predictions.read_text(encoding="utf-8").splitlines()]
    test = [row for row in rows if row["split"] == "test"]
    loaded = Task.load(tmp_path / "library", tiny_bundle, plm=str(tiny_plm), device="cpu")
    assert loaded.predict([row["text"] for row in test], [row["profile"] for row in test]) == expected


def test_scores_sum_to_one_and_none_is_the_default_profile(task: Task) -> None:
    texts = ["the cat and the dog", "a train"]
    scores = task.predict(texts, "a", scores=True)
    assert [max(row, key=row.__getitem__) for row in scores] == task.predict(texts, "a")
    assert all(row.keys() == {"animal", "vehicle"} and sum(row.values()) == pytest.approx(1) for row in scores)
    assert task.predict(texts, None, scores=True) == task.predict(texts, [None, None], scores=True) != scores
    assert task.predict([], "a") == []


@pytest.mark.parametrize(
    ("texts", "profile", "code", "message"),
    [
        (["a cat"], "nobody", "unknown-profile", "'things' has no profile 'nobody'"),
        (["a cat", "a dog"], ["a", "z"], "unknown-profile", "has no profile 'z'"),
        (["a cat", "a dog"], ["a"], "bad-value", "1 profiles are given for 2 texts"),
        ("a cat", "a", "bad-value", "texts is one string"),
        (["a cat", " \u200b"], "a", "bad-line", "text 2: no token is left of it"),
        (["a cat", 3], "a", "bad-value", "text 2: 3 is not a text"),
        (["a \ud800"], "a", "bad-value", r"text 1: 'a \ud800' is not a text"),
        ([("a cat",)], "a", "bad-value", "text 1: ('a cat',) is not a text"),
        ([()], "a", "bad-value", "text 1: () is not a text"),
        ([("a cat", "a dog")], "a", "bad-value", "the task reads no second text"),
    ],
)
def test_predict_names_what_is_wrong(task: Task, texts: Any, profile: Any, code: str, message: str) -> None:
    with pytest.raises(XpeftError) as raised:
        task.predict(texts, profile)
    assert message in str(raised.value)
    assert raised.value.code == code


def test_the_task_shows_its_verdict(task: Task) -> None:
    assert str(task).splitlines()[0] == "things: 3 profiles, 2 labels"
    assert "profile masks" in str(task)
    assert repr(task) == "<Task things: 3 profiles, 2 labels>"
    page = task._repr_html_()
    assert page.startswith("<p>things: 3 profiles, 2 labels</p><table><tr><th>dev</th><th>micro</th>")
    assert f"<td><b>{task.report['test']['methods']['profile_masks']['macro']:.3f}</b></td>" in page


def test_add_makes_new_profiles_known(rows: Rows, tiny_bundle: Path, tiny_plm: Path, task: Task, tmp_path: Path) -> None:
    task.save(tmp_path / "before")
    file = tmp_path / "before" / "profiles.ndjson"
    file.write_bytes(file.read_bytes().rstrip())
    grown = Task.load(tmp_path / "before", tiny_bundle, plm=str(tiny_plm), device="cpu")
    before = grown.predict(["the cat"], "a", scores=True)
    report = grown.add([{**row, "profile": "d"} for row in rows if row["profile"] == "a"], recipe={"add": {"use": "profile", "epochs": 4}})
    assert report["kept"] == "new_profiles"
    assert grown.profiles == ["a", "b", "c", "d"]
    assert grown.predict(["the cat and the dog", "the car and the train"], "d") == ["animal", "vehicle"]
    assert grown.predict(["the cat"], "a", scores=True) == before
    with pytest.raises(XpeftError, match="'d' for one"):
        grown.add([{**row, "profile": "d"} for row in rows])
    grown.save(tmp_path / "after")
    assert Task.load(tmp_path / "after", tiny_bundle).profiles == grown.profiles
    old = (tmp_path / "before" / "profiles.ndjson").read_bytes()
    assert (tmp_path / "after" / "profiles.ndjson").read_bytes().startswith(old)


def test_a_thread_trains_and_leaves_signals_alone(rows: Rows, tiny_bundle: Path, tiny_plm: Path, task: Task, tmp_path: Path) -> None:
    found: list[Task] = []
    handler = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=lambda: found.append(fit(rows, tiny_bundle, tiny_plm)))
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is handler
    assert saved(found[0], tmp_path / "thread") == saved(task, tmp_path / "main")


def test_a_folder_keeps_the_data_and_the_files(rows: Rows, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    fit(rows, tiny_bundle, tiny_plm, out=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"data.jsonl", "task.json", "profiles.ndjson", "report.json"}


def test_a_stopped_training_resumes_in_its_folder(rows: Rows, tiny_bundle: Path, tiny_plm: Path, task: Task, tmp_path: Path) -> None:
    with interrupted_at(7), pytest.raises(KeyboardInterrupt):
        fit(rows, tiny_bundle, tiny_plm, out=tmp_path / "out")
    assert list((tmp_path / "out").glob("*checkpoint.pt"))
    with pytest.raises(errors.OtherRun):
        fit(rows, tiny_bundle, tiny_plm, out=tmp_path / "out", resume=True, seed=1)
    resumed = fit(rows, tiny_bundle, tiny_plm, out=tmp_path / "out", resume=True)
    assert saved(resumed, tmp_path / "resumed") == saved(task, tmp_path / "whole")


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"recipe": {"masks": {"epoch": 2}}}, "unknown-key", "recipe: unknown key masks.epoch"),
        ({"recipe": {"masks": {"epochs": 0}}}, "bad-value", "recipe: masks.epochs = 0"),
        ({"device": "gpu"}, "bad-value", "device = 'gpu'"),
        ({"seed": -1}, "bad-value", "seed = -1"),
        ({"seed": 1.5}, "bad-value", "seed = 1.5"),
        ({"data": [{"profile": "a", "text": "a cat", "label": "x"}] * 2}, "one-label", "all training texts of data have 1 label, 'x'"),
        ({"max_tokens": 65}, "refused", "cannot be cut to 65 tokens"),
        ({"name": "No Good"}, "refused", "cannot name a task"),
        ({"bundle": Path("none")}, "refused", "none is not a bundle"),
    ],
)
def test_fit_names_bad_settings(rows: Rows, tiny_bundle: Path, tiny_plm: Path, changes: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(XpeftError, match=message) as raised:
        fit(**{"data": rows, "bundle": tiny_bundle, "plm": tiny_plm, **changes})
    assert raised.value.code == code


def test_pairs_are_read_as_the_report_says(rows: Rows, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    pairs = [{**row, "text": "text", "text_pair": row["text"]} for row in rows]
    task = fit(pairs, tiny_bundle, tiny_plm, pair=True, out=tmp_path)
    assert task.predict([("text", "the cat and the dog"), ("text", "the car and the train")], "a") == ["animal", "vehicle"]
    assert task.predict([("text", " ")], "a", scores=True) == task.predict(["text"], "a", scores=True)
    (tmp_path / "report.json").unlink()
    loaded = Task.load(tmp_path, tiny_bundle, plm=str(tiny_plm), device="cpu")
    assert (loaded.report, str(loaded)) == ({}, "things: 3 profiles, 2 labels")
    with pytest.raises(XpeftError, match="has no report that says"):
        loaded.predict([("text", "more")], "a")


def test_load_names_what_a_folder_lacks(task: Task, tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(XpeftError, match=r"none does not hold a trained task: No such file or directory: task\.json") as raised:
        Task.load(tmp_path / "none", tiny_bundle)
    assert "Name a folder" in raised.value.hint
    task.save(tmp_path / "damaged")
    (tmp_path / "damaged" / "report.json").write_text("{", encoding="utf-8")
    with pytest.raises(XpeftError, match=r"report\.json does not say whether"):
        Task.load(tmp_path / "damaged", tiny_bundle)


def test_the_package_is_imported_fast() -> None:
    program = "import sys, xpeft; assert 'Task' in xpeft.__all__ and 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
    with pytest.raises(ImportError):
        from xpeft import Nothing  # noqa: F401
