"""`superglue/…`: tasks of SuperGLUE. Their test labels are not public, so a task has train and dev."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from xpeft.fetch.archives import json_lines, zip_text
from xpeft.fetch.source import Line, Prepared, RemoteFile, Source

ADDRESS = "https://dl.fbaipublicfiles.com/glue/superglue/data/v2"
# SuperGLUE calls dev "val".
SPLIT_NAMES = {"train": "train", "val": "dev"}


def boolq(row: Mapping[str, Any]) -> Line:
    """Return a question, with its passage as second text."""
    return {"text": row["question"], "text_pair": row["passage"], "label": str(row["label"]).lower()}


def cb(row: Mapping[str, Any]) -> Line:
    """Return a premise, with its hypothesis as second text."""
    return {"text": row["premise"], "text_pair": row["hypothesis"], "label": row["label"]}


def copa(row: Mapping[str, Any]) -> Line:
    """Return a premise and its question in words, with both endings. The label is the number of the right one."""
    text = f"{row['premise']} What was the {row['question']}?"
    return {"text": text, "choices": [row["choice1"], row["choice2"]], "label": str(row["label"])}


def convert(archive: str, line: Callable[[Mapping[str, Any]], Line], folder: Path) -> Prepared:
    """Return the lines of a task's train and dev."""
    lines: list[Line] = [
        {**line(row), "split": split}
        for part, split in SPLIT_NAMES.items()
        for row in json_lines(zip_text(folder / f"{archive}.zip", f"{archive}/{part}.jsonl"))
    ]
    return {f"superglue/{archive.lower()}": lines}


def source(archive: str, sha256: str, cite: str, line: Callable[[Mapping[str, Any]], Line]) -> Source:
    """Return the source of a task of SuperGLUE."""
    name = f"superglue/{archive.lower()}"
    return Source(
        name=name,
        title=f"{name}: {archive}, a task of SuperGLUE",
        files=(RemoteFile(f"{ADDRESS}/{archive}.zip", f"sha256:{sha256}"),),
        outputs=(name,),
        terms="SuperGLUE has no licence of its own. The task's data keeps the terms of its source: https://super.gluebenchmark.com/faq",
        citation=f"{cite} Wang et al. (2019). SuperGLUE: A Stickier Benchmark for General-Purpose Language Understanding Systems. "
        "https://arxiv.org/abs/1905.00537",
        changes="The splits are SuperGLUE's train and dev. The test split has no labels, and is left out.",
        convert=partial(convert, archive, line),
    )


SUPERGLUE = [
    source(
        "CB",
        "8d641383298d54554066ba1c93f56ae7410af75df621b90c63028806bbbbb535",
        "De Marneffe, Simons and Tonhauser (2019). The CommitmentBank. Sinn und Bedeutung 23.",
        cb,
    ),
    source(
        "BoolQ",
        "853fbe7922f70c59629f06a39e8d9ca440c3d740e760fd3b87a5ddf3dcba2436",
        "Clark et al. (2019). BoolQ: Exploring the Surprising Difficulty of Natural Yes/No Questions. NAACL.",
        boolq,
    ),
    source(
        "COPA",
        "405906cddac74bc1e1ce8220f1107d1025b66a25ef10149d91b10bb30651125f",
        "Roemmele, Bejan and Gordon (2011). Choice of Plausible Alternatives. AAAI Spring Symposium.",
        copa,
    ),
]
