"""Tasks go to a running Worker, which serves them."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from tests.edge import NODE, Edge
from tests.fitted import Rows, fit, saved
from tests.test_task_adapter import model_of
from xpeft import Task, errors
from xpeft.batches import collate
from xpeft.data import Example
from xpeft.mask_model import MaskModel
from xpeft.plm import load_plm
from xpeft.task_adapter import rounded_task_adapter
from xpeft.task_files import PROFILES_FILE, TASK_FILE, write_trained_task
from xpeft.worker import Worker

TEXTS = ["the cat and the dog", "a train, a ship and a truck", "rain"]


@pytest.fixture(scope="module")
def task(rows: Rows, last_layer_bundle: Path, tiny_plm: Path) -> Task:
    return fit(rows, last_layer_bundle, tiny_plm)


# One for all tests here: its start takes longer than they do.
@pytest.fixture(scope="module")
def edge(last_layer_bundle: Path) -> Iterator[Edge]:
    if not NODE.exists():
        pytest.skip("needs the TypeScript half: npm ci")
    worker = Edge(last_layer_bundle)
    yield worker
    worker.close()


def test_push_writes_what_the_worker_serves(task: Task, edge: Edge, rows: Rows, last_layer_bundle: Path, tiny_plm: Path) -> None:
    url, key = edge.worker["XPEFT_URL"], edge.worker["XPEFT_KEY"]
    assert task.push(url, key) == (1, 3, 0, 0)
    assert task.push(f"{url}/", key) == (2, 0, 0, 3)
    code, stdout, stderr = edge.run("predict", "things", "--profile", "b", "the cat and the dog", "the car and the train")
    assert code == 0, stderr
    assert [line.split("\t")[0] for line in stdout.splitlines()] == ["animal", "vehicle"]

    other = fit(rows, last_layer_bundle, tiny_plm, seed=1)
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
    files = saved(task, tmp_path)
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


def score(model: MaskModel, example: Example, pad_id: int) -> float:
    """Return the second label's score of a text in fp32, under the masks of its profile."""
    with torch.no_grad():
        logits = model.logits(collate([example.profile], [example], pad_id, torch.device("cpu")))
    return logits.softmax(-1)[0, 1].item()


def test_the_worker_answers_with_the_adapter(edge: Edge, last_layer_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    model, identity = model_of(last_layer_bundle, tiny_plm, 0)
    model.task_adapter = rounded_task_adapter(torch.randn(2, 2, 160, generator=torch.Generator().manual_seed(0)) * 0.3, model.shape)
    with torch.no_grad():
        model.head.weight.copy_(torch.randn(2, 32, generator=torch.Generator().manual_seed(1)))
    write_trained_task(tmp_path, model, "tiny", identity, ["no", "yes"], ["a", "b"], 16, has_label_bias=False)

    inputs, expected, plm = [], [], load_plm(str(tiny_plm))
    for text in TEXTS:
        encoding = plm.tokenizer.encode(text)
        for row, profile in enumerate(("a", "b")):
            inputs.append({"text": text, "profile": profile})
            expected.append(score(model, Example(row, 0, encoding.ids, encoding.type_ids), plm.pad_id))
    file = tmp_path / "texts.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in inputs), encoding="utf-8")

    files = ["--task", str(tmp_path / TASK_FILE), "--profiles", str(tmp_path / PROFILES_FILE), "--bundle", str(last_layer_bundle)]
    code, _, stderr = edge.run("push", *files, "--url", edge.worker["XPEFT_URL"])
    assert code == 0, stderr
    code, stdout, stderr = edge.run("predict", "tiny", "--file", str(file), "--json", "--scores")
    assert code == 0, stderr
    served = [json.loads(line)["scores"]["yes"] for line in stdout.splitlines()]
    # int8 changes a score by 0.004; another profile's masks or no adapter change it by more.
    assert served == pytest.approx(expected, abs=0.02)
    assert abs(expected[0] - expected[1]) > 0.05
    model.task_adapter = None
    assert abs(score(model, Example(0, 0, encoding.ids, encoding.type_ids), plm.pad_id) - expected[-2]) > 0.05
