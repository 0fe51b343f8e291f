"""The library: a task is trained from tables in memory, predicts, gets new profiles, is saved and pushed."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
from typer.testing import CliRunner

from tests.conftest import QUICK, interrupted_at
from tests.edge import NODE, Edge
from xpeft import Task, errors
from xpeft.cli import app
from xpeft.errors import XpeftError
from xpeft.frames import write_frame
from xpeft.worker import Worker

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def rows(tiny_data: Path) -> Rows:
    return [json.loads(line) for line in tiny_data.read_text(encoding="utf-8").splitlines()]


def fit(data: object, bundle: Path, plm: Path, **more: Any) -> Task:
    return Task.fit(bundle, data, **{"name": "things", "recipe": QUICK, "device": "cpu", "plm": str(plm), **more})


@pytest.fixture(scope="module")
def task(rows: Rows, tiny_bundle: Path, tiny_plm: Path) -> Task:
    return fit(rows, tiny_bundle, tiny_plm)


def contents(task: Task, folder: Path) -> dict[str, bytes]:
    task.save(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_fit_gives_the_bytes_of_the_command_and_predict_those_of_eval(
    task: Task, tiny_data: Path, rows: Rows, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    paths = ["--bundle", str(tiny_bundle), "--plm", str(tiny_plm), "--data", str(tiny_data), "--device", "cpu"]
    trained = ["train", "--task", "things", "--out", str(tmp_path / "cli"), "--recipe", str(QUICK), "--quiet"]
    assert CliRunner().invoke(app, [*trained, *paths]).exit_code == 0
    files = contents(task, tmp_path / "library")
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
    assert contents(found[0], tmp_path / "thread") == contents(task, tmp_path / "main")


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
    assert contents(resumed, tmp_path / "resumed") == contents(task, tmp_path / "whole")


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"recipe": {"masks": {"epoch": 2}}}, "unknown-key", "recipe: unknown key masks.epoch"),
        ({"recipe": {"masks": {"epochs": 0}}}, "bad-value", "recipe: masks.epochs = 0"),
        ({"device": "gpu"}, "bad-value", "device = 'gpu'"),
        ({"seed": -1}, "bad-value", "seed = -1"),
        ({"max_tokens": 65}, "refused", "cannot be cut to 65 tokens"),
        ({"name": "No Good"}, "refused", "cannot name a task"),
        ({"bundle": Path("none")}, "refused", "none is not a bundle"),
    ],
)
def test_fit_names_bad_settings(rows: Rows, tiny_bundle: Path, tiny_plm: Path, changes: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(XpeftError, match=message) as raised:
        fit(rows, **{"bundle": tiny_bundle, "plm": tiny_plm, **changes})
    assert raised.value.code == code


def written(data: object, folder: Path) -> Rows:
    path = folder / "data.jsonl"
    write_frame(data, path, seed=0)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_kind_of_table_gives_the_same_file(rows: Rows, tmp_path: Path) -> None:
    splits = {split: [row for row in rows if row["split"] == split] for split in ("train", "dev", "test")}
    in_order = [row for part in splits.values() for row in part]
    assert written(rows, tmp_path) == written(iter(rows), tmp_path) == written(pl.DataFrame(rows), tmp_path) == rows
    renamed = {"train": splits["train"], "validation": pl.DataFrame(splits["dev"]).drop("split"), "test": splits["test"]}
    assert written(renamed, tmp_path) == in_order


def test_frames_of_pandas_are_read(rows: Rows, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rows)
    assert written(frame, tmp_path) == written(frame.convert_dtypes(), tmp_path) == rows
    partly = frame.assign(text_pair=[pandas.NA, float("nan"), *["more"] * (len(rows) - 2)])
    assert [row.get("text_pair") for row in written(partly, tmp_path)][:3] == [None, None, "more"]


def test_data_sets_of_hugging_face_are_read(rows: Rows, tmp_path: Path) -> None:
    datasets, arrow = pytest.importorskip("datasets"), pytest.importorskip("pyarrow")
    text, names = datasets.Value("string"), datasets.ClassLabel(names=["animal", "vehicle"])
    features = datasets.Features({"profile": text, "text": text, "label": names, "split": text})
    numbered = [{**row, "label": names.str2int(row["label"])} for row in rows]
    # With a fingerprint, the library need not compute one, which fails for some versions of pyarrow.
    classes = datasets.Dataset(arrow.Table.from_pylist(numbered, features.arrow_schema), fingerprint="rows")
    assert written(classes, tmp_path) == written(classes.to_iterable_dataset(), tmp_path) == rows
    both = written(datasets.DatasetDict({"train": classes, "validation": classes}), tmp_path)
    assert [row["split"] for row in both] == ["train"] * len(rows) + ["dev"] * len(rows)


def test_numbers_of_classes_get_their_names(rows: Rows, tmp_path: Path) -> None:
    class Names:
        names = ("animal", "vehicle")
        int2str = names.__getitem__

    class Numbered(list[dict[str, Any]]):
        features: ClassVar = {"label": Names(), "text": object()}

    numbered = Numbered({**row, "label": Names.names.index(row["label"])} for row in rows)
    assert written(numbered, tmp_path) == rows
    numbered[3]["label"] = -1
    with pytest.raises(errors.BadLine, match="line 4: label: Input should be a valid string, not null"):
        written(numbered, tmp_path)


def test_without_splits_texts_are_split_as_prepare_splits_them(rows: Rows, tmp_path: Path) -> None:
    bare = [{key: value for key, value in row.items() if key != "split"} for row in rows]
    table = tmp_path / "table.jsonl"
    table.write_text("\n".join(map(json.dumps, bare)), encoding="utf-8")
    assert CliRunner().invoke(app, ["prepare", str(table), "--out", str(tmp_path / "prepared.jsonl")]).exit_code == 0
    expected = [json.loads(line) for line in (tmp_path / "prepared.jsonl").read_text(encoding="utf-8").splitlines()]
    assert written(bare, tmp_path) == expected
    assert {row["split"] for row in expected} == {"train", "dev", "test"}


@pytest.mark.parametrize(
    ("data", "code", "message", "hint"),
    [
        ("data.jsonl", "bad-value", "'data.jsonl' is not a table", "list of dictionaries"),
        (3, "bad-value", "3 is not a table", "list of dictionaries"),
        ([], "no-texts", "data holds no texts", "row for each"),
        ({"text": ["a", "b"]}, "bad-line", "data, line 1: 'a' is not a dictionary", "profile, text and label"),
        ([{"profile": "a", "text": "x"}], "bad-line", 'data, line 1: there is no column "label" among "profile", "text"', "Rename"),
        ([{"profile": "a", "text": None, "label": "x"}], "bad-line", "data, line 1: text: Input should be a valid string", "or drop them"),
        ([{"profile": "a", "text": "x", "label": b"x"}], "bad-line", "data, line 1: label: b'x' is not a string", "or drop them"),
        ([{"profile": "a b", "text": "x", "label": "x"}], "bad-line", "'a b' .line 1.", "or drop them"),
        ([{"profile": "a", "text": "x", "label": "x", "split": "later"}], "bad-line", "split: Input should be 'train'", "Drop the column"),
    ],
)
def test_bad_tables_are_named(data: object, code: str, message: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(XpeftError, match=message) as raised:
        write_frame(data, tmp_path / "out.jsonl", seed=0)
    assert raised.value.code == code
    assert hint in raised.value.hint
    assert "--" not in raised.value.hint.replace("--hash-ids", "")


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


@pytest.fixture(scope="module")
def edge(tiny_bundle: Path) -> Iterator[Edge]:
    if not NODE.exists():
        pytest.skip("needs the TypeScript half: npm ci")
    worker = Edge(tiny_bundle)
    yield worker
    worker.close()


def test_push_writes_what_the_worker_serves(task: Task, edge: Edge, rows: Rows, tiny_bundle: Path, tiny_plm: Path) -> None:
    url, key = edge.worker["XPEFT_URL"], edge.worker["XPEFT_KEY"]
    assert task.push(url, key) == (1, 3, 0, 0)
    assert task.push(f"{url}/", key) == (2, 0, 0, 3)
    code, stdout, stderr = edge.run("predict", "things", "--profile", "b", "the cat and the dog", "the car and the train")
    assert code == 0, stderr
    assert [line.split("\t")[0] for line in stdout.splitlines()] == ["animal", "vehicle"]

    other = fit(rows, tiny_bundle, tiny_plm, seed=1)
    with pytest.raises(errors.WorkerProblem) as raised:
        other.push(url, key)
    assert (raised.value.code, raised.value.status) == ("task_has_profiles", 409)
    assert raised.value.hint
    assert other.push(url, key, replace=True).created == 3


def test_push_names_errors(task: Task, edge: Edge) -> None:
    url, key = edge.worker["XPEFT_URL"], edge.worker["XPEFT_KEY"]
    with pytest.raises(errors.WorkerProblem, match="key") as raised:
        task.push(url)
    assert (raised.value.code, raised.value.status) == ("key_missing", 401)
    with pytest.raises(errors.UnreachableWorker, match="cannot be reached"):
        task.push("http://localhost:1", key)
    with pytest.raises(errors.BadValue, match="is not the address"):
        task.push("file:///etc/passwd", key)


def test_lines_that_fail_are_named_and_do_not_stop_the_others(task: Task, edge: Edge, tmp_path: Path) -> None:
    files = contents(task, tmp_path)
    lines = files["profiles.ndjson"].splitlines()
    damaged = [lines[0], lines[1].replace(b'"masks":"', b'"masks":"AAAA'), lines[2]]
    name, task_json = b'"task": "things"', files["task.json"]
    worker = Worker(edge.worker["XPEFT_URL"], edge.worker["XPEFT_KEY"])
    with pytest.raises(errors.WorkerProblem, match="1 of 3 profiles failed; the first is in line 2: ") as raised:
        worker.push(
            "partly", task_json.replace(name, b'"task": "partly"'), [line.replace(b"things", b"partly") for line in damaged], replace=False
        )
    assert raised.value.code == "mismatched_write"
    code, stdout, _ = edge.run("profiles", "list", "partly")
    assert (code, [line.split()[0] for line in stdout.splitlines() if line[:1] in "abc"]) == (0, ["a", "c"])


class Busy(BaseHTTPRequestHandler):
    """A Worker that is at capacity at first, and later another server."""

    answers = iter([(503, {"x-request-id": "1"}), (200, {"x-request-id": "2"}), (200, {})])

    def do_PUT(self) -> None:
        status, headers = next(self.answers)
        self.rfile.read(int(self.headers["content-length"]))
        body = {"generation": 7} if status == 200 else {"detail": "busy", "hint": "Wait.", "code": "overloaded", "status": status}
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json" if status == 200 else "application/problem+json")
        self.send_header("content-length", str(len(content)))
        self.send_header("retry-after", "0.01")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None: ...


def test_a_busy_worker_is_asked_again_and_another_server_is_named() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        worker = Worker(f"http://127.0.0.1:{server.server_port}", None)
        assert worker.write_task("things", b"{}", "keep") == 7
        with pytest.raises(errors.UnreachableWorker, match="status 200, but is no Worker"):
            worker.write_task("things", b"{}", "keep")
        server.shutdown()
