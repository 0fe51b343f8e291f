"""Data sets of the comparison: their parts, and their runs by kind of set."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.compared import compare, run
from tests.tiny_data import tiny_sets, write_set
from xpeft.comparison.metrics import METRICS
from xpeft.comparison.sets import SETS, Slice, load_set
from xpeft.recipe import TaskRecipe


def test_a_slice_is_the_same_each_time_and_keeps_the_measured_texts(sets_root: Path, tiny_bundle: Path) -> None:
    part = Slice(profiles=2, texts=5, max_tokens=4)
    first, again = (load_set(sets_root, "news", tiny_bundle / "tokenizer.json", part, 0) for _ in range(2))
    assert first == again
    assert part.description == "2 profiles, at most 5 training texts a profile, 4 tokens"
    assert {split: len(examples) for split, examples in first.splits.items()} == {"train": 10, "dev": 16, "test": 20}
    assert max(len(example.ids) for example in first.splits["test"]) == 4


def test_a_large_set_may_have_a_limit_of_training_texts(sets_root: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETS, "glue/mrpc", replace(SETS["glue/mrpc"], most_train=10))
    whole, part = (load_set(sets_root, "glue/mrpc", tiny_bundle / "tokenizer.json", part, 0) for part in (Slice(), Slice(texts=20)))
    assert {split: len(examples) for split, examples in whole.splits.items()} == {"train": 10, "dev": 4, "test": 12}
    # Who asks for a part gets it.
    assert len(part.splits["train"]) == 20


@pytest.mark.parametrize("name", ["intents", "glue/mrpc", "glue/sts-b", "superglue/copa"])
def test_what_train_makes_is_measured_on_every_kind_of_set(
    sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, name: str
) -> None:
    settings = {"data": [name], "methods": ["profile"], "personal_layers": 1, "max_tokens": 48}
    record = run(sets_root, tiny_bundle, tiny_plm, tmp_path, settings)[-1]
    assert (record.method, record.pool, record.data) == ("profile", "sign N=12 k=5 b=5 last 1", name)
    assert record.recipe["masks"] == TaskRecipe().masks.model_dump()
    assert {path.name for path in tmp_path.iterdir()} == {"experiment.toml", "runs"}


@pytest.mark.parametrize(
    ("name", "metric"), [("glue/mrpc", "f1"), ("glue/sts-b", "pearson-spearman"), ("superglue/copa", "choice-accuracy")]
)
def test_sets_of_one_profile_are_measured_on_dev_with_their_own_metric(
    sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, name: str, metric: str
) -> None:
    settings = {"data": [name], "methods": ["soft"], "affine": "own", "profile_lr": 0.1, "max_tokens": 64}
    (record,) = run(sets_root, tiny_bundle, tiny_plm, tmp_path, settings)
    assert (record.data, record.split, record.purpose, record.metric.name) == (name, "dev", "result", metric)
    assert record.pool == "sign N=12 k=5 b=5 own affine"
    assert record.bytesPerProfile == 4 * (2 * 2 * 12 + 2 * 2 * 5)
    assert record.answers is not None
    truth, predicted = map(np.array, (record.answers.truth, record.answers.predicted))
    assert record.metric.value == pytest.approx(METRICS[record.metric.name](truth, predicted), abs=1e-3)  # type: ignore[index]
    # A tenth of train takes dev's place for choosing; COPA's texts count once for each ending.
    endings = 2 if name == "superglue/copa" else 1
    assert record.texts.model_dump() == {"train": 36 * endings, "dev": 4 * endings, "test": 12 * endings}


def test_a_tenant_has_its_own_labels_and_its_head_counts(sets_root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    settings = {"data": ["intents"], "methods": ["hard"], "profile_lr": 0.1, "pool": "gaussian"}
    _, record = run(sets_root, tiny_bundle, tiny_plm, tmp_path, settings)
    assert record.pool == "gaussian N=12 k=5 b=5"
    assert (record.bytesPerProfile, record.headBytes, record.bytesPerTask) == (8 + 4 * 2 * 33, 4 * 2 * 33, 0)
    label_set_bias = load_set(sets_root, "intents", tiny_bundle / "tokenizer.json", Slice(), 0).label_set_bias()
    assert (label_set_bias == 0).sum(1).tolist() == [2, 2]
    assert ((label_set_bias == 0).sum(0) == 1).all()


def test_a_set_that_cannot_be_compared_is_named(tiny_plm: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    good = tiny_sets()["news/profiles"]
    scores = [{"text": "a", "text_pair": "b", "label": "high", "split": split} for split in ["train"] * 20 + ["dev"] * 5]
    endings = [{"text": "a", "choices": ["b", "c"], "label": "2", "split": split} for split in ["train"] * 20 + ["dev"] * 5]
    many = [{**line, "label": f"label {number}"} for number, line in enumerate(good * 200)]
    path = tmp_path / "out" / "news" / "profiles.jsonl.gz"
    for name, lines, code, said in (
        ("news", [], "no-texts", f"{path} has too few texts: the split train is empty"),
        ("news", [line for line in good if line["split"] != "dev"], "no-texts", "the split dev is empty"),
        ("news", many, "refused", f"a task of {len(many):,} labels takes"),
        ("glue/sts-b", scores, "bad-value", "the label 'high' is not a number"),
        ("superglue/copa", endings, "bad-value", "the label '2' names none of 2 choices"),
    ):
        (tmp_path / "out").mkdir(exist_ok=True)
        write_set(tmp_path / "out", name if "/" in name else f"{name}/profiles", lines)
        result = compare(
            tmp_path / "out", tiny_bundle, tiny_plm, tmp_path / "out", {"data": [name], "methods": ["majority"], "max_tokens": 64}
        )
        assert (result.exit_code, f"error[{code}]: " in result.output, said in result.output) == (1, True, True), result.output
