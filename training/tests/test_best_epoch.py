from pathlib import Path

import pytest
import torch

from xpeft.best_epoch import BestEpoch
from xpeft.data import load_data
from xpeft.encoder import AdapterEncoder
from xpeft.plm import load_plm
from xpeft.shared_adapter import SharedAdapterModel


@pytest.fixture
def best(tiny_plm: Path, tiny_data: Path, tiny_bundle: Path) -> BestEpoch:
    plm, data = load_plm(str(tiny_plm)), load_data(tiny_data, tiny_bundle / "tokenizer.json", 16, False)
    model = SharedAdapterModel(AdapterEncoder(plm), 5, len(data.profiles), len(data.labels), 0)
    return BestEpoch(model, data.splits["dev"], plm.pad_id, patience=2, decay=0.75)


def set_bias(best: BestEpoch, value: float) -> None:
    with torch.no_grad():
        best.model.head.bias.fill_(value)


def bias_of(best: BestEpoch) -> float:
    return best.model.head.bias[0].item()


def test_the_mean_of_the_steps_is_measured_and_kept(best: BestEpoch) -> None:
    for value in (1.0, 2.0, 3.0, 4.0) * 20:
        set_bias(best, value)
        best.follow()
    best.measure()
    # The parameters themselves go on as they were.
    assert bias_of(best) == 4
    expected = 0.0
    for number, value in enumerate((1.0, 2.0, 3.0, 4.0) * 20, 1):
        decay = min(0.75, number / (number + 10))
        expected = decay * expected + (1 - decay) * value if number > 1 else value
    best.restore()
    assert bias_of(best) == pytest.approx(expected, abs=1e-5)
    assert 2 < expected < 4


def test_it_goes_on_from_its_state(best: BestEpoch) -> None:
    set_bias(best, 1.0)
    best.follow()
    best.measure()
    state = best.state()
    resumed = BestEpoch(best.model, best.dev, best.pad_id, best.patience, decay=best.decay)
    resumed.load(state)
    set_bias(best, 5.0)
    resumed.follow()
    resumed.measure()
    assert len(resumed.losses) == 2
    assert resumed.steps == 2
    assert resumed.mean["head.bias"][0].item() == pytest.approx(1 * 2 / 12 + 5 * 10 / 12)


def test_without_decay_the_parameters_are_kept(best: BestEpoch) -> None:
    best.decay = 0.0
    set_bias(best, 1.0)
    best.follow()
    set_bias(best, 2.0)
    best.follow()
    best.measure()
    best.restore()
    assert (bias_of(best), best.mean) == (2, {})
