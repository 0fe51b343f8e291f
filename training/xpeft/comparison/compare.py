"""The comparison: methods on data sets with the same PLM, texts, loop and head, each at its best learning rate. One file a run."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from xpeft.atomic_files import make_folder
from xpeft.bundle.manifest import Manifest
from xpeft.comparison.curve import curve
from xpeft.comparison.describe import describe, write_record
from xpeft.comparison.experiment import Experiment
from xpeft.comparison.learning import train_method
from xpeft.comparison.methods import FEATURE_METHODS, Rates
from xpeft.comparison.records import DEFAULT_METHOD, RunRecord
from xpeft.comparison.sets import SETS, SLICE_SEED, check_set, load_set
from xpeft.comparison.setup import Comparison, Run, candidates
from xpeft.errors import XpeftError
from xpeft.plm import PLM
from xpeft.progress import remark
from xpeft.records import Split
from xpeft.task_files import check_row


def compare(manifest: Manifest, plm: PLM, setup: Comparison, experiment: Experiment, seeds: Sequence[int]) -> list[Path]:
    """Run every method of an experiment on every data set with every seed, and return the files of all runs.

    A run whose files exist is skipped. Where a method has several candidate learning rates, it is searched once for each data set.
    """
    for name in experiment.data:
        check_set(name, setup.part, manifest, setup.recipe.label_bias)
    for method in experiment.methods:
        if setup.head == "own" and method in FEATURE_METHODS and method != "head":
            raise XpeftError(f"{method} has a shared head", "Remove own_head, or run the method in a [[runs]] table without it.")
        if method == DEFAULT_METHOD and (setup.head == "own" or setup.recipe.label_bias):
            # Its sizes would count the label bias or head twice.
            hint = "Remove label_bias and own_head, or run it in a [[runs]] table without them."
            raise XpeftError(f"{method} chooses its own head", hint)
    tokenizer = setup.bundle / manifest.file("tokenizer")
    files = []
    for name in experiment.data:
        for method in experiment.methods:
            tried = candidates(experiment, method)
            if experiment.newcomers:
                recipe = replace(setup.recipe, profile_lr=tried[0].profile, shared_lr=tried[0].shared)
                files += curve(replace(setup, recipe=recipe), [name], [method], seeds, experiment.newcomers, experiment.newcomer_texts)
                continue
            best = tried[0] if len(tried) == 1 else search_rates(setup, plm, tokenizer, name, method, tried)
            for seed in seeds:
                files += run_once(setup, plm, tokenizer, name, method, seed, best, "result", len(tried))
    return files


def search_rates(setup: Comparison, plm: PLM, tokenizer: Path, name: str, method: str, tried: Sequence[Rates]) -> Rates:
    """Return the learning rates with the least cross entropy on dev, for seed 0 and `setup.searched_on` profiles.

    On a few hundred texts cross entropy tells rates apart better than accuracy does.
    """
    small = setup.for_search(name)

    def cross_entropy(rates: Rates) -> float:
        (file,) = run_once(small, plm, tokenizer, name, method, 0, rates, "search")
        record = RunRecord.model_validate_json(file.read_bytes())
        if record.crossEntropy is None:
            raise ValueError(f"{method} has no probabilities")
        return record.crossEntropy

    return min(tried, key=cross_entropy)


def run_once(
    setup: Comparison,
    plm: PLM,
    tokenizer: Path,
    name: str,
    method: str,
    seed: int,
    rates: Rates,
    purpose: Literal["result", "search"],
    tried: int = 1,
) -> list[Path]:
    """Make one run and return its files: a search is measured on dev, a result on the set's measured split and on dev.

    tried: number of rates that dev chose these from.
    """
    recipe = replace(setup.recipe, profile_lr=rates.profile, shared_lr=rates.shared, seed=seed)
    run = Run(setup, name, method, recipe, purpose, settings_tried=tried)
    measured: dict[Split, Literal["dev", "test"]] = {"dev": "dev"} if purpose == "search" else {"test": SETS[name].measured}
    if measured == {"test": "test"}:
        measured["dev"] = "dev"
    files = {split: setup.out / "runs" / f"{run.stem}.{split}.json" for split in measured}
    if all(file.exists() for file in files.values()):
        return list(files.values())
    remark(f"{run.stem} ({purpose}, profile_lr {rates.profile:g}, shared_lr {rates.shared:g})", setup.quiet)
    data = load_set(setup.root, name, tokenizer, setup.part, SLICE_SEED)
    check_row(data.labels, run.adapters.shape(plm))
    make_folder(setup.out)
    start = time.monotonic()
    outcome = train_method(run, plm, data)
    seconds = time.monotonic() - start
    for split, file in files.items():
        write_record(describe(run, plm, data, outcome, split, measured[split], seconds), file)
    run.checkpoint.unlink(missing_ok=True)
    return list(files.values())
