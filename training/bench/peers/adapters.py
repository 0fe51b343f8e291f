"""`python -m bench.peers.adapters FOLDER` writes a LoRA adapter for each profile of FOLDER/profiles.ndjson to FOLDER/lora/PROFILE.

It writes a few adapters, and each profile's folder is a link to one of them: 10,000 adapters would take 3 GB. For a server this makes no
difference: it loads and drops an adapter for each name.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModel

from xpeft import DEFAULT_PLM
from xpeft.json_lines import numbered_lines, parse_line
from xpeft.plm import plm_folder
from xpeft.task_files import PROFILES_FILE, Profile

DISTINCT = 48
SPREAD = 0.05
HINT = "Name a folder that `npm run bench -- peers` made."


def write_adapters(plm: Path, profiles: list[str], folder: Path, distinct: int = DISTINCT) -> int:
    """Write an adapter for each profile, with r = 8 on query and value, and return the bytes of one; all have the same size."""
    folder.mkdir(parents=True)
    config = LoraConfig(r=8, lora_alpha=16, target_modules=["query", "value"])
    wrapped = get_peft_model(AutoModel.from_pretrained(plm, dtype=torch.float32), config)
    generator = torch.Generator().manual_seed(0)
    written: list[Path] = []
    for number in range(min(distinct, len(profiles))):
        for weight in wrapped.parameters():
            if weight.requires_grad:
                # Random values stand for trained ones. An untrained adapter changes nothing.
                weight.data.normal_(std=SPREAD, generator=generator)
        written.append(folder / f".distinct-{number}")
        wrapped.save_pretrained(written[-1])
        # The library adds a model card, which no server reads.
        (written[-1] / "README.md").unlink()
    for number, profile in enumerate(profiles):
        (folder / profile).symlink_to(written[number % len(written)].name, target_is_directory=True)
    return sum(file.stat().st_size for file in written[0].iterdir())


if __name__ == "__main__":
    FOLDER = Path(sys.argv[1])
    FILE = FOLDER / PROFILES_FILE
    IDS = [parse_line(Profile, FILE, number, line, HINT).profile for number, line in numbered_lines(FILE, HINT)]
    print(json.dumps({"bytes": write_adapters(plm_folder(DEFAULT_PLM), IDS, FOLDER / "lora")}, allow_nan=False))
