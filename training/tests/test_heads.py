import pytest
import torch

from xpeft import heads
from xpeft.data import DataSet, Example
from xpeft.features import Features
from xpeft.heads import label_loss, search_head

# conftest.py shortens the search for all tests; these are the values before.
FULL_GRID = heads.LEARNING_RATES, heads.PASSES


def test_a_label_bias_is_learnt_from_a_dozen_texts_a_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "LEARNING_RATES", FULL_GRID[0])
    monkeypatch.setattr(heads, "PASSES", FULL_GRID[1])
    # Features tell nothing: only its own bias can tell what a profile says.
    source = torch.Generator().manual_seed(0)
    examples = [Example(profile, profile % 2, [], []) for profile in range(4) for _ in range(12)]
    data = DataSet(["a", "b", "c", "d"], ["no", "yes"], {"train": examples, "dev": examples, "test": []})
    features: Features = {"train": torch.randn(48, 8, generator=source), "dev": torch.randn(48, 8, generator=source)}
    head = search_head(data, features, "bias", "dev", 0, "", quiet=True, loss=label_loss(data, "dev")).stored()
    assert (head.predict(data, features, "dev") == [example.label for example in examples]).all()
    assert (head.profile_bias.abs() > 0.2).all()
