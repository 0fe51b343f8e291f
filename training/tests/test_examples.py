"""The notebooks of both folders `examples/` run, and stay short."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BUNDLE, ROOT
from tests.edge import NODE, Edge

EXAMPLES = Path(__file__).parent.parent / "examples"
MOST_LINES = 12


def run_cells(path: Path) -> list[Any]:
    """Run a notebook's cells, and return what each cell shows: the value of its last line."""
    names: dict[str, Any] = {}
    shown = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        assert len(cell["source"]) <= MOST_LINES
        assert cell["outputs"] == [], "outputs may be of another run"
        body = ast.parse("".join(cell["source"])).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), path.name, "exec"), names)
        if isinstance(last, ast.Expr):
            shown.append(eval(compile(ast.Expression(last.value), path.name, "eval"), names))
    return shown


def test_desks_learn_to_disagree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The notebook writes to ../../runs.
    folder = tmp_path / "training" / "examples"
    folder.mkdir(parents=True)
    (tmp_path / "bundles").symlink_to(EXAMPLES.parent.parent / "bundles")
    monkeypatch.chdir(folder)
    task, answers, [scores], profiles = run_cells(EXAMPLES / "desks.ipynb")
    assert "<b>profile masks</b>" in task._repr_html_()
    assert answers == {"bank": "urgent", "shop": "later"}
    assert scores["urgent"] > 0.5
    assert profiles == ["bank", "shop", "courier"]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Worker with the demo's task `inbox`, named by the variables that the notebook reads."""
    if not NODE.exists():
        pytest.skip("needs the TypeScript half: npm ci")
    edge = Edge(BUNDLE)
    for name in ("XPEFT_URL", "XPEFT_KEY"):
        monkeypatch.setenv(name, edge.worker[name])
    demo = ROOT / "bundles" / "demo" / "inbox"
    files = ["--task", str(demo / "task.json"), "--profiles", str(demo / "profiles.ndjson")]
    code, _, stderr = edge.run("push", *files, "--url", edge.worker["XPEFT_URL"])
    assert code == 0, stderr
    yield
    edge.close()


@pytest.mark.usefixtures("service")
def test_the_service_answers_from_python() -> None:
    people, (surest, counts), (kind, held_out), own = run_cells(ROOT / "examples" / "notebook.ipynb")
    assert people == {
        "person-000": ["archive", "now", "archive"],
        "person-001": ["now", "archive", "archive"],
        "person-002": ["later", "archive", "archive"],
        "person-003": ["now", "later", "archive"],
    }
    # Engines differ in the last digits, so they may disagree about a few of the 96 people.
    assert (len(surest), surest[0]) == (3, "person-035")
    assert sum(counts.values()) == 96
    assert abs(counts["now"] - 35) <= 3
    assert (kind, held_out["texts"]) == ("learnt", 9)
    assert own == {"notebook": ["archive", "now", "later"]}


@pytest.mark.usefixtures("service")
def test_an_error_of_the_service_shows_its_code_and_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XPEFT_KEY", f"xpk_{'0' * 16}_{'A' * 43}")
    with pytest.raises(RuntimeError, match=r"^key_invalid: The key is unknown\. Check the key"):
        run_cells(ROOT / "examples" / "notebook.ipynb")
