"""`python -m bench.peers.server FOLDER` serves FOLDER/task.json with FOLDER/lora's adapters over HTTP, on one thread.

`POST /predict` takes `{"profile", "text"}` and returns the label, its score and the number of tokens. When ready, the server prints
`{"port": …}`.
"""

import json
import socket
import sys
from pathlib import Path

import numpy as np
import torch
import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from tokenizers import Tokenizer
from transformers import AutoModel

from bench.peers.swapping import SwappedAdapters
from xpeft import DEFAULT_PLM
from xpeft.plm import plm_folder
from xpeft.task_files import TASK_FILE, Task

CACHED_ADAPTERS = 50


class PredictRequest(BaseModel):
    """One text under one profile."""

    profile: str
    text: str


class Prediction(BaseModel):
    """The most probable label."""

    label: str
    score: float
    tokens: int


def create_app(plm: Path, task: Task, adapters: Path, cached: int = CACHED_ADAPTERS) -> FastAPI:
    """Return a server on a PLM's folder that caches the last `cached` adapters."""
    swapped = SwappedAdapters(AutoModel.from_pretrained(plm, dtype=torch.float32).eval(), adapters, cached)
    tokenizer = Tokenizer.from_file(str(plm / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(task.maxTokens)
    labels = len(task.labels)
    head = torch.from_numpy(np.frombuffer(task.head, dtype="<f4").copy())
    weight, bias = head[:-labels].reshape(labels, -1), head[-labels:]
    app = FastAPI()

    @app.post("/predict")
    async def predict(request: PredictRequest) -> Prediction:
        # It runs on the event loop: one text computes at a time, and a thread pool would only cost time.
        try:
            model = swapped.use(request.profile)
        except KeyError as error:
            raise HTTPException(404, f"There is no adapter for profile {request.profile!r} in {adapters}.") from error
        ids = tokenizer.encode(request.text).ids
        with torch.inference_mode():
            hidden = model(input_ids=torch.tensor([ids])).last_hidden_state
            scores = torch.softmax(weight @ hidden[0].mean(0) + bias, 0)
        best = int(scores.argmax())
        return Prediction(label=task.labels[best], score=float(scores[best]), tokens=len(ids))

    return app


if __name__ == "__main__":
    FOLDER = Path(sys.argv[1])
    torch.set_num_threads(1)
    APP = create_app(plm_folder(DEFAULT_PLM), Task.model_validate_json((FOLDER / TASK_FILE).read_bytes()), FOLDER / "lora")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(json.dumps({"port": listening.getsockname()[1]}, allow_nan=False), flush=True)
        uvicorn.Server(uvicorn.Config(APP, log_level="warning", access_log=False)).run(sockets=[listening])
