"""Shows the verdict of a training in a notebook."""

from html import escape
from typing import Any

from xpeft.verdict import gain_text, measured_splits


def verdict_html(title: str, report: dict[str, Any]) -> str:
    """Return a title and the verdict of a report as HTML. The step that was kept is bold."""
    parts = [f"<p>{escape(title)}</p>"]
    for split in measured_splits(report):
        methods, gains = report[split]["methods"], report[split]["gains"]
        columns = list(methods[report["kept"]])
        rows = [row("th", [split, *columns, "bytes", "gain"])]
        for name, scores in methods.items():
            figures = [f"{scores[column]:.3f}" for column in columns]
            cells = [name, *figures, str(report["bytes_a_profile"][name]), gain_text(gains, name)]
            rows.append(row("td", cells, bold=name == report["kept"]))
        parts.append(f"<table>{''.join(rows)}</table>")
    return "".join(parts)


def row(tag: str, texts: list[str], bold: bool = False) -> str:
    """Return a row of a table. tag: of its cells."""
    shown = [escape(text.replace("_", " ")) for text in texts]
    return f"<tr>{''.join(f'<{tag}><b>{text}</b></{tag}>' if bold else f'<{tag}>{text}</{tag}>' for text in shown)}</tr>"
