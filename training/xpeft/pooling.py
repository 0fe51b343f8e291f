"""How the last layer's tokens become a text's features, and how a folder of sentence-transformers names it."""

import json
from enum import StrEnum
from pathlib import Path

from xpeft.errors import UnreadableFile, UnsupportedPlm


class Pooling(StrEnum):
    """What the features of a text are: the mean of all its tokens, or its first token."""

    mean = "mean"
    cls = "cls"


# Folders of sentence-transformers have it.
POOLING_FILE = "1_Pooling/config.json"

# Older folders have a flag for each mode, newer ones have one name.
FLAG = "pooling_mode_"
FLAGS = {"mean_tokens": Pooling.mean, "cls_token": Pooling.cls}


def read_pooling(folder: Path) -> Pooling:
    """Return the pooling that a PLM's folder names, or the mean if it names none.

    Raises UnreadableFile, or UnsupportedPlm if the folder names another pooling.
    """
    path = folder / POOLING_FILE
    if not path.exists():
        return Pooling.mean
    hint = "Give --pooling mean or --pooling cls. The features then differ from those of sentence-transformers."
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        flags = [name.removeprefix(FLAG) for name, value in settings.items() if name.startswith(FLAG) and value]
    except (ValueError, AttributeError) as error:
        raise UnreadableFile(f"{path} cannot be read: {error}", "Check that the file is complete, or give --pooling.") from error
    named = settings.get("pooling_mode") or [FLAGS.get(flag, flag) for flag in flags]
    modes = [named] if isinstance(named, str) else named
    if modes in (["mean"], ["cls"]):
        return Pooling(modes[0])
    raise UnsupportedPlm(f"{path} names the pooling {'+'.join(map(str, modes)) or 'none'}", hint)
