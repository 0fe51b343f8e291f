import json
import shutil
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import onnxruntime
import pytest
import torch
import uvicorn
from peft import PeftModel
from transformers import AutoModel

from bench.peers.adapters import write_adapters
from bench.peers.export import export
from bench.peers.server import create_app
from bench.peers.swapping import SwappedAdapters
from xpeft.task_files import Task

IDS = torch.tensor([[101, 1996, 4937, 102]])
PROFILES = ["p-1", "p-2", "p-3", "p-4"]


@pytest.fixture(scope="module")
def adapters(tiny_plm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("peers") / "lora"
    assert write_adapters(tiny_plm, PROFILES, folder, distinct=3) > 4 * 2 * 2 * 8 * 64
    return folder


def plain(plm: Path) -> torch.nn.Module:
    model: torch.nn.Module = AutoModel.from_pretrained(plm, dtype=torch.float32).eval()
    return model


def hidden(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        states: torch.Tensor = model(input_ids=IDS).last_hidden_state
    return states


@contextmanager
def served(plm: Path, adapters: Path) -> Iterator[str]:
    """The server of a task whose head looks at the first two features, over real HTTP."""
    head = np.zeros((2, 33), dtype="<f4")
    head[0, 0] = head[1, 1] = 1
    flat = np.concatenate([head[:, :32].ravel(), head[:, 32]])
    task = Task.model_validate(
        {"task": "t", "bundle": "0" * 32, "labels": ["x", "y"], "maxTokens": 8, "head": encode(flat.tobytes()), "masks": encode(b"0")}
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(create_app(plm, task, adapters, cached=2), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/predict"
        finally:
            server.should_exit = True
            thread.join()


def encode(data: bytes) -> str:
    return b64encode(data).decode()


def ask(url: str, profile: str) -> dict[str, object]:
    body = json.dumps({"profile": profile, "text": "the cat"}).encode()
    with urlopen(Request(url, body, {"content-type": "application/json"})) as response:
        answer: dict[str, object] = json.load(response)
    return answer


def test_each_profile_gets_its_own_adapter_however_often_it_is_dropped(tiny_plm: Path, adapters: Path) -> None:
    alone = {profile: hidden(PeftModel.from_pretrained(plain(tiny_plm), adapters / profile)) for profile in PROFILES}
    swapped = SwappedAdapters(plain(tiny_plm), adapters, cached=2)
    for profile in [*PROFILES, *reversed(PROFILES), "p-1", "p-3", "p-3", "p-1"]:
        torch.testing.assert_close(hidden(swapped.use(profile)), alone[profile])
        assert len(swapped.recent) <= 2
    assert set(swapped.recent) == {"p-1", "p-3"}
    # The fourth profile's is a link to the first one's.
    torch.testing.assert_close(alone["p-1"], alone["p-4"])
    assert not torch.allclose(alone["p-1"], alone["p-2"], atol=1e-3)
    assert not torch.allclose(alone["p-1"], hidden(plain(tiny_plm)), atol=1e-3)


def test_the_server_answers_by_profile_and_names_one_that_it_lacks(tiny_plm: Path, adapters: Path) -> None:
    with served(tiny_plm, adapters) as url:
        answers = {profile: ask(url, profile) for profile in PROFILES}
        assert answers["p-1"] == answers["p-4"] != answers["p-2"]
        assert {answer["tokens"] for answer in answers.values()} == {4}
        assert {answer["label"] for answer in answers.values()} <= {"x", "y"}
        with pytest.raises(HTTPError, match="404") as refused:
            ask(url, "nobody")
        assert "nobody" in refused.value.read().decode()


def test_the_exported_plm_reads_texts_of_any_length(tiny_plm: Path, tmp_path: Path) -> None:
    plm = tmp_path / "plm"
    shutil.copytree(tiny_plm, plm)
    (plm / "tokenizer_config.json").write_text("{}", encoding="utf-8")
    export(plm, tmp_path / "made" / "plm")
    session = onnxruntime.InferenceSession(tmp_path / "made" / "plm" / "onnx" / "model_quantized.onnx")
    for length in (3, 8, 20):
        ids = torch.randint(1000, 2000, (1, length), generator=torch.Generator().manual_seed(length))
        inputs = {"input_ids": ids.numpy(), "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (found,) = session.run(None, inputs)
        with torch.inference_mode():
            expected = plain(tiny_plm)(input_ids=ids).last_hidden_state
        # int8 costs a little; another length than the traced one must cost no more.
        assert torch.nn.functional.cosine_similarity(torch.from_numpy(found), expected, dim=-1).min() > 0.98
