"""Measures how much faster masks train, all profiles in one pass, than adapters one at a time with the library `adapters`.

    training/.venv/bin/python training/bench/many_profiles.py --data DATA --task bundles/demo/offense --library-python VENV/bin/python

It repeats the profiles of the task's data, with their texts resampled with replacement, to reach the requested number. Both sides make the
same passes over the same number of texts per profile, on the same device and threads, one after the other. VENV has the packages of
training/adapters_library/requirements.txt.

The last line is JSON; `ratio` is the library's seconds per profile over ours.
"""

import json
import random
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Annotated

import torch
import typer

from xpeft.add import Sharding, add_profiles
from xpeft.comparison.describe import device_name
from xpeft.options import Device, torch_device
from xpeft.recipe import AddRecipe
from xpeft.records import read_records

ROOT = Path(__file__).resolve().parents[2]


def resampled(data: Path, profiles: int, seed: int) -> list[str]:
    """Return the lines of `profiles` profiles with new ids, each with as many training texts as the profile that it repeats."""
    rng = random.Random(seed)
    texts: dict[str, list[tuple[str, str]]] = {}
    for record in read_records(data).values():
        if record.split == "train":
            texts.setdefault(record.profile, []).append((record.text, record.label))
    names = sorted(texts)
    return [
        json.dumps({"profile": f"again-{number}", "text": text, "label": label, "split": "train"}, allow_nan=False)
        for number in range(profiles)
        for text, label in rng.choices(texts[names[number % len(names)]], k=len(texts[names[number % len(names)]]))
    ]


def main(
    data: Annotated[Path, typer.Option(help="The data that the task was trained on.", exists=True)],
    task: Annotated[Path, typer.Option(help="Folder of the finished task.", exists=True)],
    library_python: Annotated[Path, typer.Option(help="Python of the environment that has the library adapters.", exists=True)],
    bundle: Annotated[Path, typer.Option(help="Bundle folder.")] = ROOT / "bundles" / "minilm-l6-v2",
    profiles: Annotated[int, typer.Option(min=1, help="Profiles to train in one pass.")] = 1000,
    one_at_a_time: Annotated[int, typer.Option(min=1, help="Profiles to train one at a time.")] = 8,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the texts.")] = 4,
    max_tokens: Annotated[
        int, typer.Option(min=3, help="Cut the library's texts to this many tokens; ours are cut as the task says.")
    ] = 48,
    threads: Annotated[int, typer.Option(min=1, help="Threads on a CPU.")] = 1,
    bf16: Annotated[bool, typer.Option("--bf16", help="Run our PLM in bfloat16, as in practice; the library stays in float32.")] = False,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
) -> None:
    """Train many profiles in one pass, then a few one at a time."""
    torch.set_num_threads(threads)
    torch_place = torch_device(device)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "many.jsonl"
        lines = resampled(data, profiles, 0)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        recipe = AddRecipe(use="profile", epochs=epochs)
        start = time.monotonic()
        add_profiles(task, file, bundle, Path(folder) / "out", None, False, recipe, 0, bf16, torch_place, Sharding(profiles), False)
        seconds = (time.monotonic() - start) / profiles
    script = ROOT / "training" / "adapters_library" / "one_at_a_time.py"
    options = {"--data": data, "--profiles": one_at_a_time, "--epochs": epochs, "--max-tokens": max_tokens, "--threads": threads}
    command = [library_python, script, *(part for option in options.items() for part in option), "--device", torch_place.type]
    library = json.loads(subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])
    result = {
        "device": device_name(torch_place),
        "profiles": profiles,
        "textsPerProfile": round(len(lines) / profiles, 1),
        "secondsPerProfile": round(seconds, 4),
        "library": library["library"],
        "librarySecondsPerProfile": library["secondsPerProfile"],
        "ratio": round(library["secondsPerProfile"] / seconds, 1),
    }
    print(json.dumps(result, allow_nan=False))


if __name__ == "__main__":
    typer.run(main)
