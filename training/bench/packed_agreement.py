"""How often the packed encoder, as the kernels compute it, gives fp32's label on dev texts of the demo's tasks: JSON by task.

cd training && .venv/bin/python -m bench.packed_agreement --data DATA
"""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from bench.variants import BUNDLE, TASKS
from bench.variants_agreement import data_file, demo_texts
from xpeft.data import group_by_profile
from xpeft.features import predict
from xpeft.quantized_encoder import quantized_encoder


def main(
    data: Annotated[Path, typer.Option(help="Folder of data sets. A task without data in it is skipped.")],
    texts: Annotated[int, typer.Option(min=1, help="Texts of each task's dev split.")] = 800,
) -> None:
    """Print how many texts were read of each task, and the share of them with fp32's label."""
    found: dict[str, dict[str, float]] = {}
    for task in (task for task in TASKS if data_file(data, task).exists()):
        plm, model, examples = demo_texts(task, data, BUNDLE, texts)
        groups = group_by_profile(examples)
        expected = predict(model, examples, groups, plm.pad_id)
        model.encoder = quantized_encoder(plm)
        own = predict(model, examples, groups, plm.pad_id)
        found[task] = {"texts": len(examples), "same": float(np.mean(own == expected))}
    typer.echo(json.dumps(found))


if __name__ == "__main__":
    typer.run(main)
