"""The record that a run leaves."""

import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Literal

import torch

from xpeft.atomic_files import make_folder, write_text
from xpeft.comparison.learning import Outcome, cross_entropy
from xpeft.comparison.metrics import WITHOUT_ACCURACY, better, metric_value
from xpeft.comparison.records import Metric, RunRecord, TextCounts
from xpeft.comparison.sets import SETS
from xpeft.comparison.setup import Run
from xpeft.data import DataSet, Split
from xpeft.mask_model import MaskModel
from xpeft.masks import topk_ones
from xpeft.plm import PLM
from xpeft.profile_model import ProfileModel
from xpeft.scores import profile_accuracies, score


def describe(
    run: Run,
    plm: PLM,
    data: DataSet,
    outcome: Outcome,
    split: Split,
    name: Literal["dev", "test"],
    seconds: float,
) -> RunRecord:
    """The record of a run on one split, which the report calls `name`."""
    examples, logits, metric = data.splits[split], outcome.logits[split], SETS[run.name].metric
    predicted = logits.argmax(1).numpy()
    value = metric_value(metric, logits, examples, data.labels)
    scores = score(predicted, examples, data.labels)
    if metric in WITHOUT_ACCURACY:
        scores["micro"] = scores["macro"] = value
    accuracies = profile_accuracies(predicted, examples)
    return RunRecord(
        data=run.name,
        slice=run.setup.part.words() or None,
        split=name,
        purpose=run.purpose,
        method=run.label,
        pool=run.pool.words() + run.kind.words() if run.pool else None,
        seed=run.recipe.seed,
        micro=scores["micro"],
        macro=scores["macro"],
        metric=Metric(name=metric, value=value, higherIsBetter=better(metric) > 0),
        crossEntropy=None if run.method == "majority" else cross_entropy(logits, examples),
        **sizes(run, data, outcome.model, plm.hidden),
        seconds=round(seconds, 1),
        device=device_words(run.setup.device),
        commit=commit(),
        command="python -m xpeft " + shlex.join(anywhere(part) for part in sys.argv[1:]),
        texts=TextCounts(**{split: len(examples) for split, examples in data.splits.items()}),
        profileCount=len(data.profiles),
        textsPerProfile=run.texts_per_profile,
        recipe=run.settings,
        profiles={data.profiles[profile]: round(value, 4) for profile, value in accuracies.items()},
        losses=outcome.losses,
        chosen=chosen_shares(outcome.model),
    )


def sizes(run: Run, data: DataSet, model: ProfileModel | None, hidden: int) -> dict[str, int]:
    """bytesPerProfile, headBytes, sharedBytes and trainedParameters. Numbers take four bytes, but for masks (bits) and label biases (a byte
    a label).

    Where profiles have labels of their own, so have they heads, under every method, and nothing is shared.
    """
    labels = len(data.labels)
    a_label = hidden + 1
    own = model.bytes_a_profile() if model else 0
    numbers = model.numbers_a_profile() if model else 0
    shared = 4 * labels * a_label + (model.shared_bytes() if model else 0)
    if run.method == "majority":
        return {"bytesPerProfile": 1, "headBytes": 0, "sharedBytes": 0, "trainedParameters": 0}
    head = 0
    if run.head == "own" or data.profile_labels:
        of_profile = int((data.label_set_bias() == 0).sum(1).max()) if data.profile_labels else labels
        own, numbers, shared = own + 4 * of_profile * a_label, numbers + of_profile * a_label, shared - 4 * labels * a_label
        head = 4 * of_profile * a_label if data.profile_labels else 0
    if run.recipe.label_bias:
        own, numbers = own + labels, numbers + labels
    return {"bytesPerProfile": own, "headBytes": head, "sharedBytes": shared, "trainedParameters": numbers}


def chosen_shares(model: ProfileModel | None) -> list[list[list[float]]] | None:
    """For hard masks: of each adapter of the pool, the share of profiles that choose it, [L][2][N]."""
    if not isinstance(model, MaskModel) or model.kind.soft:
        return None
    with torch.no_grad():
        ones = topk_ones(model.mask_logits(torch.arange(model.profiles, device=model.device)), model.shape.chosen)
    shares: list[list[list[float]]] = ones.mean(0).cpu().numpy().round(3).astype(float).tolist()
    return shares


def device_words(device: torch.device) -> str:
    """The device's name, and on a CPU the number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.processor() or platform.machine()} CPU, {torch.get_num_threads()} thread(s)"


def commit() -> str:
    """Commit of the code that runs, with a + where files differ from it; "unknown" outside a checkout."""
    folder = Path(__file__).parent
    try:
        head, changes = (
            subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True).stdout.strip()
            for arguments in (["rev-parse", "--short=12", "HEAD"], ["status", "--porcelain", "--", "."])
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+" if changes else "")


def anywhere(argument: str) -> str:
    """An argument as it is shown: of an absolute path its name alone, for where it lies is nobody's concern."""
    return Path(argument).name if Path(argument).is_absolute() else argument


def write_record(record: RunRecord, path: Path) -> None:
    """Write a run's file."""
    make_folder(path.parent)
    write_text(path, record.model_dump_json() + "\n")
