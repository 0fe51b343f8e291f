"""A task as an object: train it, predict with it, add profiles, save it, and push it to a Worker."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, overload

import torch

from xpeft import bounds
from xpeft.add import Sharding, add_profiles
from xpeft.atomic_files import atomic_file, make_folder, temporary_folder, write_errors
from xpeft.bundle.manifest import read_manifest
from xpeft.errors import BadValue
from xpeft.frames import called_data, write_frame
from xpeft.options import Device, torch_device
from xpeft.predictor import Predictor, Profiles
from xpeft.profile_head import known_labels
from xpeft.recipe import TaskRecipe, read_recipe, to_recipe
from xpeft.records import Text
from xpeft.task_files import PROFILES_FILE, TASK_FILE, TrainedTask, read_trained_task
from xpeft.task_pair import REPORT, reported_pair
from xpeft.train_task import run_training
from xpeft.verdict import verdict_lines
from xpeft.verdict_html import verdict_html
from xpeft.worker import Pushed, Worker

# The data file beside a task's files.
DATA_FILE = "data.jsonl"
PROFILES_AT_ONCE = 2000

# A recipe, the path of its TOML file, or its keys as in the file.
GivenRecipe = TaskRecipe | str | Path | Mapping[str, object] | None
DeviceName = Literal["auto", "cpu", "cuda"]


class Task:
    """A trained task with its profiles. `Task.fit` trains one, and `Task.load` reads one.

    report: the report of its training, as `report.json` has it; empty without one. pair: whether the task reads a second text; None if it
    is not known.
    """

    def __init__(
        self, folder: str | Path, bundle: str | Path, *, pair: bool | None = None, plm: str | None = None, device: DeviceName = "auto"
    ) -> None:
        """Read a task, as `Task.load` does."""
        self._bundle, self._plm = Path(bundle), plm
        self._device = device_of(device)
        self._manifest, self._identity = read_manifest(self._bundle)
        # Raises for a damaged report.
        reported = reported_pair(Path(folder))
        self.pair = pair if reported is None else reported
        self._read(Path(folder))

    @classmethod
    def fit(
        cls,
        bundle: str | Path,
        data: object,
        *,
        name: str,
        max_tokens: int | None = None,
        pair: bool = False,
        recipe: GivenRecipe = None,
        seed: int = 0,
        device: DeviceName = "auto",
        plm: str | None = None,
        out: str | Path | None = None,
        resume: bool = False,
        quiet: bool = True,
    ) -> "Task":
        """Train a task on a bundle, as `python -m xpeft train` does.

        data: a data frame, a Hugging Face `Dataset` or `DatasetDict`, or dictionaries, with the columns profile, text, label and, if there
        are any, text_pair and split. Without splits, a tenth of each profile's texts is for dev and a fifth for test. max_tokens: None to
        choose it from the lengths of the texts. out: folder that gets the task's files, its data and checkpoints; by default, none is kept.
        resume: whether to continue from the checkpoints in `out`, if there are any, with the same data and settings.
        plm: folder or hub id of the bundle's PLM, if it is not where its name says. quiet: False to show progress on stderr.
        Raises XpeftError, or KeyboardInterrupt where it stops early.
        """
        plan, where, seed = recipe_of(recipe), device_of(device), checked_seed(seed)
        with temporary_folder() as temporary:
            folder = Path(out or temporary)
            make_folder(folder)
            write_frame(data, folder / DATA_FILE, seed)
            file = folder / DATA_FILE
            with called_data(file):
                run_training(file, name, Path(bundle), folder, plm, max_tokens, pair, plan, seed, False, where, resume, quiet=quiet)
            return cls(folder, bundle, plm=plm, device=device)

    @classmethod
    def load(
        cls, folder: str | Path, bundle: str | Path, *, pair: bool | None = None, plm: str | None = None, device: DeviceName = "auto"
    ) -> "Task":
        """Read a task from the folder of a training or of `save`. bundle: the one that it was trained on.

        pair: whether the task reads a second text, if the folder has no `report.json` that says so. Raises XpeftError.
        """
        return cls(folder, bundle, pair=pair, plm=plm, device=device)

    def _read(self, folder: Path) -> None:
        self._trained: TrainedTask = read_trained_task(folder, self._identity, self._manifest)
        files = [folder / name for name in (TASK_FILE, PROFILES_FILE, REPORT)]
        self._files = {file.name: file.read_bytes() for file in files if file.exists()}
        self.report: dict[str, Any] = json.loads(self._files.get(REPORT, b"{}"))
        # Made where it is first needed, because it loads the PLM.
        self._predictor: Predictor | None = None

    @property
    def name(self) -> str:
        """The task's name."""
        return self._trained.task.task

    @property
    def labels(self) -> list[str]:
        """The task's labels."""
        return self._trained.task.labels

    @property
    def profiles(self) -> list[str]:
        """The ids of the task's profiles."""
        return self._trained.profiles

    @overload
    def predict(self, texts: Iterable[Text], profile: Profiles, scores: Literal[False] = False) -> list[str]: ...

    @overload
    def predict(self, texts: Iterable[Text], profile: Profiles, scores: Literal[True]) -> list[dict[str, float]]: ...

    def predict(self, texts: Iterable[Text], profile: Profiles, scores: bool = False) -> list[str] | list[dict[str, float]]:
        """Return the label of each text, in fp32. With `scores`, return the scores of the labels that the profile knows,
        by name; they sum to 1.

        texts: strings, or pairs of strings if the task reads pairs. profile: the id of one profile for all texts, or of one for each text.
        None is the default profile. Raises UnknownProfile, BadValue, or BadLine for a text without a token.
        """
        if self._predictor is None:
            self._predictor = Predictor(self._trained, self._bundle, self._manifest, self._plm, self.pair, self._device)
        logits = self._predictor.logits(texts, profile)
        if not scores:
            return [self.labels[label] for label in logits.argmax(1).tolist()]
        known = known_labels(logits)
        rows = zip(logits.softmax(1).tolist(), known.tolist(), strict=True)
        return [{self.labels[label]: score for label, score in enumerate(row) if knows[label]} for row, knows in rows]

    def add(self, data: object, *, recipe: GivenRecipe = None, seed: int = 0, quiet: bool = True) -> dict[str, Any]:
        """Train new profiles, as `python -m xpeft add` does, and return their report. The task's other profiles stay the same.

        data, recipe, seed, quiet: as for `fit`. Raises XpeftError, or KeyboardInterrupt where it stops early; the task is then as before.
        """
        plan, seed = recipe_of(recipe).add, checked_seed(seed)
        with temporary_folder() as temporary:
            before, new = temporary / "before", temporary / "new"
            self.save(before)
            data_file = before / DATA_FILE
            write_frame(data, data_file, seed)
            sharding = Sharding(PROFILES_AT_ONCE)
            with called_data(data_file):
                report, _ = add_profiles(
                    before,
                    data_file,
                    self._bundle,
                    new,
                    self._plm,
                    self.pair,
                    plan,
                    seed,
                    False,
                    self._device,
                    sharding,
                    False,
                    quiet=quiet,
                )
            # A file that was not written here may have no end of its last line.
            known = self._files[PROFILES_FILE].rstrip() + b"\n"
            with atomic_file(before / PROFILES_FILE) as file:
                file.write(known + (new / PROFILES_FILE).read_bytes())
            self._read(before)
        return report

    def save(self, folder: str | Path) -> None:
        """Write `task.json`, `profiles.ndjson` and `report.json` into a folder. Raises NotWritten."""
        path = Path(folder)
        make_folder(path)
        # An interruption here must not leave a new task beside an older one's profiles and report.
        with write_errors(path):
            for name in (PROFILES_FILE, REPORT):
                (path / name).unlink(missing_ok=True)
        for name, content in self._files.items():
            with atomic_file(path / name) as file:
                file.write(content)

    def push(self, url: str, key: str | None = None, *, replace: bool = False) -> Pushed:
        """Write the task and its profiles to a running Worker, as `xpeft push --url` does.

        key: an API key with the scopes admin and write. replace: whether to delete profiles on the Worker that have another head.
        Raises UnreachableWorker, or WorkerProblem with the Worker's code and hint.
        """
        return Worker(url, key).push(self.name, self._files[TASK_FILE], self._files[PROFILES_FILE].splitlines(), replace)

    def __str__(self) -> str:
        """Return the task's sizes, and what each step of its training brought."""
        return "\n".join([self._title, *(verdict_lines(self.report) if self.report else [])])

    def __repr__(self) -> str:
        """Return the task's sizes."""
        return f"<Task {self._title}>"

    def _repr_html_(self) -> str:
        return verdict_html(self._title, self.report)

    @property
    def _title(self) -> str:
        return f"{self.name}: {len(self.profiles):,} profiles, {len(self.labels):,} labels"


def recipe_of(given: GivenRecipe) -> TaskRecipe:
    """Return a recipe. Raises UnreadableFile, UnknownKey or BadValue."""
    if isinstance(given, TaskRecipe):
        return given
    return to_recipe(given, "recipe") if isinstance(given, Mapping) else read_recipe(Path(given) if given else None)


def device_of(name: str) -> torch.device:
    """Return a device by its name. Raises BadValue or NoGpu."""
    if name not in list(Device):
        raise BadValue(f"device = {name!r} is no device", f"The devices are {', '.join(Device)}.")
    return torch_device(Device(name))


def checked_seed(seed: int) -> int:
    """Return a seed. Raises BadValue."""
    if not isinstance(seed, int) or not 0 <= seed <= bounds.MAX_SEED:
        raise BadValue(f"seed = {seed!r} is out of range", f"Give a whole number from 0 to {bounds.MAX_SEED}.")
    return seed
