"""The comparison: methods on data sets, each at its own best learning rate, with the same PLM, texts, loop and head; one file a run."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from xpeft.atomic_files import make_folder
from xpeft.bundle.load import load_bundle
from xpeft.comparison.describe import describe, write_record
from xpeft.comparison.learning import learn
from xpeft.comparison.methods import HEADS, METHODS, Rates
from xpeft.comparison.records import RunRecord
from xpeft.comparison.sets import SETS, check_set, load_set
from xpeft.comparison.setup import Comparison, Run
from xpeft.data import Split
from xpeft.errors import XpeftError
from xpeft.plm import PLM

# Which profiles and texts a slice has is the same for every method and seed.
SLICE_SEED = 0


def compare(setup: Comparison, names: list[str], methods: list[str], seeds: list[int], candidates: Sequence[Rates]) -> list[Path]:
    """Run every method on every data set with every seed, but for runs whose files are there already; answers all files.

    candidates: learning rates; none means those that the method has. Where there are several, a search runs once for each data set and
    method, with seed 0 on `setup.searched_on` profiles, and the best on dev is taken.
    """
    for method in methods:
        if method not in (*METHODS, *HEADS):
            raise XpeftError(f"there is no method {method!r}", f"Choose of {', '.join((*METHODS, *HEADS))}.")
    manifest, _, plm = load_bundle(setup.bundle, setup.plm_spec)
    for name in names:
        check_set(name, setup.part, manifest, setup.recipe.label_bias)
    tokenizer = setup.bundle / manifest.file("tokenizer")
    written = []
    for name in names:
        for method in methods:
            chosen = Rates(0.0) if method in HEADS else choose(setup, plm, tokenizer, name, method, candidates or METHODS[method].searched)
            for seed in seeds:
                written += run_once(setup, plm, tokenizer, name, method, seed, chosen, "result")
    return written


def choose(setup: Comparison, plm: PLM, tokenizer: Path, name: str, method: str, candidates: Sequence[Rates]) -> Rates:
    """The best of the learning rates on dev, or the only one.

    By cross entropy, which 200 texts tell better than the accuracy that they are a few answers of; a result's head is chosen by its metric.
    """
    if len(candidates) == 1:
        return candidates[0]
    many = SETS[name].measured == "test" and setup.part.profiles is None
    small = replace(setup, part=replace(setup.part, profiles=setup.searched_on)) if many else setup

    def badness(candidate: Rates) -> float:
        (file,) = run_once(small, plm, tokenizer, name, method, 0, candidate, "search")
        record = RunRecord.model_validate_json(file.read_bytes())
        if record.crossEntropy is None:
            raise ValueError(f"{method} has no probabilities")
        return record.crossEntropy

    return min(candidates, key=badness)


def run_once(
    setup: Comparison, plm: PLM, tokenizer: Path, name: str, method: str, seed: int, chosen: Rates, purpose: Literal["result", "search"]
) -> list[Path]:
    """One run; a search is measured on dev, a result on the set's measured split, and, where that is test, on dev too."""
    recipe = replace(setup.recipe, profile_lr=chosen.profile, shared_lr=chosen.shared, seed=seed)
    run = Run(setup, name, method, recipe, purpose)
    measured: dict[Split, Literal["dev", "test"]] = {"dev": "dev"} if purpose == "search" else {"test": SETS[name].measured}
    if measured == {"test": "test"}:
        measured["dev"] = "dev"
    files = {split: setup.out / "runs" / f"{run.stem}.{split}.json" for split in measured}
    if all(file.exists() for file in files.values()):
        return list(files.values())
    if not setup.quiet:
        print(f"{run.stem} ({purpose}, learning rate {chosen.profile:g}, shared {chosen.shared:g})", file=sys.stderr)
    data = load_set(setup.root, name, tokenizer, setup.part, SLICE_SEED)
    make_folder(setup.out)
    start = time.monotonic()
    outcome = learn(run, plm, data)
    seconds = time.monotonic() - start
    for split, file in files.items():
        write_record(describe(run, plm, data, outcome, split, measured[split], seconds), file)
    run.checkpoint.unlink(missing_ok=True)
    return list(files.values())
