"""Measures what a training step costs if only the last layers have masks and the trunk is cached.

    cd training && .venv/bin/python -m bench.training_steps

Each round makes a step of every kind, and measures the processor's time, so that other work on the machine affects all alike. A ratio is
the median of the rounds' ratios: a step with masks in all layers and without a cache, over the other. The last line is JSON.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import torch
import typer

from xpeft import DEFAULT_PLM
from xpeft.batches import collate, seeded_generator
from xpeft.checkpoint import TrainingState
from xpeft.data import Example
from xpeft.encoder import AdapterEncoder
from xpeft.mask_model import MaskModel
from xpeft.plm import PLM, load_plm
from xpeft.pool import PoolShape, default_scale, sign_pool
from xpeft.profile_model import StepSettings
from xpeft.row_adam import RowAdam
from xpeft.train import make_step
from xpeft.trunk_cache import TrunkCache

GROUPS, TEXTS = 16, 4
# As long as a headline.
SHORTEST, LONGEST = 8, 24
SIZE, CHOSEN, BOTTLENECK = 256, 128, 8


def short_texts() -> list[Example]:
    """Return a step's texts."""
    source = torch.Generator().manual_seed(0)
    lengths = torch.randint(SHORTEST, LONGEST, (GROUPS * TEXTS,), generator=source).tolist()
    bodies = [torch.randint(1000, 20_000, (length,), generator=source).tolist() for length in lengths]
    return [Example(number // TEXTS, number % 5, body, [0] * len(body)) for number, body in enumerate(bodies)]


def stepper(plm: PLM, layers: int, bf16: bool, cached: bool, examples: list[Example]) -> Callable[[], None]:
    """Return a function that makes a training step with masks in the last `layers` layers."""
    first = len(plm.layers) - layers
    shape = PoolShape(layers, plm.hidden, BOTTLENECK, SIZE, CHOSEN, first)
    model = MaskModel(AdapterEncoder(plm), sign_pool(0, shape, 3 * default_scale(CHOSEN)), shape, GROUPS, 5, 0)
    optimizers = (torch.optim.AdamW([*model.shared(), *model.task_parts()]), RowAdam(model.tables(), 0.03))
    training = TrainingState(model, optimizers, [torch.optim.lr_scheduler.LambdaLR(one, lambda _: 1.0) for one in optimizers], None)
    trunks = TrunkCache(model, examples, plm.pad_id, Path(tempfile.gettempdir()), quiet=True) if cached else None

    def step() -> None:
        batch = collate(range(GROUPS), examples, plm.pad_id, model.device, trunks)
        make_step(training, batch, StepSettings(0.2, 1.0, seeded_generator(0), bf16))

    return step


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Rounds.")] = 15,
    threads: Annotated[int, typer.Option(min=1, help="Threads.")] = 1,
    plm: Annotated[str, typer.Option(help="Folder or hub id of the PLM.")] = DEFAULT_PLM,
) -> None:
    """Measure training steps."""
    torch.set_num_threads(threads)
    parts, examples = load_plm(plm), short_texts()
    kinds = {"all, bf16": (len(parts.layers), True, False), "all": (len(parts.layers), False, False)}
    kinds |= {f"last {layers}, cached{', bf16' * bf16}": (layers, bf16, True) for layers in (1, 2) for bf16 in (False, True)}
    steppers = {name: stepper(parts, *kind, examples) for name, kind in kinds.items()}
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(rounds + 1):
        for name, step in steppers.items():
            start = time.process_time()
            step()
            if number:  # The first round is slower: memory and cast weights are new.
                seconds[name].append(time.process_time() - start)
    ratios = {
        f"{base} / {name}": round(statistics.median(one / other for one, other in zip(seconds[base], seconds[name], strict=True)), 2)
        for base in ("all, bf16", "all")
        for name in kinds
        if name != base
    }
    print(json.dumps({"threads": threads, "texts": GROUPS * TEXTS, "rounds": rounds, "ratios": ratios}, allow_nan=False))


if __name__ == "__main__":
    typer.run(main)
