"""A task with an adapter goes from the files of training through the registry to answers over HTTP."""

import json
from pathlib import Path

import pytest
import torch

from tests.edge import NODE, Edge
from tests.test_task_adapter import model_of
from xpeft.batches import collate
from xpeft.data import Example
from xpeft.mask_model import MaskModel
from xpeft.plm import load_plm
from xpeft.task_adapter import rounded_task_adapter
from xpeft.task_files import PROFILES_FILE, TASK_FILE, write_trained_task

TEXTS = ["the cat and the dog", "a train, a ship and a truck", "rain"]


def score(model: MaskModel, example: Example, pad_id: int) -> float:
    """Return the second label's score of a text in fp32, under the masks of its profile."""
    with torch.no_grad():
        logits = model.logits(collate([example.profile], [example], pad_id, torch.device("cpu")))
    return logits.softmax(-1)[0, 1].item()


@pytest.mark.skipif(not NODE.exists(), reason="needs the TypeScript half: npm ci")
def test_the_edge_answers_with_the_adapter(last_layer_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
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

    edge = Edge(last_layer_bundle)
    files = ["--task", str(tmp_path / TASK_FILE), "--profiles", str(tmp_path / PROFILES_FILE), "--bundle", str(last_layer_bundle)]
    code, _, stderr = edge.run("push", *files, "--url", edge.worker["XPEFT_URL"])
    assert code == 0, stderr
    code, stdout, stderr = edge.run("predict", "tiny", "--file", str(file), "--json", "--scores")
    assert code == 0, stderr
    edge.close()
    served = [json.loads(line)["scores"]["yes"] for line in stdout.splitlines()]
    # int8 changes a score by 0.004; another profile's masks or no adapter change it by more.
    assert served == pytest.approx(expected, abs=0.02)
    assert abs(expected[0] - expected[1]) > 0.05
    model.task_adapter = None
    assert abs(score(model, Example(0, 0, encoding.ids, encoding.type_ids), plm.pad_id) - expected[-2]) > 0.05
