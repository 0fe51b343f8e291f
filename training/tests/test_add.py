import json
import shutil
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from tests.conftest import interrupted_at, quick_recipe
from tests.kills import Moment, contents, kill_runs
from tests.runs import QUICK, written
from xpeft import train as loop
from xpeft.checkpoint import CheckpointClock, TrainingState, save_checkpoint
from xpeft.cli import app
from xpeft.options import Device, torch_device
from xpeft.task_files import PROFILES_FILE, TASK_FILE, Task


def arguments(data: Path, task: Path, tiny_bundle: Path, tiny_plm: Path, out: Path, *more: str) -> list[str]:
    paths = ["--data", str(data), "--task", str(task), "--bundle", str(tiny_bundle), "--plm", str(tiny_plm), "--out", str(out)]
    recipe = ["--recipe", str(QUICK), "--device", "cpu", "--quiet"]
    return ["add", *paths, *recipe, *more]


@pytest.fixture(scope="module", params=[False, True], ids=["masks", "masks and label bias"])
def task(
    request: pytest.FixtureRequest, tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("tasks") / "things"
    paths = ["--data", str(tiny_data), "--bundle", str(tiny_bundle), "--plm", str(tiny_plm), "--out", str(out), "--task", "things"]
    recipe = ["--recipe", quick_recipe(out.with_suffix(".toml"), label_bias=request.param), "--device", "cpu", "--quiet"]
    assert CliRunner().invoke(app, ["train", *paths, *recipe]).exit_code == 0
    return out


@pytest.fixture(scope="module")
def newcomers(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two profiles: d says what the others say, e says "vehicle" to everything."""
    lines = [json.loads(line) for line in tiny_data.read_text(encoding="utf-8").splitlines()]
    new = [{**line, "profile": "d"} for line in lines if line["profile"] == "a"]
    new += [{**line, "profile": "e", "label": "vehicle"} for line in lines if line["profile"] == "b"]
    path = tmp_path_factory.mktemp("new") / "new.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in new), encoding="utf-8")
    return path


def test_new_profiles_are_learnt_and_the_task_stays(task: Path, newcomers: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    before = written(task)
    result = CliRunner().invoke(app, arguments(newcomers, task, tiny_bundle, tiny_plm, tmp_path))
    assert result.exit_code == 0, result.output
    assert written(task) == before
    assert (tmp_path / TASK_FILE).read_bytes() == before[0]
    profiles = [json.loads(line) for line in (tmp_path / PROFILES_FILE).read_text(encoding="utf-8").splitlines()]
    assert [profile["profile"] for profile in profiles] == ["d", "e"]
    known = [json.loads(line) for line in before[1].decode().splitlines()]
    assert [profile.keys() for profile in profiles] == [known[0].keys()] * 2
    head_hash = Task.model_validate_json(before[0]).head_hash
    assert {profile["headHash"] for profile in [*known, *profiles]} == {head_hash}
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(report["test"]["methods"]) == {"majority_label", "default_profile", "label_bias", "new_profiles"}
    assert report["test"]["profiles"]["d"]["new_profiles"] > 0.9
    assert sorted(path.name for path in tmp_path.iterdir()) == [PROFILES_FILE, "report.json", TASK_FILE]

    paths = ["--data", str(newcomers), "--bundle", str(tiny_bundle), "--plm", str(tiny_plm), "--task", str(tmp_path)]
    result = CliRunner().invoke(app, ["eval", *paths, "--device", "cpu"])
    assert json.loads(result.stdout.splitlines()[-1]) == {"task": "things", "n": 20, **report["test"]["methods"]["new_profiles"]}


def test_a_single_text_gives_no_masks_of_its_own(task: Path, newcomers: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    one = tmp_path / "one.jsonl"
    one.write_text(newcomers.read_text(encoding="utf-8").splitlines()[-1].replace('"test"', '"train"'), encoding="utf-8")
    recipe = quick_recipe(tmp_path / "recipe.toml", add__use="auto", add__epochs=20, add__profile_lr=0.5)
    result = CliRunner().invoke(app, arguments(one, task, tiny_bundle, tiny_plm, tmp_path / "out", "--recipe", recipe))
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["profiles_with_own_masks"] == 0


def test_texts_in_two_splits_and_all_faults_are_told(
    task: Path, newcomers: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    loud = [one for one in arguments(newcomers, task, tiny_bundle, tiny_plm, tmp_path / "out") if one != "--quiet"]
    result = CliRunner().invoke(app, loud)
    assert result.exit_code == 0, result.output
    assert "note: 1 of 2 profiles learn one label: all their training texts have it\n" in result.stderr
    assert "note: 36 of 36 dev and test texts are in train too, under the same profile\n" in result.stderr

    data, lines = tmp_path / "bad.jsonl", newcomers.read_text(encoding="utf-8").splitlines()
    one = json.loads(lines[0])
    data.write_text(
        "\n".join([*lines, json.dumps({**one, "label": "plant"}), json.dumps({**one, "profile": "f", "split": "dev"})]), encoding="utf-8"
    )
    loud[loud.index(str(newcomers))] = str(data)
    result = CliRunner().invoke(app, [*loud, "--out", str(tmp_path / "other")])
    assert result.exit_code == 1
    assert "line 86: no training text has the profile 'f' (1)\n" in result.stderr
    assert "line 85: the task has no label 'plant' (1)\n" in result.stderr


def test_an_interrupted_run_resumes_to_the_same_bytes(
    task: Path, newcomers: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    whole, interrupted = tmp_path / "whole", tmp_path / "interrupted"
    assert CliRunner().invoke(app, arguments(newcomers, task, tiny_bundle, tiny_plm, whole)).exit_code == 0

    with interrupted_at(5):
        result = CliRunner().invoke(app, arguments(newcomers, task, tiny_bundle, tiny_plm, interrupted))
    assert result.exit_code == 130
    assert "--resume" in result.output
    assert CliRunner().invoke(app, arguments(newcomers, task, tiny_bundle, tiny_plm, interrupted, "--resume")).exit_code == 0
    assert written(interrupted) == written(whole)


# Two rounds of a profile each. The first call of rmtree makes room for the drafts, the second deletes them.
MOMENTS = (
    Moment("call", "xpeft.add.load_bundle_plm"),
    Moment("half of", "00000.pt"),
    Moment("half of", "00000.ndjson"),
    Moment("unlink", "00000.pt"),
    Moment("call", "xpeft.train.collate", 21),
    Moment("half of", TASK_FILE),
    Moment("half of", PROFILES_FILE),
    Moment("call", "xpeft.add.measured_steps"),
    Moment("half of", "report.json"),
    Moment("call", "shutil.rmtree", 2),
    Moment("call", "xpeft.task_commands.print_report"),
)


@pytest.mark.parametrize("task", [True], indirect=True)
def test_a_run_killed_at_any_moment_resumes_to_the_same_bytes(
    task: Path, newcomers: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    def line(out: Path, *more: str) -> list[str]:
        return arguments(newcomers, task, tiny_bundle, tiny_plm, out, "--profiles-at-once", "1", *more)

    assert CliRunner().invoke(app, line(tmp_path / "whole")).exit_code == 0
    kill_runs([(moment, line(tmp_path / moment.name)) for moment in MOMENTS])
    for moment in MOMENTS:
        for _ in range(2):
            result = CliRunner().invoke(app, line(tmp_path / moment.name, "--resume"))
            assert (moment, result.exit_code) == (moment, 0), result.output
            assert (moment, contents(tmp_path / moment.name)) == (moment, contents(tmp_path / "whole"))


def test_rounds_and_shards_learn_every_profile_and_an_interrupted_round_resumes(
    task: Path, newcomers: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add(out: Path, *more: str) -> str:
        result = CliRunner().invoke(app, arguments(newcomers, task, tiny_bundle, tiny_plm, out, *more))
        return f"{result.exit_code} {result.output}"

    def names(folder: Path) -> list[str]:
        return [json.loads(line)["profile"] for line in (folder / PROFILES_FILE).read_text(encoding="utf-8").splitlines()]

    def stop_in_second(path: Path, training: TrainingState, step: int, losses: torch.Tensor) -> None:
        save_checkpoint(path, training, step, losses)
        if path.name == "00001.pt":
            raise KeyboardInterrupt

    whole, interrupted, shards = tmp_path / "whole", tmp_path / "interrupted", tmp_path / "shards"
    one = ("--profiles-at-once", "1")
    assert add(whole, *one).startswith("0")
    assert names(whole) == ["d", "e"]
    report = json.loads((whole / "report.json").read_text(encoding="utf-8"))
    assert report["test"]["profiles"]["d"]["new_profiles"] > 0.9
    with monkeypatch.context() as patched:
        patched.setattr(CheckpointClock, "due", lambda _, done: done % 5 == 0)
        patched.setattr(loop, "save_checkpoint", stop_in_second)
        assert add(interrupted, *one).startswith("130")
    assert "other settings" in add(interrupted, "--resume")
    assert add(interrupted, *one, "--resume").startswith("0")
    assert written(interrupted) == written(whole)

    assert add(shards, "--shard", "1/2").startswith("0")
    assert names(shards / "shard-1-of-2") == ["d"]
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert add(shards).startswith("0")
    assert names(shards / "shard-2-of-2") == ["e"]
    assert "no profile is left for shard 3 of 3" in add(shards, "--shard", "3/3")
    assert "names no shard" in add(shards, "--shard", "4/3")


def test_each_process_of_torchrun_takes_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    # There is no GPU to run on here, so PyTorch is made to say that there is one.
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert torch_device(Device.auto) == torch.device("cuda", 0)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert torch_device(Device.cuda) == torch.device("cuda", 3)
    assert torch_device(Device.cpu) == torch.device("cpu")


def test_errors_say_what_cannot_be_added(
    task: Path, newcomers: Path, tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    def add(data: Path, out: Path) -> str:
        result = CliRunner().invoke(app, arguments(data, task, tiny_bundle, tiny_plm, out))
        assert result.exit_code == 1
        return result.output

    mixed = tmp_path / "mixed"
    shutil.copytree(task, mixed)
    lines = (task / PROFILES_FILE).read_text(encoding="utf-8").splitlines()
    other = json.dumps({**json.loads(lines[1]), "headHash": "0" * 32})
    unknown = json.dumps({key: value for key, value in json.loads(lines[0]).items() if key != "headHash"})
    (mixed / PROFILES_FILE).write_text("\n".join([unknown, other]), encoding="utf-8")
    result = CliRunner().invoke(app, arguments(newcomers, mixed, tiny_bundle, tiny_plm, tmp_path / "out"))
    assert result.exit_code == 1
    assert f"{mixed / PROFILES_FILE}, line 2: profile 'b' was trained with head {'0' * 32}" in result.output

    assert "has 3 of these profiles already, 'a' for one" in add(tiny_data, tmp_path)
    assert "holds profiles already" in add(newcomers, task)
    empty = tmp_path / "empty.jsonl"
    empty.write_text("", encoding="utf-8")
    assert "holds no texts" in add(empty, tmp_path)
    strange = tmp_path / "strange.jsonl"
    lines = newcomers.read_text(encoding="utf-8").splitlines()
    strange.write_text("\n".join([*lines[:2], lines[2].replace('"label": "', '"label": "un')]), encoding="utf-8")
    assert "line 3: the task has no label 'un" in add(strange, tmp_path)
