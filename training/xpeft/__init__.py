"""xpeft: train profiles as hard masks over a shared adapter pool (X-PEFT, arXiv 2401.16137) and build what the edge serves."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xpeft.task import Task

__all__ = ["DEFAULT_PLM", "Task"]

DEFAULT_PLM = "sentence-transformers/all-MiniLM-L6-v2"


def __getattr__(name: str) -> Any:
    # Task needs PyTorch, which takes seconds to import. `python -m xpeft --help` does without.
    if name == "Task":
        from xpeft.task import Task

        return Task
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
