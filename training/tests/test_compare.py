import gzip
import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from xpeft.cli import app
from xpeft.comparison.describe import anywhere
from xpeft.comparison.methods import HEADS, METHODS
from xpeft.comparison.metrics import metric_value
from xpeft.comparison.records import RunRecord
from xpeft.comparison.sets import Slice, load_set
from xpeft.data import Example
from xpeft.encoder import AdapterEncoder
from xpeft.mask_model import MaskKind, MaskModel
from xpeft.plm import load_plm
from xpeft.pool import PoolShape, sign_pool
from xpeft.train import Recipe, train

ANIMALS, VEHICLES = ["cat", "dog", "horse", "bird"], ["car", "train", "ship", "truck"]


def sentence(names: list[str], number: int) -> str:
    return f"the {names[number % 4]} and the {names[(number + 1) % 4]}" + " again" * (number % 3)


@pytest.fixture(scope="module")
def root(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the layout of the comparison's data, with sentences of our own."""
    folder = tmp_path_factory.mktemp("comparison")
    counts = (("train", 40), ("dev", 12))
    sets = {
        "news/profiles": [json.loads(line) for line in tiny_data.read_text(encoding="utf-8").splitlines()],
        "intents/profiles": [
            {"profile": profile, "text": sentence(names, number), "label": f"{profile}-{number % 2}", "split": split}
            for profile, names in (("zoo", ANIMALS), ("garage", VEHICLES))
            for split, count in (("train", 16), ("dev", 6), ("test", 6))
            for number in range(count)
        ],
        "glue/mrpc": [
            {"text": sentence(ANIMALS, number), "text_pair": sentence(VEHICLES, number), "label": str(number % 2), "split": split}
            for split, count in counts
            for number in range(count)
        ],
        "glue/sts-b": [
            {
                "text": sentence(ANIMALS, number),
                "text_pair": sentence(ANIMALS, number % 5),
                "label": f"{number % 11 / 2:.3f}",
                "split": split,
            }
            for split, count in counts
            for number in range(count)
        ],
        "superglue/copa": [
            {
                "text": "a",
                "choices": [sentence(ANIMALS, number), sentence(VEHICLES, number)][:: 1 - 2 * (number % 2)],
                "label": str(number % 2),
            }
            | {"split": split}
            for split, count in counts
            for number in range(count)
        ],
    }
    for name, records in sets.items():
        path = folder / f"{name}.jsonl.gz"
        path.parent.mkdir(exist_ok=True)
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.write("\n".join(json.dumps(record) for record in records))
    return folder


def run(root: Path, bundle: Path, plm: Path, out: Path, *more: str) -> list[RunRecord]:
    paths = ["--root", str(root), "--bundle", str(bundle), "--plm", str(plm), "--out", str(out)]
    recipe = ["--epochs", "2", "--bottleneck", "5", "--pool-size", "12", "--chosen", "5", "--head-lr", "0.03", "--device", "cpu", "--quiet"]
    result = CliRunner().invoke(app, ["compare", *more, *paths, *recipe])
    assert result.exit_code == 0, result.output
    return [RunRecord.model_validate_json(path.read_bytes()) for path in sorted((out / "runs").iterdir())]


@pytest.mark.parametrize("method", [*METHODS, *HEADS])
def test_each_method_leaves_a_record(root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, method: str) -> None:
    records = run(root, tiny_bundle, tiny_plm, tmp_path, "news", "--method", method, "--lr", "0.01", "--seeds", "1")
    dev, test = records
    assert (dev.split, dev.purpose, test.split, test.purpose) == ("dev", "result", "test", "result")
    assert test.method == method
    assert test.profileCount == 3
    assert test.texts.train == 72
    assert bool(test.losses) is (method in METHODS)
    assert (test.pool is not None) is (method in ("hard", "soft"))
    if method == "majority":
        assert test.macro == 0.5
    else:
        assert test.macro > 0.6


def test_hard_masks_are_counted_in_bits_and_say_what_they_choose(root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    _, record = run(root, tiny_bundle, tiny_plm, tmp_path, "news", "--method", "hard", "--lr", "0.1", "--seeds", "1", "--label-bias")
    assert record.method == "hard+bias"
    assert record.pool == "sign N=12 k=5 b=5"
    assert record.bytesPerProfile == 2 * 2 * 2 + 2
    assert record.sharedBytes == 4 * 2 * 33
    assert record.trainedParameters == 2 * 2 * 12 + 2
    assert record.chosen is not None
    assert torch.tensor(record.chosen).sum(-1) == pytest.approx(torch.full((2, 2), 5.0), abs=0.01)


@pytest.mark.parametrize("rates", [(), (0.002, 0.02)])
def test_a_rate_is_searched_on_dev_once_and_what_is_done_is_not_done_again(
    root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, rates: tuple[float, ...]
) -> None:
    given = [word for rate in rates for word in ("--lr", str(rate))]
    more = ("news", "--method", "adapter", "--seeds", "2", "--searched-on", "2", *given)
    records = run(root, tiny_bundle, tiny_plm, tmp_path, *more)
    searched = [record for record in records if record.slice]
    wanted = rates or [rate.profile for rate in METHODS["adapter"].searched]
    assert sorted(record.recipe["profile_lr"] for record in searched) == sorted(wanted)  # type: ignore[type-var]
    assert {(record.split, record.slice) for record in searched} == {("dev", "2 profiles")}
    results = [record for record in records if (record.purpose, record.split) == ("result", "test")]
    best = min(searched, key=lambda record: record.crossEntropy or 0)
    assert {record.recipe["profile_lr"] for record in results} == {best.recipe["profile_lr"]}
    assert [record.seed for record in results] == [0, 1]
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    run(root, tiny_bundle, tiny_plm, tmp_path, *more)
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}


@pytest.mark.parametrize(
    ("name", "metric"), [("glue/mrpc", "f1"), ("glue/sts-b", "pearson-spearman"), ("superglue/copa", "choice-accuracy")]
)
def test_sets_of_one_profile_are_measured_on_dev_by_their_own_metric(
    root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, name: str, metric: str
) -> None:
    more = ("--affine", "own", "--lr", "0.1", "--seeds", "1", "--max-tokens", "64")
    (record,) = run(root, tiny_bundle, tiny_plm, tmp_path, name, "--method", "soft", *more)
    assert (record.data, record.split, record.purpose, record.metric.name) == (name, "dev", "result", metric)
    assert record.pool == "sign N=12 k=5 b=5 own affine"
    assert record.bytesPerProfile == 4 * (2 * 2 * 12 + 2 * 2 * 5)
    # A tenth of train takes dev's place for choosing; COPA's texts count once for each ending.
    endings = 2 if name == "superglue/copa" else 1
    assert record.texts.model_dump() == {"train": 36 * endings, "dev": 4 * endings, "test": 12 * endings}


def test_a_shared_affine_is_learnt_and_counted_for_the_task(root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    kinds = [MaskKind(affine="shared"), MaskKind()]
    plm = load_plm(str(tiny_plm))
    shape = PoolShape(2, 32, 5, 12, 5)
    shared, none = (MaskModel(AdapterEncoder(plm), sign_pool(0, shape, 0.05), shape, 3, 2, 0, kind) for kind in kinds)
    start = shared.affine.detach().clone()
    data = load_set(root, "news", tiny_bundle / "tokenizer.json", Slice(), 0)
    for model in (shared, none):
        train(model, data.splits["train"], Recipe(epochs=1), plm.pad_id, tmp_path / "checkpoint.pt", "", resume=False, quiet=True)
    assert (shared.affine.detach() - start).abs().max() > 1e-3
    assert (shared.shared_bytes(), none.shared_bytes()) == (4 * 2 * 2 * 5, 0)
    assert shared.bytes_a_profile() == none.bytes_a_profile() == 8


def test_a_tenant_is_kept_to_its_own_labels_and_pays_for_its_own_head(
    root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    _, record = run(
        root, tiny_bundle, tiny_plm, tmp_path, "intents", "--method", "hard", "--lr", "0.1", "--seeds", "1", "--pool", "gaussian"
    )
    assert record.pool == "gaussian N=12 k=5 b=5"
    assert (record.bytesPerProfile, record.headBytes, record.sharedBytes) == (8 + 4 * 2 * 33, 4 * 2 * 33, 0)
    label_set_bias = load_set(root, "intents", tiny_bundle / "tokenizer.json", Slice(), 0).label_set_bias()
    assert (label_set_bias == 0).sum(1).tolist() == [2, 2]
    assert ((label_set_bias == 0).sum(0) == 1).all()


def test_a_slice_is_the_same_each_time_and_leaves_what_is_measured(root: Path, tiny_bundle: Path) -> None:
    part = Slice(profiles=2, texts=5, max_tokens=4)
    first, again = (load_set(root, "news", tiny_bundle / "tokenizer.json", part, 0) for _ in range(2))
    assert first == again
    assert part.words() == "2 profiles, at most 5 training texts a profile, 4 tokens"
    assert {split: len(examples) for split, examples in first.splits.items()} == {"train": 10, "dev": 16, "test": 20}
    assert max(len(example.ids) for example in first.splits["test"]) == 4


def test_metrics_are_what_their_names_say() -> None:
    def examples(*labels: float) -> list[Example]:
        return [Example(0, int(label), [], [], label - int(label)) for label in labels]

    certain = torch.eye(3)[[0, 1, 1, 2]] * 100
    assert metric_value("accuracy", certain, examples(0, 1, 2, 2), ["1", "2", "4"]) == 0.75
    assert metric_value("mae", certain, examples(0, 1, 2, 2), ["1", "2", "4"]) == 0.5
    assert metric_value("f1", certain[:3, :2], examples(0, 1, 0), ["0", "1"]) == pytest.approx(2 / 3)
    assert metric_value("matthews", certain[:3, :2], examples(1, 0, 0), ["0", "1"]) == pytest.approx(-1)
    between = torch.tensor([[0.5, 0.5, 0], [0.1, 0.8, 0.1], [0, 0.5, 0.5]]).log()
    assert metric_value("pearson-spearman", between, examples(0.5, 1, 1.5), ["0", "1", "2"]) == pytest.approx(1)
    pairs = torch.tensor([[0.0, 1.0], [0.0, 2.0], [1.0, 0.0], [3.0, 0.0]])
    assert metric_value("choice-accuracy", pairs, examples(0, 1, 0, 1), ["wrong", "right"]) == 0.5


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["nowhere", "--method", "hard"], "no data set 'nowhere'"),
        (["news", "--method", "best"], "no method 'best'"),
        (["intents", "--method", "hard", "--label-bias"], "labels, and so heads, of their own"),
        (["news", "--method", "hard", "--label-bias", "--own-head"], "has biases already"),
        (["news", "--method", "hard", "--max-tokens", "65"], "between 3 and 64"),
        (["reviews", "--method", "hard"], "between 3 and 64"),
        (["news", "--method", "hard", "--pool", "trained"], "belong together"),
        (["offense", "--method", "hard", "--lr", "0.1"], "cannot be read"),
        (["news", "--method", "hard", "--chosen", "13"], "cannot choose 13 of 12"),
    ],
)
def test_what_cannot_be_compared_is_said(root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, more: list[str], said: str) -> None:
    paths = ["--root", str(root), "--bundle", str(tiny_bundle), "--plm", str(tiny_plm), "--out", str(tmp_path)]
    result = CliRunner().invoke(app, ["compare", *paths, "--pool-size", "12", "--chosen", "5", *more])
    assert result.exit_code == 1
    assert said in result.output


def test_a_head_of_its_own_is_counted(root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    records = run(
        root, tiny_bundle, tiny_plm, tmp_path, "news", "--method", "head", "--method", "hard", "--own-head", "--lr", "0.1", "--seeds", "1"
    )
    sizes = {record.method: (record.bytesPerProfile, record.sharedBytes, record.trainedParameters) for record in records}
    assert sizes == {"head+own": (4 * 2 * 33, 0, 2 * 33), "hard+own": (8 + 4 * 2 * 33, 0, 48 + 2 * 33)}
    # Here a head of one's own is a choice, so it is no part that any method would have.
    assert {record.headBytes for record in records} == {0}
    assert min(record.macro for record in records) > 0.6


def test_a_record_does_not_say_where_folders_lie() -> None:
    assert [anywhere(part) for part in ("--root", "/home/somebody/data", "news", "../bundle")] == ["--root", "data", "news", "../bundle"]
