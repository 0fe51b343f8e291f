import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from bench import large_task, training_steps
from bench.graphs import GRAPHS, write_plain
from bench.many_profiles import resampled
from tests.conftest import BUNDLE
from xpeft import DEFAULT_PLM
from xpeft.encoder import AdapterEncoder
from xpeft.plm import load_plm
from xpeft.task_files import PROFILES_FILE


def test_profiles_are_repeated_with_texts_drawn_again(tiny_data: Path) -> None:
    lines = [json.loads(line) for line in resampled(tiny_data, 7, 0)]
    assert Counter(line["profile"] for line in lines) == {f"again-{number}": 24 for number in range(7)}
    assert {line["split"] for line in lines} == {"train"}
    first, other = ([line["text"] for line in lines if line["profile"] == f"again-{number}"] for number in (0, 3))
    assert first != other
    assert resampled(tiny_data, 7, 0) == resampled(tiny_data, 7, 0)


def test_the_plain_graph_is_the_default_encoder_without_adapters(tmp_path: Path) -> None:
    write_plain(load_plm(DEFAULT_PLM), tmp_path)
    assert (tmp_path / "plain.onnx").read_bytes() == (GRAPHS / "plain.onnx").read_bytes()
    for weights in BUNDLE.glob("encoder.weights.*"):
        shutil.copy(weights, tmp_path)
    session = onnxruntime.InferenceSession(str(tmp_path / "plain.onnx"))
    ids, plm = np.array([[101, 7592, 102]], dtype=np.int32), load_plm(DEFAULT_PLM)
    (features,) = session.run(None, {"input_ids": ids, "token_type_ids": np.zeros_like(ids)})
    with torch.no_grad():
        expected = AdapterEncoder(plm)(torch.from_numpy(ids).long(), torch.zeros(1, 3, dtype=torch.long), torch.tensor([3]), None)[0]
    assert torch.cosine_similarity(torch.from_numpy(features), expected, dim=0) > 0.99


def test_the_steps_of_training_are_measured(tiny_plm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    training_steps.main(rounds=1, threads=1, plm=str(tiny_plm))
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"all, bf16 / last 1, cached", "all, bf16 / last 2, cached, bf16", "all / last 1, cached"} <= figures["ratios"].keys()
    assert all(ratio > 0 for ratio in figures["ratios"].values())


def test_a_large_task_is_measured_by_phase(tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    figures = large_task.measure(tmp_path, tiny_bundle, str(tiny_plm), profiles=12, texts=10, share=0.25)
    assert (figures["profiles"], figures["texts"]) == (12, 120)
    seconds, hours = figures["seconds"], figures["hours"]
    assert isinstance(seconds, dict) and isinstance(hours, dict)
    assert seconds.keys() >= {"lengths", "check", "read", "plan", "counts", "places", "one fit", *large_task.PHASES, "write"}
    assert hours.keys() == seconds.keys() - {"one fit", "places"}
    assert len((tmp_path / PROFILES_FILE).read_text(encoding="utf-8").splitlines()) == 12
