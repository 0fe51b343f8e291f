"""The record of a run."""

import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Literal

import torch

from xpeft.atomic_files import make_folder, write_text
from xpeft.comparison.learning import Outcome, cross_entropy
from xpeft.comparison.methods import METHODS
from xpeft.comparison.metrics import WITHOUT_ACCURACY, answers, better, metric_value, profile_figures
from xpeft.comparison.records import Metric, RunRecord, TextCounts
from xpeft.comparison.sets import SETS
from xpeft.comparison.setup import Run
from xpeft.data import DataSet
from xpeft.mask_model import MaskModel
from xpeft.masks import topk_ones
from xpeft.peers.feature_method import Stored
from xpeft.plm import PLM
from xpeft.profile_model import ProfileModel
from xpeft.records import Split
from xpeft.scores import score


def describe(
    run: Run,
    plm: PLM,
    data: DataSet,
    outcome: Outcome,
    split: Split,
    name: Literal["dev", "test"],
    seconds: float,
) -> RunRecord:
    """Return the record of a run on one split. name: the split's name in the report."""
    examples, logits, metric = data.splits[split], outcome.logits[split], SETS[run.name].metric
    predicted = logits.argmax(1).numpy()
    value = metric_value(metric, logits, examples, data.labels)
    scores = score(predicted, examples, data.labels)
    if metric in WITHOUT_ACCURACY:
        scores["micro"] = scores["macro"] = value
    return RunRecord(
        data=run.name,
        slice=run.setup.part.description or None,
        split=name,
        purpose=run.purpose,
        method=run.reported_method,
        pool=run.pool.description + run.kind.description if run.pool else None,
        seed=run.recipe.seed,
        micro=scores["micro"],
        macro=scores["macro"],
        metric=Metric(name=metric, value=value, higherIsBetter=better(metric) > 0),
        crossEntropy=None if run.method == "majority" else cross_entropy(logits, examples),
        **sizes(run, data, outcome, plm.hidden),
        seconds=round(seconds, 1),
        device=device_name(run.setup.device),
        commit=commit(),
        command="python -m xpeft " + shlex.join(without_folders(part) for part in sys.argv[1:]),
        texts=TextCounts(**{split: len(examples) for split, examples in data.splits.items()}),
        profileCount=len(data.profiles),
        textsPerProfile=run.texts_per_profile,
        recipe=run.settings,
        settingsTried=run.settings_tried * outcome.settings_tried,
        profiles=profile_figures(metric, logits, examples, data),
        answers=answers(metric, logits, examples, data.labels) if len(data.profiles) == 1 else None,
        losses=outcome.losses,
        epochs=outcome.epochs,
        chosen=chosen_shares(outcome.model),
    )


def sizes(run: Run, data: DataSet, outcome: Outcome, hidden: int) -> dict[str, int]:
    """Return bytesPerProfile, headBytes, bytesPerTask and trainedParameters.

    A number takes four bytes, a mask a bit for each adapter, a label bias a byte for each label. Where each profile has its own labels,
    it has its own head under every method, and nothing is shared.
    """
    labels, a_label, model = len(data.labels), hidden + 1, outcome.model
    stored = (
        Stored(METHODS[run.method].bytes_a_profile(model), model.shared_bytes(), model.numbers_a_profile()) if model else outcome.stored
    )
    if not stored.head:
        return {"bytesPerProfile": stored.profile, "headBytes": 0, "bytesPerTask": stored.task, "trainedParameters": stored.numbers}
    bytes_a_profile, shared, numbers, head = stored.profile, stored.task, stored.numbers, 0
    if run.head == "own" or data.label_sets is not None:
        of_profile = labels if data.label_sets is None else int(data.label_sets.sum(1).max())
        bytes_a_profile, numbers = bytes_a_profile + 4 * of_profile * a_label, numbers + of_profile * a_label
        head = 0 if data.label_sets is None else 4 * of_profile * a_label
    else:
        shared += 4 * labels * a_label
    if run.recipe.label_bias:
        bytes_a_profile, numbers = bytes_a_profile + labels, numbers + labels
    return {"bytesPerProfile": bytes_a_profile, "headBytes": head, "bytesPerTask": shared, "trainedParameters": numbers}


def chosen_shares(model: ProfileModel | None) -> list[list[list[float]]] | None:
    """Return the share of profiles whose hard masks choose each adapter, [L][2][N]; None for other methods."""
    if not isinstance(model, MaskModel) or model.kind.soft:
        return None
    with torch.no_grad():
        ones = topk_ones(model.mask_logits(torch.arange(model.profiles, device=model.device)), model.shape.chosen)
    shares: list[list[list[float]]] = ones.mean(0).cpu().numpy().round(3).astype(float).tolist()
    return shares


def device_name(device: torch.device) -> str:
    """Return the device's name, and on a CPU the number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.processor() or platform.machine()} CPU, {torch.get_num_threads()} thread(s)"


def commit() -> str:
    """Return the commit of the code that runs, with a + where files differ from it; "unknown" outside a checkout."""
    folder = Path(__file__).parent
    try:
        head, changes = (
            subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True).stdout.strip()
            for arguments in (["rev-parse", "--short=12", "HEAD"], ["status", "--porcelain", "--", "."])
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+" if changes else "")


def without_folders(argument: str) -> str:
    """Return an argument for publication: an absolute path loses its folders, which are private."""
    return Path(argument).name if Path(argument).is_absolute() else argument


def write_record(record: RunRecord, path: Path) -> None:
    """Write a run's file."""
    make_folder(path.parent)
    write_text(path, record.model_dump_json() + "\n")
