"""The command line on unusual data and machines."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from tests.conftest import ROOT, quick_recipe
from tests.runs import arguments
from xpeft.cli import app
from xpeft.task_files import PROFILES_FILE

Line = dict[str, str]
Train = Callable[..., tuple[int, str]]


def lines_of(path: Path) -> list[Line]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_lines(path: Path, lines: list[Line]) -> Path:
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def train(tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> Train:
    def run(data: Path, *more: str, quiet: bool = True) -> tuple[int, str]:
        line = arguments(data, tiny_bundle, tiny_plm, tmp_path / "out", *more)
        result = CliRunner().invoke(app, line if quiet else [part for part in line if part != "--quiet"])
        return result.exit_code, result.output

    return run


@pytest.fixture
def evaluate(tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> Train:
    def run(data: Path, *more: str) -> tuple[int, str]:
        paths = ["--data", str(data), "--bundle", str(tiny_bundle), "--plm", str(tiny_plm), "--task", str(tmp_path / "out")]
        result = CliRunner().invoke(app, ["eval", *paths, "--device", "cpu", *more])
        return result.exit_code, result.output

    return run


def test_errors_begin_with_their_code(train: Train, tiny_data: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl.gz"
    bad.write_bytes(gzip.compress(tiny_data.read_bytes())[:-9])
    for data, code in ((tmp_path / "none.jsonl", "unreadable-file"), (tmp_path, "unreadable-file"), (bad, "unreadable-file")):
        status, output = train(data)
        assert status == 1
        assert f"error[{code}]: {data} cannot be read: " in output
        assert "\nhint: " in output
    assert "error[refused]: " in train(tiny_data, "--task", "No Good")[1]
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    assert f"error[not-written]: {tmp_path / 'out'} cannot be written: File exists" in train(tiny_data)[1]


def test_a_missing_gpu_is_named(tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    line = arguments(tiny_data, tiny_bundle, tiny_plm, tmp_path, "--device", "cuda")
    if torch.cuda.is_available():
        # PyTorch looks for GPUs once, so another process hides this machine's GPU.
        command, environment = [sys.executable, "-m", "xpeft", *line], {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
        done = subprocess.run(command, cwd=ROOT / "training", env=environment, capture_output=True, text=True, check=False)
        status, said = done.returncode, done.stderr
    else:
        result = CliRunner().invoke(app, line)
        status, said = result.exit_code, result.output
    assert (status, said.startswith("error[no-gpu]: PyTorch sees no GPU\nhint: ")) == (1, True), said


def test_a_profile_of_one_label_learns_to_give_it(train: Train, evaluate: Train, tiny_data: Path, tmp_path: Path) -> None:
    lines = [line | ({"label": "vehicle"} if line["profile"] == "a" else {}) for line in lines_of(tiny_data)]
    status, output = train(
        write_lines(tmp_path / "data.jsonl", lines),
        "--recipe",
        quick_recipe(tmp_path / "recipe.toml", masks__epochs=16, masks__profile_lr=0.1),
        quiet=False,
    )
    assert status == 0, output
    assert "1 of 3 profiles learn one label: all their training texts have it\n" in output[: output.index("majority")]
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["one_label_profiles"] == 1
    assert report["test"]["profiles"]["a"]["profile_masks"] == 1

    own = write_lines(tmp_path / "own.jsonl", [line for line in lines if line["profile"] == "a"])
    predictions = tmp_path / "predictions.ndjson"
    assert evaluate(own, "--predictions", str(predictions))[0] == 0
    assert [line["predicted"] for line in lines_of(predictions)] == ["vehicle"] * 10


def test_training_checks_its_file_first(train: Train, tiny_data: Path, tmp_path: Path) -> None:
    lines = lines_of(tiny_data)
    repeated = [line for line in lines if line["split"] != "train"]
    # The sentences of the test split are those of train, under the same profile.
    path = write_lines(tmp_path / "data.jsonl", lines)
    status, output = train(path, "--max-tokens", "6", quiet=False)
    assert status == 0, output
    assert f"note: {len(repeated)} of {len(repeated)} dev and test texts are in train too, under the same profile\n" in output
    assert f" of {len(lines)} texts are cut at 6 tokens\n" in output
    assert f"note: `python -m xpeft check {path}` says more\n" in output

    strangers = [{**lines[0], "profile": "d", "split": "dev"}, {**lines[0], "label": "plant", "split": "dev"}]
    status, output = train(write_lines(path, [*lines, *strangers]), quiet=False)
    assert status == 1
    assert "note: " in output[: output.index("line 128: no training text has the label 'plant' (1)\n")]
    assert f"error[no-train-text]: {path}, line 127: no training text has the profile 'd' (1)\n" in output

    # A bad line hides no other fault.
    status, output = train(write_lines(path, [{"profile": "a"}, *lines, strangers[1]]), quiet=False)
    assert status == 1
    assert "note: " in output[: output.index("line 128: no training text has the label 'plant' (1)\n")]
    assert f"error[bad-line]: {path}, line 1: " in output


def test_without_dev_texts_every_fifth_training_text_is_held_out(train: Train, evaluate: Train, tiny_data: Path, tmp_path: Path) -> None:
    lines = lines_of(tiny_data)
    status, output = train(write_lines(tmp_path / "train.jsonl", [line for line in lines if line["split"] == "train"]))
    assert status == 0, output
    assert "held out" in output
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert (report["chosen_on"], "dev" in report, "test" in report) == ("train", False, False)
    assert report["held_out"]["methods"]["profile_masks"]["macro"] > 0.8
    assert len(lines_of(tmp_path / "out" / PROFILES_FILE)) == 3

    # The task's profiles are known without their training texts, and need not all have test texts.
    test = [line for line in lines if line["split"] == "test" and line["profile"] != "a"]
    predictions = tmp_path / "predictions.ndjson"
    status, output = evaluate(write_lines(tmp_path / "test.jsonl", test), "--predictions", str(predictions))
    assert status == 0, output
    assert '"n": 20' in output
    assert [line["profile"] for line in lines_of(predictions)] == ["b"] * 10 + ["c"] * 10

    status, output = evaluate(write_lines(tmp_path / "stranger.jsonl", [*test, {**test[0], "profile": "d"}]))
    assert (status, "error[unknown-profile]: " in output, "line 21: the task has no profile 'd'" in output) == (1, True, True)
    status, output = evaluate(write_lines(tmp_path / "label.jsonl", [*test, {**test[0], "label": "plant"}]))
    assert (status, "error[unknown-label]: " in output, "line 21: the task has no label 'plant'" in output) == (1, True, True)
    status, output = evaluate(tmp_path / "train.jsonl")
    assert (status, "error[no-texts]: " in output) == (1, True)

    profiles = tmp_path / "out" / PROFILES_FILE
    profiles.write_text(profiles.read_text(encoding="utf-8").replace('{"task"', "{", 1), encoding="utf-8")
    status, output = evaluate(tmp_path / "test.jsonl")
    assert (status, f"error[bad-line]: {profiles}, line 1: not JSON" in output) == (1, True), output


def test_eval_and_add_read_pairs_as_the_task_was_trained(
    train: Train, evaluate: Train, tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    # The label is of the second text alone.
    lines = [{**line, "text": "a thing", "text_pair": line["text"]} for line in lines_of(tiny_data)]
    data = write_lines(tmp_path / "pairs.jsonl", lines)
    assert train(data, "--pair", "--recipe", quick_recipe(tmp_path / "recipe.toml", masks__epochs=6))[0] == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    status, output = evaluate(data)
    assert (status, json.loads(output.splitlines()[-1])["micro"]) == (0, report["test"]["methods"]["profile_masks"]["micro"])
    assert report["test"]["methods"]["profile_masks"]["micro"] > 0.9
    assert evaluate(data, "--pair") == (0, output)
    status, said = evaluate(data, "--no-pair")
    assert (status, "the task was trained with --pair, as " in said, "hint: Leave --pair and --no-pair out." in said) == (1, True, True)

    new = write_lines(tmp_path / "new.jsonl", [{**line, "profile": "d"} for line in lines if line["profile"] == "a"])
    paths = ["--data", str(new), "--task", str(tmp_path / "out"), "--bundle", str(tiny_bundle), "--plm", str(tiny_plm)]
    result = CliRunner().invoke(app, ["add", *paths, "--out", str(tmp_path / "more"), "--device", "cpu", "--quiet"])
    assert result.exit_code == 0, result.output
    added = json.loads((tmp_path / "more" / "report.json").read_text(encoding="utf-8"))
    assert (added["pair"], added["test"]["methods"]["new_profiles"]["micro"] > 0.9) == (True, True)

    (tmp_path / "out" / "report.json").unlink()
    status, said = evaluate(data)
    assert (status, f"{data}, line 1: it has a text_pair, and {tmp_path / 'out'} has no report.json" in said) == (1, True)
    assert "hint: Give --pair if the task was trained with it, else --no-pair." in said
    assert evaluate(data, "--pair") == (0, output)
    assert json.loads(evaluate(data, "--no-pair")[1].splitlines()[-1])["micro"] < 0.9
    (tmp_path / "out" / "report.json").write_text("{}", encoding="utf-8")
    status, said = evaluate(data, "--pair")
    assert (status, f"{tmp_path / 'out' / 'report.json'} does not say whether the task reads pairs" in said) == (1, True)


def test_agree_names_a_line_that_is_not_a_prediction(tmp_path: Path) -> None:
    good = {"index": 0, "profile": "p", "label": "x", "predicted": "x"}
    path, bad = tmp_path / "good.ndjson", tmp_path / "bad.ndjson"
    path.write_text(json.dumps(good) + "\n", encoding="utf-8")
    for content, code, said in (
        (json.dumps(good) + "\n\n{", "bad-line", "line 3: not JSON"),
        (json.dumps({**good, "predicted": 1}), "bad-line", "line 1: predicted: Input should be a valid string"),
        ('{"index": 0}', "bad-line", "line 1: the field 'profile' is missing"),
    ):
        bad.write_text(content, encoding="utf-8")
        result = CliRunner().invoke(app, ["agree", str(path), str(bad)])
        assert (result.exit_code, f"error[{code}]: {bad}, {said}" in result.output) == (1, True), result.output
    for missing in (tmp_path, tmp_path / "none.ndjson"):
        result = CliRunner().invoke(app, ["agree", str(missing), str(path)])
        assert (result.exit_code, f"error[unreadable-file]: {missing} cannot be read: " in result.output) == (1, True)


def test_a_golden_file_in_a_missing_folder_is_named(tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    out = tmp_path / "none" / "golden.json"
    result = CliRunner().invoke(app, ["golden", "--bundle", str(tiny_bundle), "--plm", str(tiny_plm), "--out", str(out)])
    assert result.exit_code == 1
    assert f"error[not-written]: {out} cannot be written: No such file or directory\nhint: Create that folder" in result.output


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_damaged_plm_is_rejected(tiny_plm: Path, tmp_path: Path, file: str) -> None:
    plm = tmp_path / "plm"
    plm.mkdir()
    for part in tiny_plm.iterdir():
        content = part.read_bytes()
        (plm / part.name).write_bytes(content[: len(content) // 2] if part.name == file else content)
    result = CliRunner().invoke(app, ["bundle", "--out", str(tmp_path / "bundle"), "--plm", str(plm)])
    assert (result.exit_code, f"error[unreadable-file]: the PLM in {plm} cannot be read: " in result.output) == (1, True)
    assert not (tmp_path / "bundle").exists()


def test_the_command_line_loads_no_large_library_before_a_command_runs() -> None:
    code = "import sys, xpeft.cli; sys.exit(bool({'matplotlib', 'polars', 'torch', 'transformers'} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", code], check=True)
