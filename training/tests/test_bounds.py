"""Bounds of every numeric option and of every numeric key of an experiment."""

import ast
import inspect
import typing
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from tests.runs import arguments
from xpeft.cli import app
from xpeft.comparison.experiment import Experiment, read_experiment
from xpeft.errors import XpeftError

WRONG = {float: ("nan", "inf", "-inf", "1e999", "-1", "x"), int: ("nan", "inf", "-1", "1.5", str(10**30))}


def numeric_options() -> list[tuple[str, str, str]]:
    """Every command with every numeric option and a value that no option takes."""
    found = []
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        hints = typing.get_type_hints(inspect.unwrap(command.callback))
        for parameter in command.params:
            kinds = {float, int} & {hints.get(parameter.name), *(part for part in flat(hints.get(parameter.name)))}
            found += [(name, parameter.opts[0], value) for kind in kinds for value in WRONG[kind]]
    # The bundle has this bound, so it is a command that names it.
    return [found for found in found if found[1:] != ("--max-tokens", str(10**30))]


def flat(hint: object) -> list[object]:
    """The types that a hint is made of."""
    return [part for argument in typing.get_args(hint) for part in (argument, *flat(argument))]


def test_every_numeric_option_has_bounds() -> None:
    options = numeric_options()
    assert {(name, option) for name, option, _ in options} >= {
        ("prepare", "--dev"), ("train", "--seed"), ("add", "--profiles-at-once"), ("bundle", "--pool-scale"),
        ("compare", "--seed"), ("curve", "--profile-lr"), ("pool", "--lr"), ("sizes", "--pool-size"),
    }  # fmt: skip
    for name, option, value in options:
        result = CliRunner().invoke(app, [name, f"{option}={value}"], env={"COLUMNS": "500"})
        assert (name, option, value, result.exit_code) == (name, option, value, 2)
        assert f"Invalid value for '{option}'" in result.output, (name, option, value, result.output)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--seed", "-1", "greater than or equal to 0"),
        ("--max-tokens", "4", "greater than or equal to 5"),
    ],
)
def test_an_option_out_of_bounds_stops_the_run_before_it_starts(
    tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, option: str, value: str, said: str
) -> None:
    line = arguments(tiny_data, tiny_bundle, tiny_plm, tmp_path / "out", option, value)
    result = CliRunner().invoke(app, line, env={"COLUMNS": "500"})
    assert (result.exit_code, said in result.output, (tmp_path / "out").exists()) == (2, True, False), result.output


def test_every_numeric_key_of_an_experiment_has_bounds(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    wrong = {float: ("nan", "inf", "-inf", "1e999", "-1", '"x"'), int: ("nan", "0", "-1", "1.5", str(10**18))}
    tried = set()
    for key, info in Experiment.model_fields.items():
        kinds = {float, int} & {info.annotation, *flat(info.annotation)}
        for value in (value for kind in kinds for value in wrong[kind]):
            if (key, value) == ("max_tokens", str(10**18)):
                continue  # The bundle has this bound.
            shown = f"[{value}]" if typing.get_origin(info.annotation) is list else value
            file.write_text(f'data = ["news"]\nmethods = ["hard"]\n{key} = {shown}\n', encoding="utf-8")
            with pytest.raises(XpeftError) as caught:
                read_experiment(file)
            assert (caught.value.code, f"{file}: {key} = " in str(caught.value)) == ("bad-value", True), (key, value)
            tried.add(key)
    assert tried >= {"seeds", "tau", "profile_lr", "head_lr", "noise", "epochs", "pool_scale", "newcomer_texts"}


def test_json_has_no_numbers_that_are_not_finite() -> None:
    folder = Path(__file__).resolve().parents[1] / "xpeft"
    lenient = [
        f"{path.name}:{node.lineno}"
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("json.dump", "json.dumps")
        and not any(keyword.arg == "allow_nan" for keyword in node.keywords)
    ]
    assert lenient == []
