"""The notebooks of `examples/` run, and stay short."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

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
