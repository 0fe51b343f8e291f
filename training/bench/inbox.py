"""Generates inbox messages and how many people sort them: data for training profiles, written for this project.

    .venv/bin/python -m bench.inbox > inbox.jsonl
    .venv/bin/python -m bench.inbox --seed 2 | gzip -n > DATA/inbox/profiles.jsonl.gz    # for `python -m xpeft compare`

A message is a subject of one of six topics in one of sixteen frames. A person has a habit for each topic: that of one of four kinds of
people or, for about half of the topics, a personal one. The label follows from the topic and the person; neither is enough alone.
"""

import json
import random
from collections.abc import Iterator
from typing import Annotated

import typer

LABELS = ["now", "later", "archive"]
TOPICS = {
    "billing": [
        "the invoice for March",
        "a refund for order 2217",
        "the payment that was declined",
        "your new card details",
        "the unpaid balance",
        "a duplicate charge",
        "the yearly subscription fee",
        "a receipt for the hotel",
        "the tax form",
        "the overdue bill",
        "the discount that was not applied",
        "the bank transfer",
    ],
    "meeting": [
        "the Monday planning call",
        "moving our lunch to Friday",
        "the agenda for the board",
        "a room for the workshop",
        "the minutes of yesterday",
        "your calendar next week",
        "the interview at noon",
        "the quarterly review",
        "a quick chat about roles",
        "the video link for today",
        "the team offsite",
        "rescheduling the demo",
    ],
    "outage": [
        "the server that is down",
        "errors on the login page",
        "the database running out of disk",
        "timeouts in the checkout",
        "the broken build",
        "the failed backup",
        "the certificate that expires tonight",
        "a spike in error rates",
        "the website not loading",
        "the memory leak in production",
        "alerts from the monitoring",
        "the cluster losing nodes",
    ],
    "family": [
        "grandma's birthday",
        "photos of the baby",
        "the dinner on Sunday",
        "your sister's wedding",
        "picking the kids up",
        "the dog at the vet",
        "a present for dad",
        "the summer with the cousins",
        "mum's recipe for soup",
        "the school play",
        "the new puppy",
        "the reunion in August",
    ],
    "sports": [
        "the match on Saturday",
        "tickets for the final",
        "the training schedule",
        "results of the marathon",
        "the new goalkeeper",
        "your fantasy league team",
        "the cycling club ride",
        "the tennis court booking",
        "highlights of the derby",
        "the injury of the captain",
        "the swimming gala",
        "the transfer rumours",
    ],
    "security": [
        "a login from a new device",
        "your password reset",
        "the suspicious attachment",
        "the leaked credentials",
        "two-factor codes",
        "the phishing warning",
        "an unknown sign-in",
        "the vulnerability report",
        "access for a former employee",
        "the firewall rule",
        "the stolen laptop",
        "malware found on a computer",
    ],
}
FRAMES = [
    "{}",
    "Re: {}",
    "A question about {}",
    "Could you look at {}?",
    "News on {}",
    "Reminder: {}",
    "We need to talk about {}",
    "Please confirm: {}",
    "Thoughts on {}?",
    "Fwd: {}",
    "Just so you know: {}",
    "Details of {} inside",
    "I forgot to mention {}",
    "Any update on {}?",
    "Following up on {}",
    "Everything about {}",
]
PEOPLE, KINDS = 96, 4
TEXTS = {"train": 50, "dev": 20, "test": 40}
# Splits share no subjects, so that no test text has a subject of a training text.
SUBJECTS = {"train": slice(0, 7), "dev": slice(7, 9), "test": slice(9, 12)}
PERSONAL_HABITS, SLIPS = 0.5, 0.05


def sort_inbox(seed: int = 0) -> Iterator[dict[str, str]]:
    """Yield the labelled messages of all people; the same seed gives the same messages."""
    rng = random.Random(seed)
    kinds = [{topic: rng.choice(LABELS) for topic in TOPICS} for _ in range(KINDS)]
    texts: dict[str, list[tuple[str, str]]] = {split: [] for split in TEXTS}
    for topic, subjects in TOPICS.items():
        shuffled = rng.sample(subjects, len(subjects))
        for split, part in SUBJECTS.items():
            texts[split] += [(topic, frame.format(subject)) for subject in shuffled[part] for frame in FRAMES]
    for person in range(PEOPLE):
        kind = rng.choice(kinds)
        habit = {topic: rng.choice(LABELS) if rng.random() < PERSONAL_HABITS else kind[topic] for topic in TOPICS}
        for split, count in TEXTS.items():
            for topic, text in rng.sample(texts[split], count):
                label = rng.choice(LABELS) if rng.random() < SLIPS else habit[topic]
                yield {"profile": f"person-{person:03}", "text": text[0].upper() + text[1:], "label": label, "split": split}


def main(seed: Annotated[int, typer.Option(min=0, help="Other people, habits and splits for each seed.")] = 0) -> None:
    """Print the labelled messages of all people, a line of JSON each."""
    for record in sort_inbox(seed):
        print(json.dumps(record, allow_nan=False))


if __name__ == "__main__":
    typer.run(main)
